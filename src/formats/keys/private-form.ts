/**
 * How a private key stands in a PEM block: as PKCS#8 where its algorithm has an object identifier, else as a JSON Web Key.
 */
import type { KeyAlgorithm } from './algorithms.ts';
import { hasJwk } from './jwk.ts';
import { decodePkcs8, encodePkcs8 } from './pkcs8.ts';
import type { PrivateKey, PrivateKeyContext } from './pkcs8.ts';
import { decodePrivateJwk, encodePrivateJwk } from './private-jwk.ts';

/** One form. */
interface PrivateForm {
  readonly label: string;
  /** The label where PBES2 is around it. */
  readonly encryptedLabel: string;
  encode(key: PrivateKey): Uint8Array<ArrayBuffer>;
  decode(bytes: Uint8Array, context: PrivateKeyContext): PrivateKey;
}

const PKCS8: PrivateForm = {
  label: 'PRIVATE KEY',
  encryptedLabel: 'ENCRYPTED PRIVATE KEY',
  encode: encodePkcs8,
  decode: decodePkcs8,
};

const JWK: PrivateForm = {
  label: 'PRIVATE JWK',
  encryptedLabel: 'ENCRYPTED PRIVATE JWK',
  encode: encodePrivateJwk,
  decode: decodePrivateJwk,
};

/** Every form. */
export const PRIVATE_FORMS: readonly PrivateForm[] = [PKCS8, JWK];

/** The form of an algorithm's keys. */
export function privateFormOf(algorithm: KeyAlgorithm): PrivateForm {
  return hasJwk(algorithm) ? JWK : PKCS8;
}
