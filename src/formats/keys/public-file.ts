/**
 * `NAME.pub`: the public keys of one signer or recipient, classical first, as SPKI PEM with text before each block.
 *
 * Invariants: a key id in the text must be the key's own; a file without text (from other tools) holds signing keys.
 */
import type { Instant } from '../../core/brands.ts';
import { formatInstant } from '../../core/brands.ts';
import { failure } from '../../core/errors.ts';
import { isSignatureId, signatureAlgorithm } from '../../crypto/signatures/index.ts';
import type { KeyPurpose } from './algorithms.ts';
import { decodeKeyText, encodeKeyText, ownerIn, partText, purposeIn, requireWhole } from './key-text.ts';
import type { KeyText } from './key-text.ts';
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
  const blocks = identity.keys.map((key, index) => {
    const { keyId, algorithm } = key;
    const part = partText(index, identity.keys.length);
    const label = hasJwk(algorithm) ? JWK_LABEL : SPKI_LABEL;
    return encodeKeyText({ keyId, part, algorithm, purpose, holder, created }) + encodePem(label, encodePublicKey(key));
  });
  return blocks.join('');
}

/** Reads a `.pub` file. @throws PEM_MALFORMED, KEY_FILE_MALFORMED, KEY_FILE_MISMATCH, KEY_MALFORMED, ALGORITHM_UNKNOWN */
export function decodePublicFile(bytes: Uint8Array): PublicIdentity {
  const blocks = decodePem(bytes);
  const secret = blocks.find((block) => block.label.includes('PRIVATE'));
  if (secret !== undefined)
    throw failure('KEY_FILE_MALFORMED', 'this is a private key file; its .pub file belongs here');
  if (
    blocks.length === 0 ||
    blocks.length > KEYS_MAX ||
    blocks.some(({ label }) => label !== SPKI_LABEL && label !== JWK_LABEL)
  ) {
    throw failure('KEY_FILE_MALFORMED', 'not a public key file: one or two PUBLIC KEY blocks belong here');
  }
  const texts = blocks.map(({ before }) => decodeKeyText(before));
  requireWhole(texts);
  const [text = {}] = texts;
  const purpose = purposeIn(text) ?? 'signing';
  const keys = blocks.map((block, index) => decodeBlock(block, { text: texts[index] ?? {}, purpose }));
  requireOrder(keys);
  return { keys, purpose, ...ownerIn(text) };
}

function decodeBlock(
  block: PemBlock,
  { text, purpose }: { readonly text: KeyText; readonly purpose: KeyPurpose },
): PublicKey {
  const raw = block.label === JWK_LABEL ? decodePublicJwk(block.bytes) : decodeSpki(block.bytes, purpose);
  // A key that no honest signer has is refused where it comes in; of KEM keys this costs an encapsulation, left to those who take them in.
  if (isSignatureId(raw.algorithm)) signatureAlgorithm(raw.algorithm).checkPublicKey('native', raw.bytes);
  const key = makePublicKey(raw.algorithm, raw.bytes);
  const { keyId = key.keyId, algorithm = key.algorithm } = text;
  if (keyId !== key.keyId || algorithm !== key.algorithm) {
    throw failure('KEY_FILE_MISMATCH', `the key id in the text is not that of the key: ${key.keyId}`, {
      keyId: key.keyId,
    });
  }
  return key;
}

/** Two keys of one identity are a classical and a post-quantum one, in this order. @throws KEY_FILE_MALFORMED */
export function requireOrder(keys: readonly PublicKey[]): void {
  const families = keys.map((key) => (isSignatureId(key.algorithm) ? signatureAlgorithm(key.algorithm).family : 'kem'));
  if (keys.length === 1 || families.join() === 'classical,post-quantum') return;
  throw failure('KEY_FILE_MALFORMED', 'two keys of one file are a classical and a post-quantum one, in this order');
}
