/**
 * What one key signed offline: a chained file per key, its head signed by the key itself.
 *
 * Invariants: an entry is on disk before the signature it stands for leaves; one step (repository, role, version) has
 * one payload for ever; a journal that was changed or shortened is refused; two processes do not write it at once.
 */
import { concatBytes, fromUtf8, toHex, utf8 } from '../../core/bytes.ts';
import { failure, isFailure, SecureevError } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import { isSignatureId, signatureAlgorithm } from '../../crypto/signatures/index.ts';
import { COSE_SIGN_BYTES_MAX, coseToBeSigned, decodeCoseSign, encodeCoseSign } from '../../formats/cose/cose-sign.ts';
import { jsonMap } from '../../formats/json/json.ts';
import {
  TRANSCRIPT_BYTES_MAX,
  decodeTranscript,
  encodeTranscriptLine,
  transcriptToSign,
} from '../../formats/transcript/transcript.ts';
import type { Transcript, TranscriptHead } from '../../formats/transcript/transcript.ts';
import type { SignerKey } from '../../signers/signer.ts';

const LINE_FEED = 0x0a;

/** A payload about to be signed. */
export interface JournalNote {
  /** `sign:KIND:REPOSITORY:ROLE:VERSION`. */
  readonly step: string;
  /** SHA-256 of the payload, 32 bytes. */
  readonly payload: Uint8Array;
  /** SHA-256 of the request file, 32 bytes. */
  readonly request: Uint8Array;
}

/** How long a process may hold a journal; what a crash left behind is taken over after that. */
const LOCK_SECONDS = 60;
const LOCK_BYTES_MAX = 64;

/**
 * Notes a payload in the journal of `key` in `folder`.
 *
 * @throws REQUEST_JOURNAL_CONFLICT, REQUEST_JOURNAL_BUSY, TRANSCRIPT_BROKEN, FILE_ACCESS
 */
export async function noteInJournal(io: Io, at: { folder: string; key: SignerKey }, note: JournalNote): Promise<void> {
  const base = `${at.folder}/${at.key.publicKey.keyId}`;
  await using _lock = await lockJournal(io, `${base}.lock`);
  await noteLocked(io, { base, key: at.key }, note);
}

/** Holds the journal until disposed of. @throws REQUEST_JOURNAL_BUSY */
async function lockJournal(io: Io, path: string): Promise<AsyncDisposable> {
  const own = utf8(`${io.clock.now()} ${toHex(io.random.bytes(16))}`);
  const since = Number(fromUtf8(await readOrEmpty(io, path, LOCK_BYTES_MAX)).split(' ')[0]);
  if (!(Math.abs(io.clock.now() - since) <= LOCK_SECONDS)) await io.files.remove(path);
  try {
    await io.files.write(path, own, { mode: 0o600 });
  } catch (thrown) {
    if (!isFailure(thrown, 'FILE_EXISTS')) throw thrown;
    throw new SecureevError('REQUEST_JOURNAL_BUSY', {
      message: `another process signs with this journal: ${path}`,
      hint: `try again when it is through; one that has crashed is waited for ${LOCK_SECONDS} s`,
      details: { path },
    });
  }
  return { [Symbol.asyncDispose]: () => io.files.remove(path) };
}

async function noteLocked(io: Io, { base, key }: { base: string; key: SignerKey }, note: JournalNote): Promise<void> {
  const bytes = await readOrEmpty(io, `${base}.jsonl`, TRANSCRIPT_BYTES_MAX);
  const journal = decodeTranscript(bytes);
  await requireOwnHead(io, { path: `${base}.cose`, key, bytes });
  if (alreadyNoted(journal, note, key)) return;
  const entry = {
    time: io.clock.now(),
    step: note.step,
    outcome: 'done' as const,
    initials: [],
    facts: jsonMap({ payload: toHex(note.payload), request: toHex(note.request) }),
  };
  const { line, head } = encodeTranscriptLine(entry, journal.head);
  const signed = await signHead(key, head);
  await io.files.write(`${base}.jsonl`, concatBytes(bytes, line), { mode: 0o600, overwrite: true });
  await io.files.write(`${base}.cose`, signed, { mode: 0o600, overwrite: true });
  // Whoever took the lock over meanwhile may have written the journal as it was before: then nothing is signed.
  if (alreadyNoted(decodeTranscript(await readOrEmpty(io, `${base}.jsonl`, TRANSCRIPT_BYTES_MAX)), note, key)) return;
  throw failure('REQUEST_JOURNAL_BUSY', `${base}.jsonl has changed meanwhile: nothing was signed`);
}

function alreadyNoted(journal: Transcript, note: JournalNote, key: SignerKey): boolean {
  const before = journal.entries.find((entry) => entry.step === note.step);
  if (before === undefined) return false;
  if (before.facts.get('payload') === toHex(note.payload)) return true;
  throw failure(
    'REQUEST_JOURNAL_CONFLICT',
    `key ${key.publicKey.keyId} has signed another payload for ${note.step.replace(/^sign:/, '')} already`,
    { step: note.step, found: toHex(note.payload) },
  );
}

async function readOrEmpty(io: Io, path: string, maxBytes: number): Promise<Uint8Array> {
  try {
    return await io.files.read(path, maxBytes);
  } catch (thrown) {
    if (isFailure(thrown, 'FILE_NOT_FOUND')) return new Uint8Array();
    throw thrown;
  }
}

/** The head as the key signed it; a crash may have left one line more than that. */
async function requireOwnHead(io: Io, at: { path: string; key: SignerKey; bytes: Uint8Array }): Promise<void> {
  const { key, bytes } = at;
  const { keyId } = key.publicKey;
  const stored = await readOrEmpty(io, at.path, COSE_SIGN_BYTES_MAX);
  const own = stored.length === 0 ? undefined : decodeCoseSign(stored).find((signature) => signature.keyId === keyId);
  const withoutLast = decodeTranscript(bytes.subarray(0, bytes.lastIndexOf(LINE_FEED, bytes.length - 2) + 1));
  const heads = [decodeTranscript(bytes).head, withoutLast.head];
  const isFirst = stored.length === 0 && withoutLast.head.length === 0;
  const isSigned = own !== undefined && heads.some((head) => verifies(io, { key, head, signature: own.signature }));
  if (!isFirst && !isSigned)
    throw failure('TRANSCRIPT_BROKEN', `the journal of key ${keyId} is not as this key left it`);
}

function verifies(io: Io, of: { key: SignerKey; head: TranscriptHead; signature: Uint8Array }): boolean {
  const { publicKey } = of.key;
  const message = headMessage(of.key, of.head);
  try {
    signatureAlgorithm(publicKey.algorithm).verify({
      engine: io.engine,
      publicKey: publicKey.bytes,
      message,
      signature: of.signature,
    });
    return true;
  } catch (thrown) {
    if (isFailure(thrown, 'SIGNATURE_INVALID')) return false;
    throw thrown;
  }
}

async function signHead(key: SignerKey, head: TranscriptHead): Promise<Uint8Array> {
  const { algorithm, keyId } = key.publicKey;
  if (!isSignatureId(algorithm)) throw failure('ALGORITHM_UNKNOWN', `${algorithm} does not sign`);
  return encodeCoseSign([{ algorithm, keyId, signature: await key.sign(headMessage(key, head)) }]);
}

function headMessage(key: SignerKey, head: TranscriptHead): Uint8Array {
  const { algorithm, keyId } = key.publicKey;
  if (!isSignatureId(algorithm)) throw failure('ALGORITHM_UNKNOWN', `${algorithm} does not sign`);
  return coseToBeSigned({ algorithm, keyId, ...transcriptToSign(head, 'journal') });
}
