/**
 * ML-KEM-512, -768 and -1024. Secret: the 64-byte seed (d || z), or the expanded key of FIPS 203
 * where no seed was kept. Public key and ciphertext as FIPS 203 encodes them.
 *
 * The runtime's encapsulation draws its own randomness: it takes none.
 *
 * @see FIPS 203; draft-ietf-hpke-pq section 3
 */
import * as nodeCrypto from 'node:crypto';
import { failure } from '../../core/errors.ts';
import type { EngineName } from '../../core/ports.ts';
import { NATIVE } from '../engine.ts';
import { demandBytes, keyMalformed, orThrow, plainBytes } from '../key-bytes.ts';
import { nativePublicKey, nativeSecretKey } from '../native-keys.ts';
import { noble, type Noble } from '../noble.ts';
import type { DecapsulateRequest, EncapsulateRequest, Encapsulation, KemAlgorithm } from './algorithm.ts';

const SEED_BYTES = 64;
const RANDOMNESS_BYTES = 32;
const SHARED_SECRET_BYTES = 32;
/** An SPKI is its raw key behind this many bytes. */
const SPKI_PREFIX_BYTES = 22;

type MlKemId = 'ML-KEM-512' | 'ML-KEM-768' | 'ML-KEM-1024';

interface Parameters<Id extends MlKemId> {
  readonly id: Id;
  readonly hpkeId: number;
  readonly native: 'ml-kem-512' | 'ml-kem-768' | 'ml-kem-1024';
  readonly nobleName: 'ml_kem512' | 'ml_kem768' | 'ml_kem1024';
  /** Of the expanded key. */
  readonly expandedBytes: number;
  readonly publicKeyBytes: number;
  readonly encapsulatedBytes: number;
}

function mlKem<const Id extends MlKemId>(parameters: Parameters<Id>): KemAlgorithm & { readonly id: Id } {
  const { id, hpkeId, publicKeyBytes, encapsulatedBytes } = parameters;
  const publicKeyOf = (engine: EngineName, secret: Uint8Array) => publicKeyOfSecret(parameters, engine, secret);
  return {
    id,
    hpkeId,
    family: 'post-quantum',
    seedBytes: SEED_BYTES,
    secretBytes: SEED_BYTES,
    expanded: { bytes: parameters.expandedBytes, of: (seed) => expand(parameters, seed) },
    publicKeyBytes,
    encapsulatedBytes,
    sharedSecretBytes: SHARED_SECRET_BYTES,
    randomnessBytes: RANDOMNESS_BYTES,
    engines: NATIVE.mlKem ? ['noble', 'native'] : ['noble'],
    keygen: (engine, seed) => {
      demandBytes(seed, SEED_BYTES, { algorithm: id, part: 'seed' });
      return { secret: seed.slice(), publicKey: publicKeyOf(engine, seed) };
    },
    publicKeyOf,
    checkPublicKey: (engine, publicKey) => {
      encapsulate(parameters, { engine, publicKey, randomness: new Uint8Array(RANDOMNESS_BYTES) });
    },
    encapsulate: (request) => encapsulate(parameters, request),
    decapsulate: (request) => decapsulate(parameters, request),
  };
}

function expand(parameters: Parameters<MlKemId>, seed: Uint8Array): Uint8Array {
  demandBytes(seed, SEED_BYTES, { algorithm: parameters.id, part: 'seed' });
  return nobleOf(parameters).keygen(seed).secretKey;
}

function isExpanded({ expandedBytes }: Parameters<MlKemId>, secret: Uint8Array): boolean {
  return secret.length === expandedBytes;
}

function nobleOf({ nobleName }: Parameters<MlKemId>): Noble['ml_kem768'] {
  return noble()[nobleName];
}

function publicKeyOfSecret(parameters: Parameters<MlKemId>, engine: EngineName, secret: Uint8Array): Uint8Array {
  if (isExpanded(parameters, secret)) return publicKeyOfExpanded(parameters, secret);
  demandBytes(secret, SEED_BYTES, { algorithm: parameters.id, part: 'secret' });
  if (!isNative(engine)) return nobleOf(parameters).keygen(secret).publicKey;
  const key = nodeCrypto.createPublicKey(nativeSecretKey(parameters.native, secret));
  return plainBytes(key.export({ format: 'der', type: 'spki' })).slice(SPKI_PREFIX_BYTES);
}

/** The public key that stands in an expanded key. Whether the secret part is its own, only using both can show. */
function publicKeyOfExpanded(parameters: Parameters<MlKemId>, secret: Uint8Array): Uint8Array {
  return orThrow(
    () => nobleOf(parameters).getPublicKey(secret),
    () => expandedMismatch(parameters.id),
  );
}

function expandedMismatch(id: MlKemId) {
  return keyMalformed(id, 'its expanded secret does not fit its public key');
}

function encapsulate(parameters: Parameters<MlKemId>, request: EncapsulateRequest): Encapsulation {
  const { engine, publicKey, randomness } = request;
  const { id, native } = parameters;
  demandBytes(publicKey, parameters.publicKeyBytes, { algorithm: id, part: 'public key' });
  demandBytes(randomness, RANDOMNESS_BYTES, { algorithm: id, part: 'randomness' });
  // FIPS 203 section 7.2: both refuse a key with a coefficient of q or more.
  const notReduced = () => keyMalformed(id, 'its public key has a coefficient out of range');
  if (!isNative(engine)) {
    const { cipherText, sharedSecret } = orThrow(
      () => nobleOf(parameters).encapsulate(publicKey, randomness),
      notReduced,
    );
    return { encapsulated: cipherText, sharedSecret };
  }
  const { ciphertext, sharedKey } = nodeCrypto.encapsulate(
    orThrow(() => nativePublicKey(native, publicKey), notReduced),
  );
  return { encapsulated: plainBytes(ciphertext), sharedSecret: plainBytes(sharedKey) };
}

function decapsulate(parameters: Parameters<MlKemId>, request: DecapsulateRequest): Uint8Array {
  const { engine, secret, encapsulated } = request;
  const { id, native } = parameters;
  const expanded = isExpanded(parameters, secret);
  if (!expanded) demandBytes(secret, SEED_BYTES, { algorithm: id, part: 'secret' });
  if (encapsulated.length !== parameters.encapsulatedBytes) {
    throw failure('DECRYPT_FAILED', `not an encapsulated secret of ${id}`);
  }
  if (expanded) {
    // FIPS 203 section 7.3: noble refuses a key whose hash is not that of the public key in it.
    return orThrow(
      () => nobleOf(parameters).decapsulate(encapsulated, secret),
      () => expandedMismatch(id),
    );
  }
  if (!isNative(engine)) {
    const { decapsulate: open, keygen } = nobleOf(parameters);
    return open(encapsulated, keygen(secret).secretKey);
  }
  return plainBytes(nodeCrypto.decapsulate(nativeSecretKey(native, secret), encapsulated));
}

function isNative(engine: EngineName): boolean {
  return engine === 'native' && NATIVE.mlKem;
}

/** ML-KEM-512. */
export const mlKem512 = mlKem({
  id: 'ML-KEM-512',
  hpkeId: 0x0040,
  native: 'ml-kem-512',
  nobleName: 'ml_kem512',
  expandedBytes: 1632,
  publicKeyBytes: 800,
  encapsulatedBytes: 768,
});
/** ML-KEM-768. */
export const mlKem768 = mlKem({
  id: 'ML-KEM-768',
  hpkeId: 0x0041,
  native: 'ml-kem-768',
  nobleName: 'ml_kem768',
  expandedBytes: 2400,
  publicKeyBytes: 1184,
  encapsulatedBytes: 1088,
});
/** ML-KEM-1024. */
export const mlKem1024 = mlKem({
  id: 'ML-KEM-1024',
  hpkeId: 0x0042,
  native: 'ml-kem-1024',
  nobleName: 'ml_kem1024',
  expandedBytes: 3168,
  publicKeyBytes: 1568,
  encapsulatedBytes: 1568,
});
