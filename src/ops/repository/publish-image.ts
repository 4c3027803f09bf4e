/**
 * Publishes the Image repository as a static tree for any HTTP server or CDN.
 *
 * Invariants: a client that reads the tree between any two writes finds a whole state, the old one or the new one: target
 * files and numbered metadata first, each file by temporary file and rename, Timestamp last; nothing is ever taken away.
 */
import { equalBytes } from '../../core/bytes.ts';
import { failure, SecureevError } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import { utf8 } from '../../core/bytes.ts';
import { objectPath } from '../../store/objects.ts';
import type { Repository } from '../../store/repository.ts';
import { findRole, hasStaged } from '../../store/roles.ts';
import { writeSetting } from '../../store/settings.ts';
import { copyVerified } from './copy-verified.ts';
import { refuseIfHeld } from './hold.ts';
import { openChosen } from './locate.ts';
import type { RepositoryChoice } from './locate.ts';
import { collectPublication } from './publication.ts';
import type { Publication, PublishedFile, PublishedTarget } from './publication.ts';
import { publishOrder } from './publish-order.ts';
import { refuseOtherTree, publishedBytes } from './published-tree.ts';
import { situationOf } from './situation.ts';
import { verifyPublication } from './verify-publication.ts';

/** Where to publish. */
export interface PublishInput {
  readonly repository: RepositoryChoice;
  readonly folder: string;
  /** Gets the paths that were written, one a line, in the order in which to upload them. */
  readonly uploadList?: string | undefined;
  readonly dryRun?: boolean | undefined;
}

/** What was published. */
export interface PublishAnswer {
  /** Role -> version. */
  readonly versions: Readonly<Record<string, number>>;
  /** Paths within the tree, in the order in which they were written. */
  readonly written: readonly string[];
  readonly unchanged: number;
  /** What to know: staged changes that are not in it, a rotation with a moment in between. */
  readonly notes: readonly string[];
}

/** Publishes. @throws REPOSITORY_HELD, ROLE_NOT_COMPLETE, SEALED_MISSING, PUBLISH_REFUSED, PUBLISH_OTHER, OBJECT_*, DISK_FULL */
export async function publishImage(input: PublishInput, io: Io): Promise<PublishAnswer> {
  using repository = await openChosen(io, input.repository);
  refuseIfHeld(repository);
  const publication = collectPublication(repository);
  await verifyPublication(io, publication);
  await refuseOtherTree(io, input.folder, publication);
  const { metadata, note } = await publishOrder(io, input.folder, publication);
  const plan = await changedOnly(io, input.folder, { files: publication.files, metadata });
  if (input.dryRun !== true) await writeTree(repository, input, { publication, plan });
  return {
    versions: versionsOf(publication),
    written: plan.map(({ path }) => path),
    unchanged: publication.files.length + metadata.length - plan.length,
    notes: [...note, ...notesOn(repository)],
  };
}

type Write = PublishedTarget | PublishedFile;

/** What is not there yet, target files first. */
async function changedOnly(
  io: Io,
  folder: string,
  tree: { files: readonly PublishedTarget[]; metadata: readonly PublishedFile[] },
): Promise<readonly Write[]> {
  const writes: Write[] = [];
  for (const file of tree.files) {
    const there = await io.files.status(`${folder}/${file.path}`);
    if (there?.sizeBytes !== file.sizeBytes) writes.push(file);
  }
  for (const file of tree.metadata) {
    const there = await publishedBytes(io, `${folder}/${file.path}`);
    if (there === undefined || !equalBytes(there, file.bytes)) writes.push(file);
  }
  return writes;
}

async function writeTree(
  repository: Repository,
  input: PublishInput,
  { publication, plan }: { publication: Publication; plan: readonly Write[] },
): Promise<void> {
  const { io } = repository;
  const task = io.progress.start(`publishing to ${input.folder}`, plan.length, 'items');
  for (const write of plan) {
    if (io.signal.aborted) throw failure('INTERRUPTED', 'interrupted; the tree holds a whole state');
    await writeOne(repository, input.folder, write);
    task.advance(1);
  }
  task.done();
  if (plan.length > 0) recordPublication(repository, publication, plan.length);
  const list = plan.map(({ path }) => `${path}\n`).join('');
  if (input.uploadList !== undefined) await io.files.write(input.uploadList, utf8(list), { overwrite: true });
}

async function writeOne(repository: Repository, folder: string, write: Write): Promise<void> {
  const { io } = repository;
  const to = `${folder}/${write.path}`;
  if ('bytes' in write) {
    await io.files.write(to, write.bytes, { overwrite: true });
    return;
  }
  const from = objectPath(repository, write.sha256);
  if ((await io.files.status(from)) === undefined) throw objectMissing(write);
  await copyVerified(io, { from, to, sizeBytes: write.sizeBytes, sha256: write.sha256 });
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
  const files = [...roots.slice(-1), ...targets, snapshot, timestamp];
  return Object.fromEntries(files.map(({ role, version }) => [role, version]));
}

/** What is complete or staged, but not in this tree. */
function notesOn(repository: Repository): readonly string[] {
  return ['root', 'targets', 'snapshot', 'timestamp'].flatMap((name) => {
    const role = findRole(repository, { repository: 'image', name });
    if (role === undefined) return [];
    const pending = role.frozenVersion === null ? [] : [`${name} ${role.frozenVersion} waits for signatures`];
    const staged = hasStaged(repository, role) ? [`${name} has staged changes that nobody signed yet`] : [];
    const { listsCurrent } = situationOf(repository, role, { now: repository.io.clock.now() });
    return [...pending, ...staged, ...(listsCurrent ? [] : [`${name} does not list the newest versions yet: sign it`])];
  });
}

function objectMissing(target: PublishedTarget): SecureevError {
  return new SecureevError('OBJECT_MISSING', {
    message: `the bytes of ${target.name} are not in the repository's objects`,
    hint: 'add the file again with the command that staged it',
    details: { target: target.name },
  });
}
