/**
 * `verify blob`: a sealed payload under a pinned root, offline, in one pass, as a list of named checks.
 *
 * Invariants: nothing is written; what needs metadata or a key is skipped without, and says so. Contents that open prove
 * that they are whole, and, where Targets lists them, that they are what was released; who signed the bundle is for
 * `verify bundle` to say.
 */
import type { TargetName } from '../../core/brands.ts';
import { parseTargetName } from '../../core/brands.ts';
import { toHex } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import type { SecureevError } from '../../core/errors.ts';
import type { InputFile, Io, OutputFile } from '../../core/ports.ts';
import type { Check } from '../../core/report.ts';
import { sha256 } from '../../crypto/hash.ts';
import { isJsonMap } from '../../formats/json/json.ts';
import type { Json } from '../../formats/json/json.ts';
import type { TargetFile } from '../../formats/metadata/types.ts';
import type { PayloadPrefix } from '../../formats/sealed/header.ts';
import type { PassphraseChoice } from '../../signers/index.ts';
import { loadDelegated, requireTarget } from '../../trust/find-target.ts';
import { compareTarget } from '../../trust/target-check.ts';
import { hashFile } from '../repository/copy-verified.ts';
import { checkBook, refusalFrom, refusalOf } from './check-book.ts';
import type { CheckBook } from './check-book.ts';
import { readPrefix } from './decrypt.ts';
import { envelopesIn, openForKey, openKey } from './envelope-opening.ts';
import { establishTrust, readPinnedRoot } from './pinned-trust.ts';
import type { PinnedTrust, Trusted } from './pinned-trust.ts';
import { envelopesBeside } from './sealed-names.ts';
import { openFile } from './sealed-payload.ts';
import type { HashedFile } from './sealed-payload.ts';

/** The checks, in their order. */
export const BLOB_CHECKS = {
  structure: 'header and size are well-formed',
  envelopes: 'envelopes are well-formed, for this payload, and one is for the escrow key',
  contents: 'the envelope opens, commits to the payload, and every chunk is authentic',
  metadata: 'metadata chain from the pinned root to Targets, unexpired',
  target: 'length and hashes of the payload are in Targets',
  'clear-target': 'length and hashes of the contents are in Targets',
} as const;

/** The id of a check of {@link BLOB_CHECKS}. */
export type BlobCheckId = keyof typeof BLOB_CHECKS;

/** What to verify and under what. */
export interface VerifyBlobInput extends PinnedTrust {
  readonly blob: string;
  /** `NAME.sevk` beside the blob where it is left out. */
  readonly envelopes?: string | undefined;
  /** A recipient's private key; without it the contents are not checked. */
  readonly key?: string | undefined;
  readonly passphrases: PassphraseChoice;
  /** The name the payload is listed under; found by its hash in top-level Targets where it is left out. */
  readonly target?: TargetName | undefined;
  /** Ids of checks that may be skipped. */
  readonly allowSkip: readonly string[];
}

/** What was found. */
export interface BlobVerdict {
  readonly checks: readonly Check[];
  /** Why the blob is refused; undefined where it is good. */
  readonly refusal: SecureevError | undefined;
  readonly suite: string | undefined;
  readonly target: string | undefined;
}

type Book = CheckBook<BlobCheckId>;

/** Verifies a blob; one that is not good is a verdict, not an exception. @throws FILE_*, ROOT_INSIDE_TREE, INTERRUPTED, and what opening the key throws */
export async function verifyBlob(input: VerifyBlobInput, io: Io): Promise<BlobVerdict> {
  const book = checkBook<BlobCheckId>(BLOB_CHECKS);
  const trusted = await checkMetadata(book, input, io);
  await using blob = await io.files.open(input.blob);
  const read = await attempt(book, 'structure', () => readPrefix(blob));
  const work = { book, input, io, blob };
  const measured = read && (await checkPayload(work, read));
  const target = measured && trusted && (await checkTargets(work, { trusted, ...measured }));
  const checks = book.list();
  return {
    checks,
    refusal: refusalFrom(checks, input.allowSkip),
    suite: read?.prefix.header.suite.name,
    target,
  };
}

/** One verification under way. */
interface Work {
  readonly book: Book;
  readonly input: VerifyBlobInput;
  readonly io: Io;
  readonly blob: InputFile;
}

interface Measured {
  readonly sealed: HashedFile;
  /** Undefined where the contents were not opened. */
  readonly clear: HashedFile | undefined;
}

/** Runs one check; a refusal is its outcome. */
async function attempt<T>(book: Book, id: BlobCheckId, work: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (thrown) {
    book.fail(id, refusalOf(thrown));
    return undefined;
  }
}

async function checkMetadata(book: Book, input: VerifyBlobInput, io: Io): Promise<Trusted | undefined> {
  const pinnedRoot = await readPinnedRoot(io, input);
  const trusted = await attempt(book, 'metadata', () => establishTrust(io, pinnedRoot, input));
  if (trusted === undefined) return undefined;
  if (trusted.source !== undefined) {
    const { root, targets } = trusted.set;
    const version = targets.get('targets')?.file.verified.signed.version ?? 0;
    book.pass('metadata', `root ${root.verified.signed.version}, targets ${version}`);
    return trusted;
  }
  for (const id of ['metadata', 'target', 'clear-target'] as const) {
    book.skip(id, 'no metadata was given (--metadata)');
  }
  return undefined;
}

interface Prefix {
  readonly prefix: PayloadPrefix;
  readonly prefixBytes: Uint8Array;
}

/** Envelopes and contents; undefined where the contents are bad. */
async function checkPayload(work: Work, read: Prefix): Promise<Measured | undefined> {
  const { book, input, io } = work;
  const { header } = read.prefix;
  book.pass(
    'structure',
    `suite ${header.suite.name}, ${header.plaintextBytes} bytes in chunks of ${header.chunkBytes}`,
  );
  const path = input.envelopes ?? envelopesBeside(input.blob);
  await checkEnvelopes(work, path, read.prefix);
  if (input.key !== undefined) return checkContents(work, { ...read, path, key: input.key });
  book.skip('contents', 'no key was given (--key)');
  book.skip('clear-target', 'no key was given (--key)');
  return { sealed: await hashFile(io, input.blob), clear: undefined };
}

async function checkEnvelopes({ book, io }: Work, path: string, prefix: PayloadPrefix): Promise<void> {
  if ((await io.files.status(path)) === undefined) {
    book.skip('envelopes', `${path} is not there (--envelopes)`);
    return;
  }
  await attempt(book, 'envelopes', async () => {
    const headerSha256 = toHex(sha256(io.engine, prefix.headerBytes));
    let vehicles = 0;
    let escrow = 0;
    for await (const envelope of envelopesIn(io, path)) {
      if (toHex(envelope.headerSha256) !== headerSha256 || envelope.suite.code !== prefix.header.suite.code) {
        throw failure('ENVELOPE_REFUSED', `${path} holds an envelope of another payload`);
      }
      if (envelope.vin === null) escrow += 1;
      else vehicles += 1;
    }
    const counted = `${vehicles} for vehicles, ${escrow} for the escrow key`;
    if (escrow === 0) book.skip('envelopes', `${counted}: an extract`);
    else book.pass('envelopes', counted);
  });
}

async function checkContents(
  { book, input, io, blob }: Work,
  opening: Prefix & { readonly path: string; readonly key: string },
): Promise<Measured | undefined> {
  const { prefix, prefixBytes, path } = opening;
  using key = await openKey(io, { key: opening.key, passphrases: input.passphrases });
  return await attempt(book, 'contents', async () => {
    const { fileKey, envelope } = await openForKey(io, envelopesIn(io, path), { key, prefix });
    const output = nowhere();
    const measured = await openFile(io, { input: blob, output }, { prefix, prefixBytes, fileKey });
    book.pass('contents', `by the envelope for ${envelope.vin ?? 'the escrow key'}`);
    return measured;
  });
}

/** Where the plaintext goes while it is only checked. */
function nowhere(): OutputFile {
  const nothing = async (): Promise<void> => undefined;
  return { path: 'nowhere', write: nothing, writeAt: nothing, commit: nothing, [Symbol.asyncDispose]: nothing };
}

/** The payload and its contents against Targets; gives the payload's target. */
async function checkTargets(
  { book, input }: Work,
  found: Measured & { readonly trusted: Trusted },
): Promise<string | undefined> {
  const { trusted, sealed, clear } = found;
  const listed = await attempt(book, 'target', async () => {
    const name = input.target ?? (await listedUnder(trusted, sealed));
    const target = await listedTarget(trusted, name);
    compareTarget(name, target, asListed(sealed));
    book.pass('target', name);
    return { name, encrypted: target.custom?.get('encrypted') };
  });
  if (listed === undefined || clear === undefined) return listed?.name;
  await attempt(book, 'clear-target', async () => {
    const name = clearNameIn(listed.encrypted);
    compareTarget(name, await listedTarget(trusted, name), asListed(clear));
    book.pass('clear-target', name);
  });
  return listed.name;
}

async function listedTarget({ set, source }: Trusted, name: TargetName): Promise<TargetFile> {
  if (source === undefined) throw failure('INTERNAL', 'a search without metadata');
  return (await requireTarget({ source }, set, { name })).found.verified.target;
}

function asListed(file: HashedFile): { length: number; hashes: ReadonlyMap<string, string> } {
  return { length: file.sizeBytes, hashes: new Map([['sha256', toHex(file.sha256)]]) };
}

/** The target with the payload's hash, in Targets or a role that it delegates to; bins are not looked through. @throws TRUST_TARGET_NOT_FOUND */
async function listedUnder({ set, source }: Trusted, sealed: HashedFile): Promise<TargetName> {
  const hash = toHex(sealed.sha256);
  const { targets } = source === undefined ? set : await loadDelegated({ source }, set);
  for (const { file } of targets.values()) {
    for (const [name, target] of file.verified.signed.targets) {
      if (target.hashes.get('sha256') === hash) return parseTargetName(name);
    }
  }
  throw failure('TRUST_TARGET_NOT_FOUND', 'no role but bins lists a file with the SHA-256 of the payload', {
    sha256: hash,
    flag: '--target',
  });
}

/** What the sealed target says it holds. @throws SEALED_NOT_THE_TARGET, VALUE_MALFORMED */
function clearNameIn(encrypted: Json | undefined): TargetName {
  const name = isJsonMap(encrypted) ? encrypted.get('target') : undefined;
  if (typeof name === 'string') return parseTargetName(name);
  throw failure('SEALED_NOT_THE_TARGET', 'Targets does not say which target the payload holds');
}
