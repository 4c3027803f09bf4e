/**
 * ML-KEM joined with a Diffie-Hellman group: MLKEM768-X25519 (X-Wing), MLKEM768-P256 and MLKEM1024-P384. The shared
 * secret holds while either part does. Secret: the 32-byte seed that both parts expand from. Keys and encapsulated
 * secrets: ML-KEM's part, then the group's.
 *
 * Both engines refuse an X25519 share of small order, which X-Wing alone would let pass.
 *
 * @see draft-ietf-hpke-pq section 3; draft-irtf-cfrg-concrete-hybrid-kems; draft-connolly-cfrg-xwing-kem
 */
import * as nodeCrypto from 'node:crypto';
import { concatBytes, utf8 } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import type { EngineName } from '../../core/ports.ts';
import { demandBytes, keyMalformed, orThrow, plainBytes } from '../key-bytes.ts';
import { noble } from '../noble.ts';
import type { DecapsulateRequest, EncapsulateRequest, Encapsulation, KemAlgorithm } from './algorithm.ts';
import { type Group, P256, P384, X25519 } from './group.ts';
import { mlKem1024, mlKem768 } from './ml-kem.ts';

const SEED_BYTES = 32;
const SHARED_SECRET_BYTES = 32;
const ML_KEM_RANDOMNESS_BYTES = 32;

type HybridId = 'MLKEM768-X25519' | 'MLKEM768-P256' | 'MLKEM1024-P384';

interface Parameters<Id extends HybridId> {
  readonly id: Id;
  readonly hpkeId: number;
  readonly pq: KemAlgorithm;
  readonly group: Group;
  /** Bytes of the seed that the group's secret is sampled from in `keygen`. */
  readonly groupSeedBytes: number;
  /** The same in `encapsulate`. */
  readonly groupRandomnessBytes: number;
  readonly label: Uint8Array;
}

function hybrid<const Id extends HybridId>(parameters: Parameters<Id>): KemAlgorithm & { readonly id: Id } {
  const { id, hpkeId, pq, group } = parameters;
  const publicKeyOf = (engine: EngineName, secret: Uint8Array) => {
    const { pqSecret, groupSecret } = expand(parameters, engine, secret);
    return concatBytes(pq.publicKeyOf(engine, pqSecret), group.publicKeyOf(engine, groupSecret));
  };
  return {
    id,
    hpkeId,
    family: 'hybrid',
    seedBytes: SEED_BYTES,
    secretBytes: SEED_BYTES,
    publicKeyBytes: pq.publicKeyBytes + group.publicKeyBytes,
    encapsulatedBytes: pq.encapsulatedBytes + group.publicKeyBytes,
    sharedSecretBytes: SHARED_SECRET_BYTES,
    randomnessBytes: ML_KEM_RANDOMNESS_BYTES + parameters.groupRandomnessBytes,
    engines: pq.engines,
    keygen: (engine, seed) => ({ secret: seed.slice(), publicKey: publicKeyOf(engine, seed) }),
    publicKeyOf,
    checkPublicKey: (engine, publicKey) => {
      const parts = splitKey(parameters, publicKey);
      pq.checkPublicKey(engine, parts.pq);
      orThrow(
        () => group.check(engine, parts.group),
        () => shareMalformed(id),
      );
    },
    encapsulate: (request) => encapsulate(parameters, request),
    decapsulate: (request) => decapsulate(parameters, request),
  };
}

/** The secrets of both parts. @see draft-irtf-cfrg-hybrid-kems, expandDecapsKeyG */
function expand(parameters: Parameters<HybridId>, engine: EngineName, seed: Uint8Array) {
  const { id, pq, groupSeedBytes } = parameters;
  demandBytes(seed, SEED_BYTES, { algorithm: id, part: 'secret' });
  const stream = shake(engine, seed, pq.seedBytes + groupSeedBytes);
  const pqSecret = stream.subarray(0, pq.seedBytes);
  const groupSecret = sample(parameters, stream.subarray(pq.seedBytes));
  return { pqSecret, groupSecret };
}

function encapsulate(parameters: Parameters<HybridId>, request: EncapsulateRequest): Encapsulation {
  const { engine, publicKey, randomness } = request;
  const { id, pq, group, groupRandomnessBytes } = parameters;
  const wanted = ML_KEM_RANDOMNESS_BYTES + groupRandomnessBytes;
  demandBytes(randomness, wanted, { algorithm: id, part: 'randomness' });
  const key = splitKey(parameters, publicKey);
  const pqRandomness = randomness.subarray(0, ML_KEM_RANDOMNESS_BYTES);
  const inner = pq.encapsulate({ engine, publicKey: key.pq, randomness: pqRandomness });
  const ephemeral = sample(parameters, randomness.subarray(ML_KEM_RANDOMNESS_BYTES));
  const { publicKey: share, shared } = orThrow(
    () => group.agree(engine, ephemeral, key.group),
    () => shareMalformed(id),
  );
  const secrets = { pq: inner.sharedSecret, group: shared, share, groupKey: key.group };
  return {
    encapsulated: concatBytes(inner.encapsulated, share),
    sharedSecret: combine(parameters, engine, secrets),
  };
}

function decapsulate(parameters: Parameters<HybridId>, request: DecapsulateRequest): Uint8Array {
  const { engine, secret, encapsulated } = request;
  const { id, pq, group } = parameters;
  const failed = () => failure('DECRYPT_FAILED', `not an encapsulated secret of ${id}`);
  if (encapsulated.length !== pq.encapsulatedBytes + group.publicKeyBytes) throw failed();
  const { pqSecret, groupSecret } = expand(parameters, engine, secret);
  const share = encapsulated.subarray(pq.encapsulatedBytes);
  const { publicKey: groupKey, shared } = orThrow(() => group.agree(engine, groupSecret, share), failed);
  const inner = encapsulated.subarray(0, pq.encapsulatedBytes);
  const pqShared = pq.decapsulate({ engine, secret: pqSecret, encapsulated: inner });
  return combine(parameters, engine, { pq: pqShared, group: shared, share, groupKey });
}

/** SHA3-256(ss_PQ || ss_T || ct_T || ek_T || label). @see draft-irtf-cfrg-hybrid-kems, C2PRICombiner */
function combine(
  { label }: Parameters<HybridId>,
  engine: EngineName,
  secrets: { pq: Uint8Array; group: Uint8Array; share: Uint8Array; groupKey: Uint8Array },
): Uint8Array {
  const input = concatBytes(secrets.pq, secrets.group, secrets.share, secrets.groupKey, label);
  return engine === 'native' ? plainBytes(nodeCrypto.hash('sha3-256', input, 'buffer')) : noble().sha3_256(input);
}

function shake(engine: EngineName, seed: Uint8Array, length: number): Uint8Array {
  if (engine === 'noble') return noble().shake256(seed, { dkLen: length });
  return plainBytes(nodeCrypto.createHash('shake256', { outputLength: length }).update(seed).digest());
}

/** RandomScalar: the first window of `seed` that is a secret of the group. */
function sample({ id, group }: Parameters<HybridId>, seed: Uint8Array): Uint8Array {
  for (let start = 0; start + group.secretBytes <= seed.length; start += group.secretBytes) {
    const candidate = seed.subarray(start, start + group.secretBytes);
    if (group.isSecret(candidate)) return candidate;
  }
  throw keyMalformed(id, 'its seed gives no scalar');
}

function splitKey(parameters: Parameters<HybridId>, publicKey: Uint8Array): { pq: Uint8Array; group: Uint8Array } {
  const { id, pq, group } = parameters;
  demandBytes(publicKey, pq.publicKeyBytes + group.publicKeyBytes, { algorithm: id, part: 'public key' });
  return { pq: publicKey.subarray(0, pq.publicKeyBytes), group: publicKey.subarray(pq.publicKeyBytes) };
}

function shareMalformed(id: HybridId) {
  return keyMalformed(id, 'its public key is not a point that a secret can give');
}

/** ML-KEM-768 with X25519: X-Wing. */
export const mlKem768X25519 = hybrid({
  id: 'MLKEM768-X25519',
  hpkeId: 0x647a,
  pq: mlKem768,
  group: X25519,
  groupSeedBytes: 32,
  groupRandomnessBytes: 32,
  label: utf8('\\.//^\\'),
});
/** ML-KEM-768 with P-256. */
export const mlKem768P256 = hybrid({
  id: 'MLKEM768-P256',
  hpkeId: 0x0050,
  pq: mlKem768,
  group: P256,
  groupSeedBytes: 128,
  groupRandomnessBytes: 96,
  label: utf8('MLKEM768-P256'),
});
/** ML-KEM-1024 with P-384. */
export const mlKem1024P384 = hybrid({
  id: 'MLKEM1024-P384',
  hpkeId: 0x0051,
  pq: mlKem1024,
  group: P384,
  groupSeedBytes: 48,
  groupRandomnessBytes: 48,
  label: utf8('MLKEM1024-P384'),
});
