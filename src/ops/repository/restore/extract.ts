/**
 * The files of a backup, laid out in a folder that held nothing.
 *
 * Invariants: a file gets its name only after its hash was seen to be right; nothing is read or written but the entries of
 * the one profile, in their order; whatever fails, the folder is as it was. An attacker may have written the backup.
 */
import { equalBytes, fromHex, toHex } from '../../../core/bytes.ts';
import { failure, SecureevError } from '../../../core/errors.ts';
import type { Files, InputFile, Io } from '../../../core/ports.ts';
import { startSha256 } from '../../../crypto/hash.ts';
import {
  DATABASE_NAME,
  decodeManifest,
  MANIFEST_BYTES_MAX,
  MANIFEST_NAME,
  objectOfEntry,
} from '../../../formats/backup/manifest.ts';
import type { BackupManifest } from '../../../formats/backup/manifest.ts';
import { decodeTarHeader, TAR_BLOCK_BYTES, TAR_END_BYTES, tarPadding } from '../../../formats/backup/tar.ts';
import type { TarEntry } from '../../../formats/backup/tar.ts';
import { OBJECT_MODE } from '../../../store/objects.ts';

/** Files and folders that were made, to be taken away again should something fail. */
export interface Placed {
  readonly files: string[];
  /** In the order in which they were made. */
  readonly folders: string[];
}

/** Takes away what was made. */
export async function takeAway(files: Files, { files: made, folders }: Placed): Promise<void> {
  for (const path of made) await files.remove(path);
  for (const path of folders.toReversed()) await files.removeFolder(path);
}

/** Which backup goes where. */
export interface Extraction {
  readonly backup: InputFile;
  /** The folder, which is there and empty. */
  readonly folder: string;
  /** Where the database goes. */
  readonly database: string;
  readonly placed: Placed;
}

/** Lays out a backup. @throws BACKUP_MALFORMED, BACKUP_DAMAGED, DISK_FULL, FILE_ACCESS, INTERRUPTED */
export async function extractBackup(io: Io, extraction: Extraction): Promise<BackupManifest> {
  const { backup, folder } = extraction;
  const cursor: Cursor = { at: 0, backup };
  const manifest = await readManifest(cursor);
  const task = io.progress.start(`restoring ${manifest.name}`, backup.sizeBytes, 'bytes');
  const unpack: Unpacking = { io, extraction, cursor, advance: (bytes) => task.advance(bytes) };
  await unpackDatabase(unpack, manifest);
  await makeFolder(unpack, `${folder}/objects`);
  const counted = await unpackObjects(unpack, manifest);
  if (counted !== manifest.objects.sizeBytes) throw damaged('its objects are not as large as it says');
  await requireEnd(cursor);
  task.done();
  return manifest;
}

interface Cursor {
  at: number;
  readonly backup: InputFile;
}

interface Unpacking {
  readonly io: Io;
  readonly extraction: Extraction;
  readonly cursor: Cursor;
  readonly advance: (bytes: number) => void;
}

async function take({ at, backup }: Cursor, sizeBytes: number): Promise<Uint8Array> {
  const bytes = await backup.read(at, sizeBytes);
  if (bytes.length < sizeBytes) throw damaged(`it ends at byte ${backup.sizeBytes}, in the middle of something`);
  return bytes;
}

/** The next entry's header, the cursor after it; its content is in the file. */
async function nextEntry(cursor: Cursor): Promise<TarEntry> {
  const entry = decodeTarHeader(await take(cursor, TAR_BLOCK_BYTES), cursor.at);
  cursor.at += TAR_BLOCK_BYTES;
  if (entry.sizeBytes > cursor.backup.sizeBytes - cursor.at) throw damaged(`it ends in the middle of ${entry.name}`);
  return entry;
}

async function skipPadding(cursor: Cursor, sizeBytes: number): Promise<void> {
  const padding = tarPadding(sizeBytes);
  const bytes = await take(cursor, padding);
  if (bytes.some((byte) => byte !== 0)) {
    throw failure('BACKUP_MALFORMED', `something lies between two entries at byte ${cursor.at}`, { offset: cursor.at });
  }
  cursor.at += padding;
}

async function readManifest(cursor: Cursor): Promise<BackupManifest> {
  if (cursor.backup.sizeBytes < TAR_BLOCK_BYTES) throw failure('BACKUP_MALFORMED', 'no backup: too short');
  const entry = await nextEntry(cursor);
  if (entry.name !== MANIFEST_NAME || entry.sizeBytes > MANIFEST_BYTES_MAX) throw outOfOrder(entry);
  const manifest = decodeManifest(await take(cursor, entry.sizeBytes));
  cursor.at += entry.sizeBytes;
  await skipPadding(cursor, entry.sizeBytes);
  return manifest;
}

async function unpackDatabase(unpack: Unpacking, { database }: BackupManifest): Promise<void> {
  const entry = await nextEntry(unpack.cursor);
  if (entry.name !== DATABASE_NAME) throw outOfOrder(entry);
  if (entry.sizeBytes !== database.sizeBytes) throw damaged(`${DATABASE_NAME} is not as large as it says`);
  await unpackFile(unpack, entry, { path: unpack.extraction.database, sha256: database.sha256 });
}

/** Gives the sum of their sizes. */
async function unpackObjects(unpack: Unpacking, { objects }: BackupManifest): Promise<number> {
  let before = '';
  let sum = 0;
  for (let i = 0; i < objects.count; i++) {
    const entry = await nextEntry(unpack.cursor);
    const hash = objectOfEntry(entry.name);
    if (hash === undefined || entry.name <= before) throw outOfOrder(entry);
    const shelf = `${unpack.extraction.folder}/objects/${hash.slice(0, 2)}`;
    if (hash.slice(0, 2) !== before.slice('objects/'.length, 'objects/'.length + 2)) await makeFolder(unpack, shelf);
    await unpackFile(unpack, entry, { path: `${shelf}/${hash}`, sha256: fromHex(hash) });
    before = entry.name;
    sum += entry.sizeBytes;
  }
  return sum;
}

async function unpackFile(unpack: Unpacking, entry: TarEntry, to: { path: string; sha256: Uint8Array }): Promise<void> {
  const { io, cursor, extraction, advance } = unpack;
  const hash = startSha256(io.engine);
  await using output = await io.files.create(to.path, { mode: OBJECT_MODE });
  const range = { from: cursor.at, length: entry.sizeBytes, reuse: true };
  for await (const chunk of cursor.backup.stream(range)) {
    if (io.signal.aborted) throw failure('INTERRUPTED', 'interrupted; nothing was restored');
    hash.update(chunk);
    await output.write(chunk);
    advance(chunk.length);
  }
  if (!equalBytes(hash.digest(), to.sha256)) throw damaged(`${entry.name} is not what it was`);
  extraction.placed.files.push(to.path);
  await output.commit();
  cursor.at += entry.sizeBytes;
  await skipPadding(cursor, entry.sizeBytes);
}

async function makeFolder({ io, extraction }: Unpacking, path: string): Promise<void> {
  extraction.placed.folders.push(path);
  await io.files.makeFolder(path);
}

async function requireEnd(cursor: Cursor): Promise<void> {
  const rest = cursor.backup.sizeBytes - cursor.at;
  const bytes = rest === TAR_END_BYTES ? await take(cursor, rest) : undefined;
  if (bytes?.every((byte) => byte === 0) === true) return;
  if (rest < TAR_END_BYTES) throw damaged(`it ends at byte ${cursor.backup.sizeBytes}, before its end`);
  const found = toHex((bytes ?? new Uint8Array()).subarray(0, 4));
  throw failure('BACKUP_MALFORMED', `there is more after the last entry, at byte ${cursor.at}`, { found });
}

function outOfOrder(entry: TarEntry): SecureevError {
  return failure('BACKUP_MALFORMED', `${entry.name} does not belong where it stands in a backup`, { name: entry.name });
}

function damaged(what: string): SecureevError {
  return new SecureevError('BACKUP_DAMAGED', {
    message: `the backup is not usable: ${what}`,
    hint: 'take another copy of it, or an older backup',
  });
}
