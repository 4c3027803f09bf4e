/** Signing keys in memory, the same for the same name; never for anything but tests. */
import { createHash } from 'node:crypto';
import { signatureAlgorithm } from '../crypto/signatures/index.ts';
import type { SignatureId } from '../crypto/signatures/index.ts';
import { encodePublicFile } from '../formats/keys/public-file.ts';
import { makePublicKey } from '../formats/keys/public-key.ts';
import type { SignerKey } from '../signers/signer.ts';

/** A holder's key pair, classical alone or hybrid. */
export interface TestKey {
  readonly name: string;
  /** Classical first. */
  readonly keys: readonly SignerKey[];
  /** Its `.pub` file. */
  readonly publicFile: string;
}

/** Makes the key of `name`. */
export function testKey(name: string, algorithms: readonly SignatureId[] = ['ecdsa-p256', 'ml-dsa-65']): TestKey {
  const keys = algorithms.map((algorithm) => signerKey(algorithm, name));
  const publicKeys = keys.map(({ publicKey }) => publicKey);
  return { name, keys, publicFile: encodePublicFile({ keys: publicKeys, purpose: 'signing', holder: name }) };
}

/** A single key that signs for real, from a seed made of its name. */
export function signerKey(id: SignatureId, name: string): SignerKey {
  const algorithm = signatureAlgorithm(id);
  const seed = new Uint8Array(createHash('sha256').update(`${id}:${name}`).digest());
  const { secret, publicKey } = algorithm.keygen('native', seed);
  return {
    publicKey: makePublicKey(id, publicKey),
    lend: () => ({ algorithm: id, secret, publicKey }),
    sign: async (message) => algorithm.sign({ engine: 'native', secret, message }),
  };
}
