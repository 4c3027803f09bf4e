/** Which metadata a kit needs: what a client reads on its way to the kit's targets, and no other delegated role. */
import type { Io } from '../../core/ports.ts';
import type { TrustSource } from '../../trust/source.ts';
import { requireTarget } from '../../trust/find-target.ts';
import type { TargetQuery } from '../../trust/find-target.ts';
import { updateFrom } from '../../trust/update.ts';
import type { Publication, PublishedFile } from './publication.ts';

/** The files, Timestamp last; all of them without `queries`. @throws TRUST_* */
export async function neededMetadata(
  io: Io,
  publication: Publication,
  queries: readonly TargetQuery[] | undefined,
): Promise<readonly PublishedFile[]> {
  const { roots, targets, snapshot, timestamp } = publication;
  const needed = queries === undefined ? targets : await rolesFor(io, publication, queries);
  return [...roots, ...needed, snapshot, timestamp];
}

async function rolesFor(
  io: Io,
  publication: Publication,
  queries: readonly TargetQuery[],
): Promise<readonly PublishedFile[]> {
  const { roots, targets, snapshot, timestamp } = publication;
  const files = new Map([...roots, ...targets, snapshot, timestamp].map((file) => [nameOf(file), file]));
  const read = new Set<PublishedFile>();
  const source: TrustSource = {
    fetch: (name) => {
      const file = files.get(name);
      if (file !== undefined) read.add(file);
      return Promise.resolve(file?.bytes);
    },
  };
  const pinnedRoot = roots[0]?.bytes ?? new Uint8Array();
  let set = await updateFrom(source, { engine: io.engine, pinnedRoot, now: io.clock.now(), kind: 'image' });
  const distinct = new Map(queries.map((query) => [`${query.hardwareId ?? ''} ${query.name}`, query]));
  for (const query of distinct.values()) ({ set } = await requireTarget({ source }, set, query));
  return targets.filter((file) => read.has(file));
}

/** As a client asks for it: what stands below `metadata/`. */
function nameOf({ path }: PublishedFile): string {
  return path.slice(path.indexOf('/') + 1);
}
