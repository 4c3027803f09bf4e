/**
 * The folder of a ceremony: where everything lies, and how the transcript grows.
 *
 * Invariants: the transcript is replaced whole, so that it never ends in half a line; it grows only from the state that
 * was read; no secret is ever written here.
 */
import { concatBytes, equalBytes, fromUtf8 } from '../../../core/bytes.ts';
import { SecureevError, failure } from '../../../core/errors.ts';
import type { Files, Io } from '../../../core/ports.ts';
import { ceremonyKeyName } from '../../../formats/ceremony-plan.ts';
import type { Custodian } from '../../../formats/ceremony-plan.ts';
import { canonicalJson } from '../../../formats/json/canonical.ts';
import { isJsonList, isJsonMap, jsonMap } from '../../../formats/json/json.ts';
import { parseJson } from '../../../formats/json/parse.ts';
import {
  EMPTY_TRANSCRIPT,
  TRANSCRIPT_BYTES_MAX,
  decodeTranscript,
  encodeTranscriptLine,
} from '../../../formats/transcript/transcript.ts';
import type { Transcript, TranscriptEntry } from '../../../formats/transcript/transcript.ts';
import type { RootKind } from '../../../plan/ceremony/steps.ts';

/** Where things lie in the folder of a ceremony. */
export function ceremonyPaths(folder: string) {
  const at = folder.replace(/\/+$/, '');
  return {
    plan: `${at}/ceremony.yaml`,
    transcript: `${at}/transcript.jsonl`,
    signatures: `${at}/transcript.cose`,
    report: `${at}/report.md`,
    pending: `${at}/pending.json`,
    /** The public file of a custodian's root key. */
    publicKey: (custodian: Custodian, root: RootKind) => `${at}/public/${keyName(custodian, root)}.pub`,
    possession: (custodian: Custodian, root: RootKind) => `${at}/possession/${keyName(custodian, root)}.cose`,
    /** A public file that was brought along; `number` counts from 1. */
    brought: (role: string, number: number) => `${at}/brought/${role.replace('/', '-')}-${number}.pub`,
    root: (root: RootKind) => `${at}/metadata/${root}/1.root.json`,
  } as const;
}

/** Where things lie on a custodian's medium. */
export function mediumPaths(custodian: Custodian, root: RootKind) {
  const base = `${custodian.medium.replace(/\/+$/, '')}/${keyName(custodian, root)}`;
  return { key: `${base}.key`, publicKey: `${base}.pub`, signer: `${base}.signer`, root: rootName(custodian, root) };
}

function rootName({ medium }: Custodian, root: RootKind): string {
  return `${medium.replace(/\/+$/, '')}/${root}-1.root.json`;
}

function keyName(custodian: Custodian, root: RootKind): string {
  return ceremonyKeyName(custodian.initials, root);
}

const EMPTY: Transcript = { entries: [], head: EMPTY_TRANSCRIPT };

/** The transcript as it stands; empty where none was begun. @throws TRANSCRIPT_MALFORMED, TRANSCRIPT_BROKEN */
export async function readTranscript(files: Files, folder: string): Promise<Transcript> {
  const { transcript } = ceremonyPaths(folder);
  if ((await files.status(transcript)) === undefined) return EMPTY;
  return decodeTranscript(await files.read(transcript, TRANSCRIPT_BYTES_MAX));
}

/** The transcript's bytes, and what they will be with one more entry. @throws CEREMONY_BUSY */
export async function grownTranscript(
  files: Files,
  folder: string,
  grow: { from: Transcript; entry: TranscriptEntry },
): Promise<{ readonly bytes: Uint8Array<ArrayBuffer>; readonly after: Transcript }> {
  const { transcript } = ceremonyPaths(folder);
  const { from, entry } = grow;
  const there = (await files.status(transcript)) !== undefined;
  const bytes = there ? await files.read(transcript, TRANSCRIPT_BYTES_MAX) : new Uint8Array();
  if (!equalBytes(decodeTranscript(bytes).head.hash, from.head.hash)) {
    throw failure('CEREMONY_BUSY', `${transcript} has changed meanwhile: is the ceremony running twice?`);
  }
  const whole = bytes.subarray(0, bytes.lastIndexOf(0x0a) + 1);
  const { line, head } = encodeTranscriptLine(entry, from.head);
  return { bytes: concatBytes(whole, line), after: { entries: [...from.entries, entry], head } };
}

/** Adds an entry, durably. @throws CEREMONY_BUSY, DISK_FULL, FILE_ACCESS */
export async function appendEntry(
  files: Files,
  folder: string,
  grow: { from: Transcript; entry: TranscriptEntry },
): Promise<Transcript> {
  const { bytes, after } = await grownTranscript(files, folder, grow);
  await files.write(ceremonyPaths(folder).transcript, bytes, { overwrite: true });
  return after;
}

const PENDING_LIMITS = { bytesMax: 16 * 1024, depthMax: 3, valuesMax: 16 };

/** What a step is about to make: a path, or a name on a token. */
export interface Pending {
  readonly step: string;
  readonly path: string;
}

/** Notes what a step is about to make, so that the step knows it again when it is repeated. */
export async function notePending(files: Files, folder: string, { step, path }: Pending): Promise<void> {
  const paths = new Set([...(await pendingPaths(files, folder, step)), path]);
  const json = canonicalJson(jsonMap({ step, paths: [...paths] }));
  await files.write(ceremonyPaths(folder).pending, json, { overwrite: true });
}

/** Whether `path` was begun by this step, and not by anyone else. */
export async function isPending(files: Files, folder: string, { step, path }: Pending): Promise<boolean> {
  return (await pendingPaths(files, folder, step)).includes(path);
}

async function pendingPaths(files: Files, folder: string, step: string): Promise<readonly string[]> {
  const { pending } = ceremonyPaths(folder);
  if ((await files.status(pending)) === undefined) return [];
  const noted = parseJson(await files.read(pending, PENDING_LIMITS.bytesMax), PENDING_LIMITS);
  const paths = isJsonMap(noted) && noted.get('step') === step ? noted.get('paths') : undefined;
  return isJsonList(paths) ? paths.filter((path) => typeof path === 'string') : [];
}

const TEMPORARY = /^\.secureev-[0-9a-f]{32}\.tmp$/;

/** Removes what a killed process left half written in a folder. */
export async function sweep(files: Files, folder: string): Promise<void> {
  for (const name of await files.list(folder)) {
    if (TEMPORARY.test(name)) await files.remove(`${folder}/${name}`);
  }
}

/** Demands that a custodian's medium is there. @throws CEREMONY_MEDIUM_MISSING */
export async function requireMedium(files: Files, custodian: Custodian): Promise<void> {
  if ((await files.status(custodian.medium))?.kind === 'folder') return;
  throw new SecureevError('CEREMONY_MEDIUM_MISSING', {
    message: `the medium of ${custodian.name} is not there: ${custodian.medium} is no folder`,
    hint: 'put it in and mount it; it is not made, so that nothing lands on the machine itself',
    details: { path: custodian.medium },
  });
}

/** Writes a file, replacing it, and reads it back. @throws CEREMONY_READ_BACK, DISK_FULL, FILE_ACCESS */
export async function writeAndReadBack({ files }: Io, path: string, bytes: Uint8Array): Promise<void> {
  await files.write(path, bytes, { overwrite: true });
  const back = await files.read(path, bytes.length + 1);
  if (!equalBytes(back, bytes)) throw failure('CEREMONY_READ_BACK', `${path} does not read back as it was written`);
}

/** A small text file. @throws FILE_NOT_FOUND, FILE_TOO_LARGE */
export async function readText(files: Files, path: string): Promise<string> {
  return fromUtf8(await files.read(path, 256 * 1024), path);
}
