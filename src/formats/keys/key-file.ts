/**
 * `NAME.key`: the private keys of one signer or recipient, classical first, as PKCS#8 in PEM, with text before each block.
 *
 * Invariants: what is written is encrypted; the public key is derived from the secret on loading, and where the text names
 * a key id it must be that key's (AES-CBC has no integrity, so nothing else would notice a flipped bit). A file of two
 * keys always has that text.
 */
import { formatInstant, parseKeyId } from '../../core/brands.ts';
import type { Instant } from '../../core/brands.ts';
import { utf8 } from '../../core/bytes.ts';
import { SecureevError, failure, isFailure } from '../../core/errors.ts';
import type { EngineName } from '../../core/ports.ts';
import { purposeOf } from './algorithms.ts';
import type { KeyPurpose } from './algorithms.ts';
import { decodeKeyText, encodeKeyText, ownerIn, partText, purposeIn, requireWhole } from './key-text.ts';
import type { KeyText } from './key-text.ts';
import { IV_BYTES, SALT_BYTES, decryptPbes2, encryptPbes2, passphraseKeys, wrongPassphrase } from './pbes2.ts';
import type { PassphraseKeys } from './pbes2.ts';
import { decodePem, encodePem } from './pem.ts';
import type { PemBlock } from './pem.ts';
import type { PrivateKey } from './pkcs8.ts';
import { PRIVATE_FORMS, privateFormOf } from './private-form.ts';
import { requireOrder } from './public-file.ts';
import type { PublicIdentity } from './public-file.ts';

/** The private keys of one signer or recipient. */
export interface PrivateIdentity {
  /** One key, or a classical and a post-quantum one in this order. */
  readonly keys: readonly PrivateKey[];
  readonly purpose: KeyPurpose;
  readonly holder?: string | undefined;
  readonly created?: Instant | undefined;
}

/** A key file as it lies there, its secrets still closed. What its text says is not proven. */
export interface KeyFile {
  readonly blocks: readonly KeyFileBlock[];
  readonly holder: string | undefined;
  readonly created: Instant | undefined;
  /** Whether a passphrase is needed. */
  readonly encrypted: boolean;
}

/** One block of a key file. */
interface KeyFileBlock {
  readonly label: string;
  readonly bytes: Uint8Array;
  readonly text: KeyText;
}

/** How to open a key file. */
export interface OpenKeyFile {
  readonly engine: EngineName;
  /** Asked for once, and only where something is encrypted. */
  readonly passphrase: () => Promise<Uint8Array>;
  /** What a P-256 key is for where no text says it: `signing` by default. */
  readonly purpose?: KeyPurpose | undefined;
}

/** What encrypting a key file takes. */
export interface KeyFileProtection {
  readonly engine: EngineName;
  readonly passphrase: Uint8Array;
  /** {@link protectionBytes} fresh random bytes. */
  readonly randomness: Uint8Array;
}

const KEYS_MAX = 2;

/** How many random bytes encrypting `keys` keys takes: one salt, so that one derivation opens all, and a start value each. */
export function protectionBytes(keys: number): number {
  return SALT_BYTES + keys * IV_BYTES;
}

/** Writes a `.key` file. */
export async function encodeKeyFile(identity: PrivateIdentity, protection: KeyFileProtection): Promise<string> {
  const { engine, passphrase, randomness } = protection;
  if (randomness.length !== protectionBytes(identity.keys.length))
    throw failure('INTERNAL', 'wrong count of randomness');
  const passphrases = passphraseKeys(engine, passphrase);
  const salt = randomness.subarray(0, SALT_BYTES);
  const created = identity.created === undefined ? undefined : formatInstant(identity.created);
  const { purpose, holder } = identity;
  let text = '';
  for (const [index, key] of identity.keys.entries()) {
    const start = SALT_BYTES + index * IV_BYTES;
    const iv = randomness.subarray(start, start + IV_BYTES);
    const { algorithm, keyId } = key.publicKey;
    const form = privateFormOf(algorithm);
    const encrypted = await encryptPbes2(form.encode(key), passphrases, { salt, iv });
    const part = partText(index, identity.keys.length);
    text += encodeKeyText({ keyId, part, algorithm, purpose, holder, created });
    text += encodePem(form.encryptedLabel, encrypted);
  }
  return text;
}

/** Reads a `.key` file, or a PKCS#8 file of another tool; opens nothing. @throws PEM_MALFORMED, KEY_FILE_MALFORMED */
export function decodeKeyFile(bytes: Uint8Array): KeyFile {
  const blocks = decodePem(bytes).map(decodeBlock);
  const first = blocks[0]?.text;
  if (first === undefined || blocks.length > KEYS_MAX) {
    throw failure(
      'KEY_FILE_MALFORMED',
      `not a key file: ${blocks.length} PEM blocks, one or two private keys belong here`,
    );
  }
  if (blocks.length > 1 && blocks.some(({ text }) => text.keyId === undefined)) {
    throw failure(
      'KEY_FILE_MALFORMED',
      'malformed key file: before each of its two keys stands a key id, and here not',
    );
  }
  requireWhole(blocks.map(({ text }) => text));
  return { blocks, ...ownerIn(first), encrypted: blocks.some(({ label }) => label.startsWith('ENCRYPTED ')) };
}

function decodeBlock(block: PemBlock): KeyFileBlock {
  const text = decodeKeyText(block.before);
  if (!PRIVATE_FORMS.some(({ label, encryptedLabel }) => block.label === label || block.label === encryptedLabel)) {
    throw unusable(block.label);
  }
  if (text.keyId === undefined && Object.keys(text).length > 0) {
    throw failure('KEY_FILE_MALFORMED', 'malformed key file: the text before a key has no key id');
  }
  if (text.keyId !== undefined) parseKeyId(text.keyId);
  return { label: block.label, bytes: block.bytes, text };
}

function unusable(label: string): SecureevError {
  const isPublic = label.startsWith('PUBLIC ');
  const hint = isPublic
    ? 'this is a public key; its .key file belongs here'
    : 'rewrite it with: openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD -out NEW';
  return new SecureevError('KEY_FILE_MALFORMED', { message: `not a PKCS#8 private key: a block ${label}`, hint });
}

/**
 * Opens a key file.
 * @throws PASSPHRASE_WRONG, KEY_FILE_MISMATCH, KEY_MALFORMED, KEY_PARTS_DISAGREE, ALGORITHM_UNKNOWN, KEY_ENCRYPTION_UNKNOWN
 */
export async function openKeyFile(file: KeyFile, opening: OpenKeyFile): Promise<PrivateIdentity> {
  const { engine } = opening;
  const passphrase = file.encrypted ? await opening.passphrase() : new Uint8Array();
  const passphrases = passphraseKeys(engine, passphrase);
  const keys = await Promise.all(
    file.blocks.map((block) => openBlock(block, { passphrases, purpose: opening.purpose ?? 'signing' })),
  );
  requireOrder(keys.map(({ publicKey }) => publicKey));
  const [first] = keys;
  if (first === undefined) throw failure('INTERNAL', 'a key file without a key');
  const { holder, created } = file;
  return { keys, purpose: purposeOf(first.publicKey.algorithm), holder, created };
}

async function openBlock(
  block: KeyFileBlock,
  { passphrases, purpose }: { passphrases: PassphraseKeys; purpose: KeyPurpose },
): Promise<PrivateKey> {
  const form = PRIVATE_FORMS.find(
    ({ label, encryptedLabel }) => block.label === label || block.label === encryptedLabel,
  );
  if (form === undefined) throw unusable(block.label);
  const context = { engine: passphrases.engine, purpose: purposeIn(block.text) ?? purpose };
  if (block.label === form.label) return requireNamed(form.decode(block.bytes, context), block.text);
  const plaintext = await decryptPbes2(block.bytes, passphrases);
  try {
    return requireNamed(form.decode(plaintext, context), block.text);
  } catch (thrown) {
    // Padding that fits by chance: what came out is no key at all.
    throw isFailure(thrown, 'KEY_MALFORMED') ? wrongPassphrase() : thrown;
  } finally {
    plaintext.fill(0);
  }
}

/** What the text says of a key must be so. */
function requireNamed(key: PrivateKey, text: KeyText): PrivateKey {
  const { keyId, algorithm } = key.publicKey;
  const sameAlgorithm = text.algorithm === undefined || text.algorithm === algorithm;
  if ((text.keyId === undefined || text.keyId === keyId) && sameAlgorithm) return key;
  key.secret.fill(0);
  throw new SecureevError('KEY_FILE_MISMATCH', {
    message: `the private key is not the one that the text before it names: it is ${keyId}`,
    hint: 'the file is damaged, or parts of two files were mixed; use a copy',
    details: { named: text.keyId, found: keyId, algorithm },
  });
}

/** The public half. */
export function publicHalf({ keys, purpose, holder, created }: PrivateIdentity): PublicIdentity {
  return { keys: keys.map(({ publicKey }) => publicKey), purpose, holder, created };
}

/** A passphrase as key derivation takes it: its UTF-8, as `openssl` does. */
export function passphraseBytes(passphrase: string): Uint8Array<ArrayBuffer> {
  return utf8(passphrase);
}
