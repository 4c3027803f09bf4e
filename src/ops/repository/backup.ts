/**
 * One file that holds a whole repository: the database as it is at one moment, and every object. See
 * `formats/backup/FORMAT.md`.
 *
 * Invariants: others go on working meanwhile; the file appears only when it is whole, readable by its owner alone; an
 * object that is not what its name says stops the backup.
 */
import { concatBytes, equalBytes, fromHex, toHex } from '../../core/bytes.ts';
import { instantOf } from '../../core/brands.ts';
import type { Instant } from '../../core/brands.ts';
import { failure, SecureevError } from '../../core/errors.ts';
import type { InputFile, Io, OutputFile } from '../../core/ports.ts';
import { startSha256 } from '../../crypto/hash.ts';
import {
  DATABASE_NAME,
  encodeManifest,
  MANIFEST_NAME,
  objectEntryName,
  objectOfEntry,
} from '../../formats/backup/manifest.ts';
import type { BackupManifest } from '../../formats/backup/manifest.ts';
import { encodeTarHeader, TAR_END_BYTES, tarPadding } from '../../formats/backup/tar.ts';
import { objectPath } from '../../store/objects.ts';
import type { Reader } from '../../store/reader.ts';
import type { Repository } from '../../store/repository.ts';
import { SCHEMA_VERSION, writeSnapshot } from '../../store/snapshot.ts';
import { openChosen } from './locate.ts';
import type { RepositoryChoice } from './locate.ts';

/** What to back up where. */
export interface BackupInput {
  readonly repository: RepositoryChoice;
  readonly out: string;
  readonly overwrite: boolean;
  readonly dryRun?: boolean | undefined;
}

/** What was backed up. */
export interface BackupAnswer {
  readonly name: string;
  readonly repository: string;
  readonly created: Instant;
  /** Of the file; 0 in a dry run. */
  readonly sizeBytes: number;
  /** Of the file, hex; null in a dry run. */
  readonly sha256: string | null;
  readonly databaseBytes: number;
  readonly objects: number;
}

/** Writes a backup. @throws FILE_EXISTS, OBJECT_DAMAGED, DISK_FULL, FILE_ACCESS, INTERRUPTED */
export async function backUp(input: BackupInput, io: Io): Promise<BackupAnswer> {
  using repository = await openChosen(io, input.repository, { readOnly: true });
  await using database = await openSnapshot(repository);
  const objects = await objectsIn(repository);
  const manifest = await manifestOf(repository, database, objects);
  const { name, repository: uuid, created } = manifest;
  const answer = { name, repository: uuid, created, databaseBytes: database.sizeBytes, objects: objects.length };
  if (input.dryRun === true) return { ...answer, sizeBytes: 0, sha256: null };
  await using output = await io.files.create(input.out, { mode: 0o600, overwrite: input.overwrite });
  const archive = startArchive(io, output, created);
  await archive.addBytes(MANIFEST_NAME, encodeManifest(manifest));
  await archive.addFile({ name: DATABASE_NAME, input: database, sha256: manifest.database.sha256 });
  const task = io.progress.start(`backing up ${manifest.name}`, manifest.objects.sizeBytes, 'bytes');
  for (const { hash } of objects) {
    await using object = await io.files.open(objectPath(repository, fromHex(hash)));
    await archive.addFile({ name: objectEntryName(hash), input: object, sha256: fromHex(hash) });
    task.advance(object.sizeBytes);
  }
  const whole = await archive.finish();
  await output.commit();
  task.done();
  return { ...answer, ...whole };
}

/** The database as it is now, in a file that has no name any more. */
async function openSnapshot(repository: Repository): Promise<InputFile> {
  const { io, folder } = repository;
  const path = `${folder}/repo.db.backup-${toHex(io.random.bytes(8))}`;
  await io.files.write(path, new Uint8Array(), { mode: 0o600 });
  try {
    writeSnapshot(repository, path);
    return await io.files.open(path);
  } finally {
    await io.files.remove(path);
  }
}

interface FoundObject {
  readonly hash: string;
  readonly sizeBytes: number;
}

/** Every object; those added from now on are not in the snapshot either. */
async function objectsIn({ io, folder }: Reader): Promise<readonly FoundObject[]> {
  const found: FoundObject[] = [];
  for (const shelf of await io.files.list(`${folder}/objects`)) {
    for (const name of await io.files.list(`${folder}/objects/${shelf}`)) {
      const hash = objectOfEntry(`objects/${shelf}/${name}`);
      if (hash === undefined) continue;
      const status = await io.files.status(`${folder}/objects/${shelf}/${name}`);
      if (status?.kind === 'file') found.push({ hash, sizeBytes: status.sizeBytes });
    }
  }
  return found;
}

async function manifestOf(
  { io, identity }: Repository,
  database: InputFile,
  objects: readonly FoundObject[],
): Promise<BackupManifest> {
  const hash = startSha256(io.engine);
  for await (const chunk of database.stream({ reuse: true })) hash.update(chunk);
  return {
    created: instantOf(io.clock.now()),
    repository: identity.uuid,
    name: identity.name,
    schema: SCHEMA_VERSION,
    database: { sizeBytes: database.sizeBytes, sha256: hash.digest() },
    objects: { count: objects.length, sizeBytes: objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) },
  };
}

interface FileEntry {
  readonly name: string;
  readonly input: InputFile;
  readonly sha256: Uint8Array;
}

/** Writes entries to `output`, hashing all of it. */
function startArchive(io: Io, output: OutputFile, modified: Instant) {
  const whole = startSha256(io.engine);
  let sizeBytes = 0;
  const write = async (bytes: Uint8Array): Promise<void> => {
    whole.update(bytes);
    sizeBytes += bytes.length;
    await output.write(bytes);
  };
  return {
    addBytes: async (name: string, bytes: Uint8Array): Promise<void> => {
      const padding = new Uint8Array(tarPadding(bytes.length));
      await write(concatBytes(encodeTarHeader({ name, sizeBytes: bytes.length, modified }), bytes, padding));
    },
    async addFile({ name, input, sha256 }: FileEntry): Promise<void> {
      await write(encodeTarHeader({ name, sizeBytes: input.sizeBytes, modified }));
      const hash = startSha256(io.engine);
      for await (const chunk of input.stream({ reuse: true })) {
        if (io.signal.aborted) throw failure('INTERRUPTED', 'interrupted; no backup was written');
        hash.update(chunk);
        await write(chunk);
      }
      if (!equalBytes(hash.digest(), sha256)) throw damaged(name);
      await write(new Uint8Array(tarPadding(input.sizeBytes)));
    },
    async finish(): Promise<{ sizeBytes: number; sha256: string }> {
      await write(new Uint8Array(TAR_END_BYTES));
      return { sizeBytes, sha256: toHex(whole.digest()) };
    },
  };
}

function damaged(name: string): SecureevError {
  return new SecureevError('OBJECT_DAMAGED', {
    message: `${name} of the repository is not what its name says`,
    hint: 'take that object from an older backup or from a published tree, then back up again',
    details: { name },
  });
}
