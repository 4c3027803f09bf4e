/**
 * `NAME.pub`: the public keys of one signer or recipient, classical first, as SPKI PEM with text before each block.
 *
 * Invariants: a key id in the text must be the key's own; a file without text (from other tools) holds signing keys.
 */
import type { Instant } from '../../core/brands.ts';
import { formatInstant, parseInstant } from '../../core/brands.ts';
import { failure } from '../../core/errors.ts';
import { isSignatureId, signatureAlgorithm } from '../../crypto/signatures/index.ts';
import type { KeyPurpose } from './algorithms.ts';
import { decodeKeyText, encodeKeyText, parseHolder } from './key-text.ts';
import { decodePublicJwk, hasJwk } from './jwk.ts';
import { decodePem, encodePem } from './pem.ts';
import type { PemBlock } from './pem.ts';
import { encodePublicKey, makePublicKey } from './public-key.ts';
import type { PublicKey } from './public-key.ts';
import { decodeSpki } from './spki.ts';

/** Whom a public file names. */
export interface PublicIdentity {
  /** One key, or a classical and a post-quantum one in this order. */
  readonly keys: readonly PublicKey[];
  readonly purpose: KeyPurpose;
  readonly holder?: string | undefined;
  readonly created?: Instant | undefined;
}

const KEYS_MAX = 2;
const SPKI_LABEL = 'PUBLIC KEY';
const JWK_LABEL = 'PUBLIC JWK';

/** Writes a `.pub` file. */
export function encodePublicFile(identity: PublicIdentity): string {
  const { purpose, holder } = identity;
  const created = identity.created === undefined ? undefined : formatInstant(identity.created);
  const blocks = identity.keys.map((key) => {
    const { keyId, algorithm } = key;
    const label = hasJwk(algorithm) ? JWK_LABEL : SPKI_LABEL;
    return encodeKeyText({ keyId, algorithm, purpose, holder, created }) + encodePem(label, encodePublicKey(key));
  });
  return blocks.join('');
}

/** Reads a `.pub` file. @throws PEM_MALFORMED, KEY_MALFORMED, ALGORITHM_UNKNOWN */
export function decodePublicFile(bytes: Uint8Array): PublicIdentity {
  const blocks = decodePem(bytes);
  const secret = blocks.find((block) => block.label.includes('PRIVATE'));
  if (secret !== undefined) throw failure('KEY_MALFORMED', 'this is a private key file; its .pub file belongs here');
  if (
    blocks.length === 0 ||
    blocks.length > KEYS_MAX ||
    blocks.some(({ label }) => label !== SPKI_LABEL && label !== JWK_LABEL)
  ) {
    throw failure('KEY_MALFORMED', 'not a public key file: one or two PUBLIC KEY blocks belong here');
  }
  const purpose = purposeOfBlocks(blocks);
  const text = decodeKeyText(blocks[0]?.before ?? []);
  const keys = blocks.map((block) => decodeBlock(block, purpose));
  requireOrder(keys);
  return {
    keys,
    purpose,
    holder: text.holder === undefined ? undefined : parseHolder(text.holder),
    created: text.created === undefined ? undefined : parseInstant(text.created, 'created'),
  };
}

function purposeOfBlocks(blocks: readonly PemBlock[]): KeyPurpose {
  const purposes = new Set(blocks.map((block) => decodeKeyText(block.before).purpose ?? 'signing'));
  const [purpose, ...more] = purposes;
  if ((purpose !== 'signing' && purpose !== 'encryption') || more.length > 0) {
    throw failure('KEY_MALFORMED', 'malformed public key file: its purpose is not signing or encryption');
  }
  return purpose;
}

function decodeBlock(block: PemBlock, purpose: KeyPurpose): PublicKey {
  const text = decodeKeyText(block.before);
  const raw = block.label === JWK_LABEL ? decodePublicJwk(block.bytes) : decodeSpki(block.bytes, purpose);
  const key = makePublicKey(raw.algorithm, raw.bytes);
  if (text.keyId !== undefined && text.keyId !== key.keyId) {
    throw failure('KEY_MALFORMED', `the key id in the text is not that of the key: ${key.keyId}`, { keyId: key.keyId });
  }
  return key;
}

/** Two keys of one identity are a classical and a post-quantum one, in this order. @throws KEY_MALFORMED */
export function requireOrder(keys: readonly PublicKey[]): void {
  const families = keys.map((key) => (isSignatureId(key.algorithm) ? signatureAlgorithm(key.algorithm).family : 'kem'));
  if (keys.length === 1 || families.join() === 'classical,post-quantum') return;
  throw failure('KEY_MALFORMED', 'two keys of one file are a classical and a post-quantum one, in this order');
}
