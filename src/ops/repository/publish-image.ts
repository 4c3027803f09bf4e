/**
 * Publishes the Image repository as a static tree for any HTTP server or CDN.
 *
 * Invariants: a client that reads the tree between any two writes finds a whole state, the old one or the new one: target
 * files and numbered metadata first, each file by temporary file and rename, Timestamp last; nothing is ever taken away.
 */
import type { Io } from '../../core/ports.ts';
import type { Repository } from '../../store/repository.ts';
import { isBinsPrefix } from '../../store/delegations.ts';
import { findRole, hasStaged } from '../../store/roles.ts';
import { findSetting, writeSetting } from '../../store/settings.ts';
import { binsInForce, binsToSign } from './bins-situation.ts';
import { isTopLevel } from './definitions.ts';
import { refuseIfHeld } from './hold.ts';
import { openChosen } from './locate.ts';
import type { RepositoryChoice } from './locate.ts';
import { mapFile } from './map-locations.ts';
import type { MapLocations } from './map-locations.ts';
import { collectPublication } from './publication.ts';
import type { Publication } from './publication.ts';
import { refusePlace } from './publish-place.ts';
import { publishOrder } from './publish-order.ts';
import { refuseOtherTree } from './published-tree.ts';
import { signedRoles } from './signed-roles.ts';
import { situationOf } from './situation.ts';
import { changedFiles, writeTree } from './tree-writer.ts';
import { verifyPublication } from './verify-publication.ts';

/** Where to publish. */
export interface PublishInput {
  readonly repository: RepositoryChoice;
  readonly folder: string;
  /** Gets the paths that were written, one a line, in the order in which to upload them. */
  readonly uploadList?: string | undefined;
  /** Where clients will find this tree, and the Director's: for `map.json`, which is written where they are given. */
  readonly map?: MapLocations | undefined;
  readonly dryRun?: boolean | undefined;
}

/** What was published. */
export interface PublishAnswer {
  /** Role -> version; hashed bins, of which there are many, left out. */
  readonly versions: Readonly<Record<string, number>>;
  /** Paths within the tree, in the order in which they were written. */
  readonly written: readonly string[];
  readonly unchanged: number;
  /** What to know: staged changes that are not in it, a rotation with a moment in between. */
  readonly notes: readonly string[];
}

/** Publishes. @throws REPOSITORY_HELD, ROLE_NOT_COMPLETE, SEALED_MISSING, PUBLISH_*, OBJECT_*, DISK_FULL */
export async function publishImage(input: PublishInput, io: Io): Promise<PublishAnswer> {
  using repository = await openChosen(io, input.repository);
  refuseIfHeld(repository);
  await refusePlace(repository, input.folder);
  const publication = collectPublication(repository);
  await verifyPublication(io, publication);
  const { folder, uploadList } = input;
  await refuseOtherTree(repository, { folder, publication, repository: repository.identity.uuid });
  const { metadata, note } = await publishOrder(io, folder, publication);
  const files = [...publication.files, ...mapFile(input.map), ...metadata];
  const writes = await changedFiles(io, folder, files);
  if (input.dryRun !== true) {
    await writeTree(repository, { folder, writes, uploadList });
    if (writes.length > 0 || !isRecorded(repository, publication)) {
      recordPublication(repository, publication, writes.length);
    }
  }
  return {
    versions: versionsOf(publication),
    written: writes.map(({ path }) => path),
    unchanged: files.length - writes.length,
    notes: [...note, ...notesOn(repository)],
  };
}

/** A run that was killed at its very end has written all, but did not say so. */
function isRecorded(repository: Repository, { timestamp }: Publication): boolean {
  return findSetting(repository, 'published-image') === String(timestamp.version);
}

function recordPublication(repository: Repository, publication: Publication, written: number): void {
  const words = Object.entries(versionsOf(publication)).map(([role, version]) => `${role} ${version}`);
  const change = { command: 'publish image', summary: `published ${words.join(', ')}: ${written} files written` };
  repository.transact(change, (tx) => {
    writeSetting(tx, 'published-image', String(publication.timestamp.version));
    tx.about(...Object.keys(versionsOf(publication)).map((role) => `role:${role}`));
  });
}

function versionsOf(publication: Publication): Readonly<Record<string, number>> {
  const { roots, targets, snapshot, timestamp } = publication;
  const files = [...roots.slice(-1), ...targets.filter(({ bins }) => bins === undefined), snapshot, timestamp];
  return Object.fromEntries(files.map(({ role, version }) => [role, version]));
}

/** What is complete or staged, but not in this tree, and what clients would stumble over in it. */
function notesOn(repository: Repository): readonly string[] {
  return signedRoles(repository).flatMap((address) => {
    const { name } = address;
    if (address.repository === 'director') return [];
    if (isBinsPrefix(repository, name)) return binsNotes(repository, name);
    const role = findRole(repository, address);
    const isDelegated = !isTopLevel(name);
    if (role === undefined) return isDelegated ? [unsignedNote(name)] : [];
    const pending = role.frozenVersion === null ? [] : [`${name} ${role.frozenVersion} waits for signatures`];
    const staged = hasStaged(repository, role) ? [`${name} has staged changes that nobody signed yet`] : [];
    const situation = situationOf(repository, role, { now: repository.io.clock.now() });
    const listed = situation.listsCurrent ? [] : [`${name} does not list the newest versions yet: sign it`];
    const stale = isDelegated && !(situation.hasComplete && situation.meetsThresholds) ? [unsignedNote(name)] : [];
    return [...pending, ...staged, ...listed, ...stale];
  });
}

function unsignedNote(name: string): string {
  return `${name} has no version signed with the keys it has now: clients find nothing of what is delegated to it`;
}

function binsNotes(repository: Repository, namePrefix: string): readonly string[] {
  const bins = binsInForce(repository, namePrefix);
  if ('blocked' in bins) return [unsignedNote(namePrefix)];
  const changed = binsToSign(repository, bins, { now: repository.io.clock.now(), purpose: 'sign' }).length;
  return changed === 0 ? [] : [`${changed} of the bins ${namePrefix} have changes that nobody signed yet`];
}
