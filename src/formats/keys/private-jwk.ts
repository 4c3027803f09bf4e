/** Private JSON Web Keys of type AKP. @see jwk.ts */
import { toBase64Url } from '../../core/base64.ts';
import { equalBytes } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import { canonicalJson } from '../json/canonical.ts';
import { jsonMap } from '../json/json.ts';
import { decodeJwk, jwkBytes } from './jwk.ts';
import type { PrivateKey, PrivateKeyContext } from './pkcs8.ts';
import { makePublicKey } from './public-key.ts';
import { algorithmOf, publicKeyOfSecret } from './secret.ts';

/** The private JWK. */
export function encodePrivateJwk({ publicKey, secret }: PrivateKey): Uint8Array<ArrayBuffer> {
  const { algorithm, bytes } = publicKey;
  const [pub, priv] = [toBase64Url(bytes), toBase64Url(secret)];
  return canonicalJson(jsonMap({ alg: algorithm, kty: 'AKP', priv, pub }));
}

/** Reads a private JWK. @throws KEY_MALFORMED, KEY_PARTS_DISAGREE, ALGORITHM_UNKNOWN */
export function decodePrivateJwk(json: Uint8Array, { engine }: PrivateKeyContext): PrivateKey {
  const { map, algorithm, publicKey } = decodeJwk(json, ['alg', 'kty', 'priv', 'pub']);
  const secret = jwkBytes(map, 'priv', algorithmOf(algorithm).secretBytes);
  const derived = publicKeyOfSecret(algorithm, { engine, secret });
  if (!equalBytes(derived, publicKey)) {
    throw failure('KEY_PARTS_DISAGREE', 'the private key disagrees with the public key in it');
  }
  return { publicKey: makePublicKey(algorithm, derived), secret };
}
