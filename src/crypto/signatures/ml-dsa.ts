/**
 * ML-DSA-44, -65 and -87: pure, with the empty context. Secret: the 32-byte seed (xi), or the expanded key of FIPS 204
 * where no seed was kept. Public key and signature as FIPS 204 encodes them.
 *
 * The runtime signs hedged only, so deterministic signatures are noble's.
 *
 * @see FIPS 204
 */
import * as nodeCrypto from 'node:crypto';
import type { EngineName } from '../../core/ports.ts';
import { NATIVE } from '../engine.ts';
import { demandBytes, keyMalformed, orThrow, plainBytes, signatureInvalid } from '../key-bytes.ts';
import { nativePublicKey, nativeSecretKey } from '../native-keys.ts';
import { noble, type Noble } from '../noble.ts';
import type { HeldKey, SignatureAlgorithm, SignRequest, VerifyRequest } from './algorithm.ts';

const SEED_BYTES = 32;
const RANDOMNESS_BYTES = 32;
/** An SPKI is its raw key behind this many bytes. */
const SPKI_PREFIX_BYTES = 22;

type MlDsaId = 'ml-dsa-44' | 'ml-dsa-65' | 'ml-dsa-87';

interface Parameters<Id extends MlDsaId> {
  readonly id: Id;
  readonly nobleName: 'ml_dsa44' | 'ml_dsa65' | 'ml_dsa87';
  /** Of the expanded key. */
  readonly expandedBytes: number;
  readonly publicKeyBytes: number;
  readonly signatureBytes: number;
}

function mlDsa<const Id extends MlDsaId>(parameters: Parameters<Id>): SignatureAlgorithm & { readonly id: Id } {
  const { id, publicKeyBytes, signatureBytes } = parameters;
  const publicKeyOf = (engine: EngineName, secret: Uint8Array) => publicKeyOfSecret(parameters, engine, secret);
  const checkPublicKey = (_engine: EngineName, publicKey: Uint8Array) => {
    // Any bytes of the right length are a key: t1 is packed without gaps (FIPS 204, algorithm 23).
    demandBytes(publicKey, publicKeyBytes, { algorithm: id, part: 'public key' });
  };
  return {
    id,
    family: 'post-quantum',
    secretBytes: SEED_BYTES,
    expanded: { bytes: parameters.expandedBytes, of: (seed) => expand(parameters, seed) },
    publicKeyBytes,
    signatureBytes,
    get engines() {
      return NATIVE.mlDsa ? (['noble', 'native'] as const) : (['noble'] as const);
    },
    keygen: (engine, seed) => {
      demandBytes(seed, SEED_BYTES, { algorithm: id, part: 'seed' });
      return { secret: seed.slice(), publicKey: publicKeyOf(engine, seed) };
    },
    publicKeyOf,
    checkPublicKey,
    sign: (request) => sign(parameters, request),
    hold: (secret, publicKey) => hold(parameters, secret, publicKey),
    verify: (request) => {
      checkPublicKey(request.engine, request.publicKey);
      if (!isGood(parameters, request)) throw signatureInvalid(id);
    },
  };
}

function expand(parameters: Parameters<MlDsaId>, seed: Uint8Array): Uint8Array {
  demandBytes(seed, SEED_BYTES, { algorithm: parameters.id, part: 'seed' });
  return nobleOf(parameters).keygen(seed).secretKey;
}

function isExpanded({ expandedBytes }: Parameters<MlDsaId>, secret: Uint8Array): boolean {
  return secret.length === expandedBytes;
}

function nobleOf({ nobleName }: Parameters<MlDsaId>): Noble['ml_dsa44'] {
  return noble()[nobleName];
}

function publicKeyOfSecret(parameters: Parameters<MlDsaId>, engine: EngineName, secret: Uint8Array): Uint8Array {
  if (isExpanded(parameters, secret)) {
    return orThrow(
      () => nobleOf(parameters).getPublicKey(secret),
      () => outOfRange(parameters.id),
    );
  }
  demandBytes(secret, SEED_BYTES, { algorithm: parameters.id, part: 'secret' });
  if (engine === 'noble' || !NATIVE.mlDsa) return nobleOf(parameters).keygen(secret).publicKey;
  const key = nodeCrypto.createPublicKey(nativeSecretKey(parameters.id, secret));
  return plainBytes(key.export({ format: 'der', type: 'spki' })).slice(SPKI_PREFIX_BYTES);
}

function sign(parameters: Parameters<MlDsaId>, request: SignRequest): Uint8Array {
  const { engine, secret, message, randomness } = request;
  const { id } = parameters;
  const expanded = isExpanded(parameters, secret);
  if (!expanded) demandBytes(secret, SEED_BYTES, { algorithm: id, part: 'secret' });
  if (randomness !== undefined) demandBytes(randomness, RANDOMNESS_BYTES, { algorithm: id, part: 'randomness' });
  if (engine === 'native' && NATIVE.mlDsa && randomness !== undefined && !expanded) {
    return plainBytes(nodeCrypto.sign(null, message, nativeSecretKey(id, secret)));
  }
  const { keygen, sign: signature } = nobleOf(parameters);
  const secretKey = expanded ? secret : keygen(secret).secretKey;
  return orThrow(
    () => signature(message, secretKey, { extraEntropy: randomness ?? false }),
    () => outOfRange(id),
  );
}

/** The runtime reads a seed; an expanded key is noble's alone. */
function hold(parameters: Parameters<MlDsaId>, secret: Uint8Array, publicKey: Uint8Array): HeldKey | undefined {
  const { id, publicKeyBytes } = parameters;
  demandBytes(publicKey, publicKeyBytes, { algorithm: id, part: 'public key' });
  if (!NATIVE.mlDsa || isExpanded(parameters, secret)) return undefined;
  demandBytes(secret, SEED_BYTES, { algorithm: id, part: 'secret' });
  const privateKey = nativeSecretKey(id, secret);
  const key = nativePublicKey(id, publicKey);
  return {
    sign: (message) => plainBytes(nodeCrypto.sign(null, message, privateKey)),
    isGood: (message, signature) => nodeCrypto.verify(null, message, key, signature),
  };
}

function outOfRange(id: MlDsaId) {
  return keyMalformed(id, 'its expanded secret has a coefficient out of range');
}

function isGood(parameters: Parameters<MlDsaId>, request: VerifyRequest): boolean {
  const { engine, publicKey, message, signature } = request;
  if (signature.length !== parameters.signatureBytes) return false;
  if (engine === 'noble' || !NATIVE.mlDsa) return nobleOf(parameters).verify(signature, message, publicKey);
  return nodeCrypto.verify(null, message, nativePublicKey(parameters.id, publicKey), signature);
}

/** ML-DSA-44, security category 2. */
export const mlDsa44 = mlDsa({
  id: 'ml-dsa-44',
  nobleName: 'ml_dsa44',
  expandedBytes: 2560,
  publicKeyBytes: 1312,
  signatureBytes: 2420,
});
/** ML-DSA-65, security category 3. */
export const mlDsa65 = mlDsa({
  id: 'ml-dsa-65',
  nobleName: 'ml_dsa65',
  expandedBytes: 4032,
  publicKeyBytes: 1952,
  signatureBytes: 3309,
});
/** ML-DSA-87, security category 5. */
export const mlDsa87 = mlDsa({
  id: 'ml-dsa-87',
  nobleName: 'ml_dsa87',
  expandedBytes: 4896,
  publicKeyBytes: 2592,
  signatureBytes: 4627,
});
