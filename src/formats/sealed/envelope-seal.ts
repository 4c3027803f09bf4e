/** Sealing the content key into an envelope, and opening one. Invariant: what opens was sealed for exactly this scope. */
import type { Instant, KeyId, Vin } from '../../core/brands.ts';
import { equalBytes } from '../../core/bytes.ts';
import { SecureevError, failure, isFailure } from '../../core/errors.ts';
import type { EngineName } from '../../core/ports.ts';
import { sha256 } from '../../crypto/hash.ts';
import { hpkeOpen, hpkeSeal } from '../../crypto/hpke.ts';
import { kemAlgorithm } from '../../crypto/kems/index.ts';
import type { KemId } from '../../crypto/kems/index.ts';
import { CONTENT_KEY_BYTES } from './content-key.ts';
import { envelopeInfo } from './envelope.ts';
import type { Envelope } from './envelope.ts';
import type { Suite } from './suites.ts';

const NO_AAD = new Uint8Array(0);

/** Whom an envelope is for. */
export interface Recipient {
  /** The vehicle; null for the escrow key. */
  readonly vin: Vin | null;
  readonly kem: KemId;
  /** The raw public key. */
  readonly publicKey: Uint8Array;
  readonly keyId: KeyId;
}

/** What to seal. */
export interface EnvelopeRequest {
  readonly engine: EngineName;
  readonly recipient: Recipient;
  readonly headerBytes: Uint8Array;
  readonly suite: Suite;
  readonly expires: Instant | null;
  /** 32 bytes. */
  readonly contentKey: Uint8Array;
  /** Gives fresh random bytes. */
  readonly random: (count: number) => Uint8Array;
}

/** Seals a content key to a recipient. @throws KEY_MALFORMED */
export function sealEnvelope(request: EnvelopeRequest): Envelope {
  const { engine, recipient, headerBytes, suite, expires, contentKey } = request;
  const kem = kemAlgorithm(recipient.kem);
  const scope = {
    vin: recipient.vin,
    keyId: recipient.keyId,
    headerSha256: sha256(engine, headerBytes),
    suite,
    expires,
  };
  const sealed = hpkeSeal({
    kem,
    engine,
    recipient: recipient.publicKey,
    info: envelopeInfo(scope),
    aad: NO_AAD,
    plaintext: contentKey,
    randomness: request.random(kem.randomnessBytes),
  });
  return { ...scope, ...sealed };
}

/** The recipient's side. */
export interface EnvelopeKey {
  readonly engine: EngineName;
  readonly kem: KemId;
  /** The KEM's secret. */
  readonly secret: Uint8Array;
  readonly keyId: KeyId;
}

/** Whether an envelope is for this key and this payload. */
export function isFor(envelope: Envelope, keyId: KeyId, headerSha256: Uint8Array): boolean {
  return envelope.keyId === keyId && equalBytes(envelope.headerSha256, headerSha256);
}

/** The content key in an envelope, 32 bytes. @throws ENVELOPE_REFUSED, KEY_MALFORMED */
export function openEnvelope(envelope: Envelope, key: EnvelopeKey): Uint8Array {
  if (envelope.keyId !== key.keyId) {
    throw failure('ENVELOPE_REFUSED', `the envelope is for key ${envelope.keyId}, not for ${key.keyId}`);
  }
  const contentKey = openHpke(envelope, key);
  if (contentKey.length !== CONTENT_KEY_BYTES) throw failure('ENVELOPE_REFUSED', 'no content key in the envelope');
  return contentKey;
}

function openHpke(envelope: Envelope, { engine, kem, secret }: EnvelopeKey): Uint8Array {
  const algorithm = kemAlgorithm(kem);
  if (envelope.encapsulated.length !== algorithm.encapsulatedBytes) {
    throw failure('ENVELOPE_REFUSED', `the envelope's encapsulated key has not the size of ${kem}`);
  }
  const { encapsulated, ciphertext } = envelope;
  const info = envelopeInfo(envelope);
  try {
    return hpkeOpen({ kem: algorithm, engine, secret, encapsulated, info, aad: NO_AAD, ciphertext });
  } catch (cause) {
    if (!isFailure(cause, 'DECRYPT_FAILED') && !isFailure(cause, 'KEY_MALFORMED')) throw cause;
    throw new SecureevError('ENVELOPE_REFUSED', {
      message: 'the envelope does not open: it was altered, or is for another payload, vehicle, suite or expiry',
      cause,
    });
  }
}
