/** Finds a key's envelope in a file and opens it. Needs no repository. */
import { itemsAtPath } from '../../core/at-path.ts';
import type { KeyId } from '../../core/brands.ts';
import { SecureevError, failure } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import { sha256 } from '../../crypto/hash.ts';
import { isKemId } from '../../crypto/kems/index.ts';
import { openFileKey } from '../../formats/sealed/content-key.ts';
import { decodeEnvelopes } from '../../formats/sealed/envelope.ts';
import type { Envelope } from '../../formats/sealed/envelope.ts';
import { isFor, openEnvelope } from '../../formats/sealed/envelope-seal.ts';
import type { PayloadPrefix } from '../../formats/sealed/header.ts';
import { openDecryptionKey } from '../../signers/index.ts';
import type { DecryptionKey, PassphraseChoice } from '../../signers/index.ts';

/** How many envelopes for one key are tried: a file with more was made to keep us busy. */
const TRIED_MAX = 16;

/** An opened envelope. */
export interface OpenedEnvelope {
  readonly envelope: Envelope;
  /** 32 bytes. */
  readonly contentKey: Uint8Array;
  /** The payload's AES key, 32 bytes; its commitment was right. */
  readonly fileKey: Uint8Array;
}

/** A recipient's private key, and what opening it takes. */
export interface ChosenKey {
  /** A signer address. */
  readonly key: string;
  readonly passphrases: PassphraseChoice;
  readonly rehearsal?: boolean | undefined;
}

/** Opens the decryption key at an address. @throws KEY_UNSUITABLE, and what its backend throws */
export function openKey(io: Io, chosen: ChosenKey): Promise<DecryptionKey> {
  const { key, passphrases, rehearsal } = chosen;
  return openDecryptionKey(key, { io, passphrases, rehearsal });
}

/** Opens the key, then its envelope in the file `path`. @throws FILE_NOT_FOUND, and as {@link openKey} and {@link openForKey} */
export async function openFromFile(
  io: Io,
  chosen: ChosenKey,
  from: { readonly path: string; readonly prefix: PayloadPrefix },
): Promise<OpenedEnvelope> {
  const { path, prefix } = from;
  if ((await io.files.status(path)) === undefined) {
    throw failure('FILE_NOT_FOUND', `no envelopes: ${path} is not there`, { path, flag: '--envelopes' });
  }
  using key = await openKey(io, chosen);
  return await openForKey(io, envelopesIn(io, path), { key, prefix });
}

/** The envelopes of a file, in order. @throws ENVELOPE_MALFORMED, FILE_NOT_FOUND, FILE_ACCESS */
export async function* envelopesIn(io: Io, path: string): AsyncGenerator<Envelope> {
  await using file = await io.files.open(path);
  yield* itemsAtPath(path, decodeEnvelopes(file.stream()));
}

/**
 * The content key of a payload from the first of `envelopes` that is for this key and opens.
 *
 * @throws ENVELOPE_NOT_FOUND, ENVELOPE_REFUSED, SEALED_COMMITMENT, ENVELOPE_MALFORMED
 */
export async function openForKey(
  io: Io,
  envelopes: AsyncIterable<Envelope> | Iterable<Envelope>,
  opening: { readonly key: DecryptionKey; readonly prefix: PayloadPrefix },
): Promise<OpenedEnvelope> {
  const { key, prefix } = opening;
  const { keyId } = key.publicKey;
  const headerSha256 = sha256(io.engine, prefix.headerBytes);
  let refused: unknown;
  let tried = 0;
  for await (const envelope of envelopes) {
    if (!isFor(envelope, keyId, headerSha256)) continue;
    if (++tried > TRIED_MAX) break;
    try {
      return openOne(io, envelope, opening);
    } catch (thrown) {
      refused ??= thrown;
    }
  }
  throw refused ?? notFound(keyId);
}

function openOne(
  io: Io,
  envelope: Envelope,
  { key, prefix }: { readonly key: DecryptionKey; readonly prefix: PayloadPrefix },
): OpenedEnvelope {
  const { algorithm, keyId } = key.publicKey;
  if (!isKemId(algorithm)) throw failure('KEY_UNSUITABLE', `a key of ${algorithm} decrypts nothing`);
  if (envelope.suite.code !== prefix.header.suite.code) {
    throw failure('ENVELOPE_REFUSED', `the envelope is for suite ${envelope.suite.name}, not for the payload's`);
  }
  const contentKey = openEnvelope(envelope, { engine: io.engine, kem: algorithm, secret: key.secret, keyId });
  return { envelope, contentKey, fileKey: openFileKey(io.engine, contentKey, prefix) };
}

function notFound(keyId: KeyId): SecureevError {
  return new SecureevError('ENVELOPE_NOT_FOUND', {
    message: `no envelope of this payload is for key ${keyId}`,
    hint: 'is it the right key, and the envelope file of this payload?',
    details: { keyId },
  });
}
