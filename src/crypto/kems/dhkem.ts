/**
 * DHKEM(P-256, HKDF-SHA256) and DHKEM(X25519, HKDF-SHA256). Secret: the 32-byte private key. The seed of `keygen` and the
 * randomness of `encapsulate` are input keying material for DeriveKeyPair.
 *
 * @see RFC 9180 section 4.1 and 7.1
 */
import { concatBytes, utf8 } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import type { EngineName } from '../../core/ports.ts';
import { demandBytes, keyMalformed, orThrow } from '../key-bytes.ts';
import type { DecapsulateRequest, EncapsulateRequest, Encapsulation, KemAlgorithm } from './algorithm.ts';
import { type Group, P256, X25519 } from './group.ts';
import { labeledExpand, labeledExtract, type LabelScope, twoBytes } from './labeled.ts';

const SECRET_BYTES = 32;
const SHARED_SECRET_BYTES = 32;
const CANDIDATES = 256;

type DhkemId = 'DHKEM-P256' | 'DHKEM-X25519';

interface Parameters<Id extends DhkemId> {
  readonly id: Id;
  readonly hpkeId: number;
  readonly group: Group;
  /** DeriveKeyPair's loop over candidates, where not every string is a secret. */
  readonly derive: (scope: LabelScope, prk: Uint8Array) => Uint8Array;
}

function dhkem<const Id extends DhkemId>(parameters: Parameters<Id>): KemAlgorithm & { readonly id: Id } {
  const { id, hpkeId, group } = parameters;
  return {
    id,
    hpkeId,
    family: 'classical',
    seedBytes: SECRET_BYTES,
    secretBytes: SECRET_BYTES,
    publicKeyBytes: group.publicKeyBytes,
    encapsulatedBytes: group.publicKeyBytes,
    sharedSecretBytes: SHARED_SECRET_BYTES,
    randomnessBytes: SECRET_BYTES,
    engines: ['noble', 'native'],
    keygen: (engine, seed) => keyPair(parameters, engine, seed),
    publicKeyOf: (engine, secret) => publicKeyOf(parameters, engine, secret),
    checkPublicKey: (engine, publicKey) => {
      orThrow(
        () => group.check(engine, publicKey),
        () => publicKeyMalformed(id),
      );
    },
    encapsulate: (request) => encapsulate(parameters, request),
    decapsulate: (request) => decapsulate(parameters, request),
  };
}

function keyPair(parameters: Parameters<DhkemId>, engine: EngineName, seed: Uint8Array) {
  demandBytes(seed, SECRET_BYTES, { algorithm: parameters.id, part: 'seed' });
  const secret = deriveSecret(parameters, engine, seed);
  return { secret, publicKey: parameters.group.publicKeyOf(engine, secret) };
}

/** DeriveKeyPair, the private half. */
function deriveSecret(parameters: Parameters<DhkemId>, engine: EngineName, ikm: Uint8Array): Uint8Array {
  const scope = labelScope(parameters, engine);
  return parameters.derive(scope, labeledExtract(scope, 'dkp_prk', { ikm }));
}

function publicKeyOf(parameters: Parameters<DhkemId>, engine: EngineName, secret: Uint8Array): Uint8Array {
  demandSecret(parameters, secret);
  return parameters.group.publicKeyOf(engine, secret);
}

function encapsulate(parameters: Parameters<DhkemId>, request: EncapsulateRequest): Encapsulation {
  const { engine, publicKey, randomness } = request;
  const { id, group } = parameters;
  demandBytes(randomness, SECRET_BYTES, { algorithm: id, part: 'randomness' });
  const ephemeral = deriveSecret(parameters, engine, randomness);
  const { publicKey: encapsulated, shared } = orThrow(
    () => group.agree(engine, ephemeral, publicKey),
    () => publicKeyMalformed(id),
  );
  const context = concatBytes(encapsulated, publicKey);
  return { encapsulated, sharedSecret: extractAndExpand(labelScope(parameters, engine), shared, context) };
}

function decapsulate(parameters: Parameters<DhkemId>, request: DecapsulateRequest): Uint8Array {
  const { engine, secret, encapsulated } = request;
  demandSecret(parameters, secret);
  const { publicKey, shared } = orThrow(
    () => parameters.group.agree(engine, secret, encapsulated),
    () => failure('DECRYPT_FAILED', `not an encapsulated secret of ${parameters.id}`),
  );
  return extractAndExpand(labelScope(parameters, engine), shared, concatBytes(encapsulated, publicKey));
}

function extractAndExpand(scope: LabelScope, dh: Uint8Array, context: Uint8Array): Uint8Array {
  const prk = labeledExtract(scope, 'eae_prk', { ikm: dh });
  return labeledExpand(scope, 'shared_secret', { prk, info: context, length: SHARED_SECRET_BYTES });
}

function labelScope({ hpkeId }: Parameters<DhkemId>, engine: EngineName): LabelScope {
  return { engine, suiteId: concatBytes(utf8('KEM'), twoBytes(hpkeId)) };
}

function demandSecret({ id, group }: Parameters<DhkemId>, secret: Uint8Array): void {
  demandBytes(secret, SECRET_BYTES, { algorithm: id, part: 'secret' });
  if (!group.isSecret(secret)) throw keyMalformed(id, 'its secret is not a scalar of the curve');
}

function publicKeyMalformed(id: DhkemId) {
  return keyMalformed(id, 'its public key is not a point that a secret can give');
}

/** DHKEM(P-256, HKDF-SHA256). */
export const dhkemP256 = dhkem({
  id: 'DHKEM-P256',
  hpkeId: 0x0010,
  group: P256,
  derive: (scope, prk) => {
    for (let counter = 0; counter < CANDIDATES; counter++) {
      const candidate = labeledExpand(scope, 'candidate', { prk, info: Uint8Array.of(counter), length: SECRET_BYTES });
      if (P256.isSecret(candidate)) return candidate;
    }
    throw keyMalformed('DHKEM-P256', 'its seed gives no scalar');
  },
});

/** DHKEM(X25519, HKDF-SHA256). */
export const dhkemX25519 = dhkem({
  id: 'DHKEM-X25519',
  hpkeId: 0x0020,
  group: X25519,
  derive: (scope, prk) => labeledExpand(scope, 'sk', { prk, length: SECRET_BYTES }),
});
