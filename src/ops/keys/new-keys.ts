/** Makes keys of a scheme and key files of them; nothing is written here. */
import type { Instant } from '../../core/brands.ts';
import { equalBytes, utf8 } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import { otherEngine } from '../../crypto/engine.ts';
import { isKemId, kemAlgorithm } from '../../crypto/kems/index.ts';
import { signatureAlgorithm } from '../../crypto/signatures/index.ts';
import type { KeyAlgorithm } from '../../formats/keys/algorithms.ts';
import {
  decodeKeyFile,
  encodeKeyFile,
  openKeyFile,
  passphraseBytes,
  protectionBytes,
} from '../../formats/keys/key-file.ts';
import type { PrivateIdentity } from '../../formats/keys/key-file.ts';
import type { PrivateKey } from '../../formats/keys/pkcs8.ts';
import { makePublicKey } from '../../formats/keys/public-key.ts';
import type { KeyScheme } from './schemes.ts';

/** Makes the keys of a scheme from the machine's randomness. @throws ENGINE_DISAGREES */
export function newIdentity(
  scheme: KeyScheme,
  io: Pick<Io, 'engine' | 'random'>,
  named: { readonly holder?: string | undefined; readonly created: Instant },
): PrivateIdentity {
  return { keys: scheme.algorithms.map((id) => newKey(id, io)), purpose: scheme.purpose, ...named };
}

function newKey(id: KeyAlgorithm, { engine, random }: Pick<Io, 'engine' | 'random'>): PrivateKey {
  const algorithm = isKemId(id) ? kemAlgorithm(id) : signatureAlgorithm(id);
  const seed = random.bytes('seedBytes' in algorithm ? algorithm.seedBytes : algorithm.secretBytes);
  const { secret, publicKey } = algorithm.keygen(engine, seed);
  seed.fill(0);
  // A key whose public half only one implementation agrees with would be lost with its first use.
  if (!equalBytes(algorithm.publicKeyOf(otherEngine(engine), secret), publicKey)) {
    throw failure('ENGINE_DISAGREES', `the engines disagree about the public key of a fresh ${id} key`);
  }
  return { publicKey: makePublicKey(id, publicKey), secret };
}

/** The bytes of an encrypted key file, opened once to show that they can be. @throws INTERNAL */
export async function keyFileBytes(
  identity: PrivateIdentity,
  passphrase: string,
  { engine, random }: Pick<Io, 'engine' | 'random'>,
): Promise<Uint8Array> {
  const secret = passphraseBytes(passphrase);
  const randomness = random.bytes(protectionBytes(identity.keys.length));
  const bytes = utf8(await encodeKeyFile(identity, { engine, passphrase: secret, randomness }));
  const again = await openKeyFile(decodeKeyFile(bytes), {
    engine,
    passphrase: async () => secret,
    purpose: identity.purpose,
  });
  const same = again.keys.every((key, i) => equalBytes(key.secret, identity.keys[i]?.secret ?? new Uint8Array()));
  forget(again);
  secret.fill(0);
  if (!same) throw failure('INTERNAL', 'a fresh key file does not open to its keys');
  return bytes;
}

/** Overwrites the secrets. */
export function forget({ keys }: PrivateIdentity): void {
  for (const { secret } of keys) secret.fill(0);
}
