/** The Director's part of a kit: each vehicle's metadata from the Director's pinned root, matched with the Image repository. */
import type { Vin } from '../../core/brands.ts';
import { failure } from '../../core/errors.ts';
import type { DirectorEntry } from '../../formats/metadata/director-targets.ts';
import { takeDirectorTargets } from '../../trust/director.ts';
import type { TrustSource } from '../../trust/source.ts';
import { updateFrom } from '../../trust/update.ts';
import { directorSource, findVehicle } from './director-tree.ts';
import type { KitTargets } from './kit-targets.ts';
import { checkEnvelopeFile } from './kit-envelopes.ts';
import { matchEntries } from './match-repositories.ts';
import { attempt, counted, staleRoles, staleText } from './kit-work.ts';
import type { KitWork } from './kit-work.ts';

/** What the check needs. */
export interface KitDirector {
  /** Of the Image repository. */
  readonly source: TrustSource;
  readonly targets: KitTargets;
  readonly directorRoot: Uint8Array | undefined;
}

/** Checks every vehicle of the kit, or the one that is asked for; gives what is stale and passed. */
export async function checkKitDirector(work: KitWork, director: KitDirector): Promise<readonly string[]> {
  const { book, input, io } = work;
  const { directorRoot } = director;
  const tree = `${input.kit}/director`;
  if (directorRoot === undefined) {
    if ((await io.files.status(tree)) !== undefined) book.skip('director', 'no --director-root was given');
    return [];
  }
  const stale: string[] = [];
  await attempt(book, 'director', async () => {
    const ids =
      input.vin === undefined
        ? await io.files.list(`${tree}/vehicles`)
        : [await findVehicle(io.files, tree, input.vin)];
    if (ids.length === 0) throw failure('TRUST_FILE_MISSING', 'the kit has no Director metadata of any vehicle');
    let images = 0;
    for (const id of ids) {
      const vehicle = await checkVehicle(work, { ...director, directorRoot }, id);
      images += vehicle.images;
      stale.push(...vehicle.stale.map((role) => `director/${role} of vehicle ${id}`));
    }
    const found = `${counted(ids.length, 'vehicle')}, ${counted(images, 'image')} assigned`;
    const told = stale.length === 0 ? '' : `; ${staleText(stale, input.maxStalenessSeconds)}`;
    book.pass('director', `${found}, all as the Image repository has them${told}`);
  });
  return stale;
}

/** Gives how many images the vehicle is assigned, and what of its files is stale. */
async function checkVehicle(
  work: KitWork,
  { source, targets, directorRoot }: KitDirector & { directorRoot: Uint8Array },
  id: string,
): Promise<{ images: number; stale: readonly string[] }> {
  const { io, input } = work;
  const { now, requireHybrid, maxStalenessSeconds } = input;
  const set = await updateFrom(directorSource(io, `${input.kit}/director`, id), {
    engine: io.engine,
    pinnedRoot: directorRoot,
    now,
    requireHybrid,
    maxStalenessSeconds,
    kind: 'director',
  });
  const { entries, vin } = takeDirectorTargets(set, { vin: input.vin, vehicleId: id }).verified;
  for (const entry of entries) {
    await matchEntries({ source }, targets.set, [entry]);
    requireInKit(targets, entry);
    await checkOwnEnvelope(work, { targets, entry, path: `director/vehicles/${id}/envelopes/${entry.name}.sevk`, vin });
  }
  return { images: entries.length, stale: staleRoles(set) };
}

/** The vehicle's own copy of an envelope, where the Director's part has one. */
async function checkOwnEnvelope(
  work: KitWork,
  own: { targets: KitTargets; entry: DirectorEntry; path: string; vin: Vin | undefined },
): Promise<void> {
  const { entry, targets, path, vin } = own;
  const payload = entry.encrypted === undefined ? undefined : targets.paths.get(entry.encrypted.name);
  if (payload === undefined || !work.named.has(path)) return;
  await checkEnvelopeFile(work, { payload, path, vin });
}

function requireInKit({ paths }: KitTargets, { encrypted }: DirectorEntry): void {
  if (encrypted === undefined || paths.has(encrypted.name)) return;
  throw failure('KIT_TARGET_MISSING', `${encrypted.name} is assigned to a vehicle, and is not in the kit`, {
    target: encrypted.name,
  });
}
