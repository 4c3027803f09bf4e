/**
 * What one key signed offline: a chained file per key, its head signed by the key itself.
 *
 * Invariants: an entry is on disk before the signature it stands for leaves; one step (repository, role, version) has
 * one payload for ever; a journal that was changed or shortened is refused.
 */
import { concatBytes, toHex } from '../../core/bytes.ts';
import { failure, isFailure } from '../../core/errors.ts';
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

/** Notes a payload in the journal of `key` in `folder`. @throws REQUEST_JOURNAL_CONFLICT, TRANSCRIPT_BROKEN, FILE_ACCESS */
export async function noteInJournal(io: Io, at: { folder: string; key: SignerKey }, note: JournalNote): Promise<void> {
  const { folder, key } = at;
  const base = `${folder}/${key.publicKey.keyId}`;
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
