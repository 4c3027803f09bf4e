/** What `keygen --scheme` may say, and which keys each scheme is made of. */
import { quote } from '../../core/brands.ts';
import { SecureevError } from '../../core/errors.ts';
import { KEMS } from '../../crypto/kems/index.ts';
import { SIGNATURES } from '../../crypto/signatures/index.ts';
import type { KeyAlgorithm, KeyPurpose } from '../../formats/keys/algorithms.ts';

/** A scheme. */
export interface KeyScheme {
  readonly id: string;
  readonly purpose: KeyPurpose;
  /** One, or a classical and a post-quantum one in this order. */
  readonly algorithms: readonly KeyAlgorithm[];
}

/** Every scheme; the first of a purpose is its default. */
export const KEY_SCHEMES: readonly KeyScheme[] = [
  { id: 'hybrid', purpose: 'signing', algorithms: ['ecdsa-p256', 'ml-dsa-65'] },
  { id: 'hybrid-ed25519', purpose: 'signing', algorithms: ['ed25519', 'ml-dsa-65'] },
  ...SIGNATURES.filter(({ secretBytes }) => secretBytes > 0).map(({ id }) => single(id, 'signing')),
  { id: 'rsa-3072', purpose: 'signing', algorithms: ['rsa-pss-sha256'] },
  ...KEMS.map(({ id }) => single(id, 'encryption')),
];

function single(id: KeyAlgorithm, purpose: KeyPurpose): KeyScheme {
  return { id, purpose, algorithms: [id] };
}

/** The scheme of `--scheme` and `--purpose`, either of which may be left out. @throws USAGE */
export function chosenScheme(id: string | undefined, purpose: KeyPurpose | undefined): KeyScheme {
  const found = KEY_SCHEMES.find((scheme) =>
    id === undefined ? scheme.purpose === (purpose ?? 'signing') : scheme.id === id,
  );
  if (found === undefined) {
    throw new SecureevError('USAGE', {
      message: `unknown scheme ${quote(id ?? '')}`,
      hint: `schemes: ${KEY_SCHEMES.map((scheme) => scheme.id).join(', ')}`,
    });
  }
  if (purpose !== undefined && found.purpose !== purpose) {
    const fitting = KEY_SCHEMES.filter((scheme) => scheme.purpose === purpose).map((scheme) => scheme.id);
    throw new SecureevError('USAGE', {
      message: `keys of scheme ${found.id} are for ${found.purpose}, not for ${purpose}`,
      hint: `schemes for ${purpose}: ${fitting.join(', ')}`,
    });
  }
  return found;
}

/** The scheme of a key on a token. @throws USAGE */
export function tokenScheme(id: string | undefined): KeyScheme {
  return chosenScheme(id, 'signing');
}
