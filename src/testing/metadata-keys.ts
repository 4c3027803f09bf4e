/** Keys that grow from labels, and metadata files signed with them. Real cryptography, worthless secrets. */
import { utf8 } from '../core/bytes.ts';
import { sha256 } from '../crypto/hash.ts';
import { signatureAlgorithm } from '../crypto/signatures/index.ts';
import type { SignatureId } from '../crypto/signatures/index.ts';
import { makePublicKey } from '../formats/keys/public-key.ts';
import type { PublicKey } from '../formats/keys/public-key.ts';
import type { Dialect } from '../formats/metadata/dialect.ts';
import {
  assembleEnvelope,
  canonicalOf,
  dialectOfBytes,
  encodeSigned,
  signatureMessage,
} from '../formats/metadata/envelope.ts';
import type { KeySignature } from '../formats/metadata/envelope.ts';
import { tuf } from '../formats/metadata/tuf.ts';
import type { Signed } from '../formats/metadata/types.ts';

const ENGINE = 'native';

/** A key that can sign. */
export interface TestKey {
  readonly publicKey: PublicKey;
  readonly sign: (message: Uint8Array) => Uint8Array;
}

/** The key of `algorithm` that grows from a label. */
export function testKey(algorithm: SignatureId, label: string): TestKey {
  const { keygen, sign } = signatureAlgorithm(algorithm);
  const { secret, publicKey } = keygen(ENGINE, sha256(ENGINE, utf8(`${algorithm} ${label}`)));
  const randomness = sha256(ENGINE, utf8(`randomness ${label}`));
  return {
    publicKey: makePublicKey(algorithm, publicKey),
    sign: (message) => sign({ engine: ENGINE, secret, message, randomness }),
  };
}

/** The keys of one role. */
export interface RoleSigners {
  readonly classical: readonly TestKey[];
  /** Empty in a repository that is not hybrid. */
  readonly postQuantum: readonly TestKey[];
  readonly threshold: number;
}

/** The file of a body, signed with every key given. */
export function signBody(
  body: Signed,
  keys: Pick<RoleSigners, 'classical' | 'postQuantum'>,
  dialect: Dialect = tuf,
): Uint8Array {
  return signBytes(encodeSigned(body, dialect), keys);
}

/** The file of `signed` bytes, whatever they say. */
export function signBytes(bytes: Uint8Array, keys: Pick<RoleSigners, 'classical' | 'postQuantum'>): Uint8Array {
  const canonical = canonicalOf(bytes);
  const signAll = (family: 'classical' | 'post-quantum', all: readonly TestKey[]): readonly KeySignature[] =>
    all.map((key) => ({ key: key.publicKey, signature: key.sign(signatureMessage(family, canonical)) }));
  const signatures = {
    classical: signAll('classical', keys.classical),
    postQuantum: signAll('post-quantum', keys.postQuantum),
  };
  return assembleEnvelope(bytes, signatures, dialectOfBytes(bytes));
}
