/** Key files of `fixtures/keys`, and key files that open fast. */
import { pbkdf2Sync, createCipheriv } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { KeyAlgorithm } from '../formats/keys/algorithms.ts';
import { derIntegerOf, derNull, derOctetsOf, derOidOf, derSequenceOf, encodeDer } from '../formats/keys/der.ts';
import { encodeKeyText, partText } from '../formats/keys/key-text.ts';
import type { PrivateIdentity } from '../formats/keys/key-file.ts';
import { encodePem } from '../formats/keys/pem.ts';
import type { PrivateKey } from '../formats/keys/pkcs8.ts';
import { privateFormOf } from '../formats/keys/private-form.ts';
import { makePublicKey } from '../formats/keys/public-key.ts';
import { algorithmOf, publicKeyOfSecret } from '../formats/keys/secret.ts';

/** The passphrase of all encrypted fixtures. */
export const FIXTURE_PASSPHRASE = 'correct horse battery staple';

/** Reads `fixtures/keys/NAME`. */
export function keyFixture(name: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(new URL(`../../fixtures/keys/${name}`, import.meta.url)));
}

/** A golden key file. */
export interface KeyVector {
  readonly file: string;
  readonly purpose: 'signing' | 'encryption';
  readonly holder: string;
  readonly created: string;
  readonly randomness: string;
  readonly keys: readonly { readonly algorithm: KeyAlgorithm; readonly secret: string; readonly keyId: string }[];
}

/** The golden key files of `fixtures/keys/ours`. */
export function keyVectors(): readonly KeyVector[] {
  const parsed: { cases: readonly KeyVector[] } = JSON.parse(new TextDecoder().decode(keyFixture('ours/vectors.json')));
  if (parsed.cases.length === 0) throw new Error('no key vectors');
  return parsed.cases;
}

/** A key of a constant secret. */
export function constantKey(algorithm: KeyAlgorithm, byte = 7): PrivateKey {
  const secret = new Uint8Array(algorithmOf(algorithm).secretBytes).fill(byte);
  return { publicKey: makePublicKey(algorithm, publicKeyOfSecret(algorithm, { engine: 'native', secret })), secret };
}

/** PBES2 with PBKDF2 of one iteration, so that a test can open many files. */
export function weaklyEncrypted(plaintext: Uint8Array, passphrase = FIXTURE_PASSPHRASE): Uint8Array<ArrayBuffer> {
  const [salt, iv] = [new Uint8Array(8).fill(1), new Uint8Array(16).fill(2)];
  const prf = derSequenceOf(derOidOf('1.2.840.113549.2.9'), derNull());
  const parameters = derSequenceOf(derOctetsOf(salt), derIntegerOf(1), prf);
  const kdf = derSequenceOf(derOidOf('1.2.840.113549.1.5.12'), parameters);
  const cipher = derSequenceOf(derOidOf('2.16.840.1.101.3.4.1.42'), derOctetsOf(iv));
  const algorithm = derSequenceOf(derOidOf('1.2.840.113549.1.5.13'), derSequenceOf(kdf, cipher));
  const aes = createCipheriv('aes-256-cbc', pbkdf2Sync(passphrase, salt, 1, 32, 'sha256'), iv);
  const ciphertext = Buffer.concat([aes.update(plaintext), aes.final()]);
  return encodeDer(derSequenceOf(algorithm, derOctetsOf(ciphertext)));
}

/** A key file as ours but for its cheap key derivation. */
export function weakKeyFile({ keys, purpose, holder }: PrivateIdentity): string {
  return keys
    .map((key, index) => {
      const { keyId, algorithm } = key.publicKey;
      const form = privateFormOf(algorithm);
      const text = encodeKeyText({ keyId, part: partText(index, keys.length), algorithm, purpose, holder });
      return text + encodePem(form.encryptedLabel, weaklyEncrypted(form.encode(key)));
    })
    .join('');
}
