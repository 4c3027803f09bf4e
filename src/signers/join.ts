/** One hybrid signer out of two: `classical+post-quantum`, each of one key, wherever each is held. */
import { failure } from '../core/errors.ts';
import { signatureAlgorithm } from '../crypto/signatures/index.ts';
import { disposeAll } from './dispose.ts';
import type { Signer, SignerKey } from './signer.ts';

/** Joins the parts of an address; one part is itself. @throws SIGNER_JOIN where they are not a classical and a post-quantum key */
export function joinSigners(parts: readonly Signer[]): Signer {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  const keys = parts.flatMap((part) => part.keys);
  const ordered = [...inFamily(keys, 'classical'), ...inFamily(keys, 'post-quantum')];
  if (keys.length !== 2 || inFamily(keys, 'classical').length !== 1) {
    disposeAll(parts);
    const found = keys.map(({ publicKey }) => publicKey.algorithm).join(', ');
    throw failure('SIGNER_JOIN', `a hybrid signer is a classical and a post-quantum key, found ${found}`);
  }
  return {
    uri: parts.map(({ uri }) => uri).join('+'),
    description: parts.map(({ description }) => description).join(' and '),
    keys: ordered,
    [Symbol.dispose]: () => disposeAll(parts),
  };
}

function inFamily(keys: readonly SignerKey[], family: 'classical' | 'post-quantum'): readonly SignerKey[] {
  return keys.filter(({ publicKey }) => signatureAlgorithm(publicKey.algorithm).family === family);
}
