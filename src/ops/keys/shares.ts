/** Splits the secrets of a key file into Shamir's shares, and joins them again. Nothing is written here. */
import { combine, split } from 'shamir-secret-sharing';
import { equalBytes } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import type { EngineName, Io } from '../../core/ports.ts';
import { makePublicKey } from '../../formats/keys/public-key.ts';
import type { PrivateKey } from '../../formats/keys/pkcs8.ts';
import { requireOrder } from '../../formats/keys/public-file.ts';
import { publicKeyOfSecret } from '../../formats/keys/secret.ts';
import { requireOneSet, shareKeyDigest } from '../../formats/shares/key-share.ts';
import type { KeyShare } from '../../formats/shares/key-share.ts';
import { decodeShareSecret, encodeShareSecret } from '../../formats/shares/share-secret.ts';

/** How many shares, and how many of them restore the key. */
export interface Splitting {
  readonly shares: number;
  readonly threshold: number;
}

const SET_ID_BYTES = 8;

/**
 * Splits the secrets of `keys`; the shares are joined once before they are given, to show that they restore the keys.
 * The library takes its randomness from the runtime's own generator.
 * @throws KEY_UNSUITABLE, INTERNAL
 */
export async function splitKeys(
  keys: readonly PrivateKey[],
  { shares: count, threshold }: Splitting,
  { engine, random }: Pick<Io, 'engine' | 'random'>,
): Promise<readonly KeyShare[]> {
  const secret = encodeShareSecret(keys.map(({ publicKey, ...key }) => ({ algorithm: publicKey.algorithm, ...key })));
  const setId = random.bytes(SET_ID_BYTES);
  const keyDigest = shareKeyDigest(keys.map(({ publicKey }) => publicKey.keyId));
  const parts = await split(secret, count, threshold);
  secret.fill(0);
  const shares = parts.map((data, i) => ({ setId, keyDigest, threshold, count, number: i + 1, data }));
  for (const some of [shares.slice(0, threshold), shares.slice(-threshold)]) await rehearse(some, { keys, engine });
  return shares;
}

async function rehearse(
  shares: readonly KeyShare[],
  { keys, engine }: { keys: readonly PrivateKey[]; engine: EngineName },
): Promise<void> {
  const again = await joinShares(shares, engine);
  const same = again.every((key, i) => equalBytes(key.secret, keys[i]?.secret ?? new Uint8Array()));
  for (const { secret } of again) secret.fill(0);
  if (!same || again.length !== keys.length) throw failure('INTERNAL', 'fresh shares do not restore the key');
}

/** Joins shares to the keys they were made of. @throws SHARE_MIXED, SHARE_SHORT, SHARE_MALFORMED */
export async function joinShares(shares: readonly KeyShare[], engine: EngineName): Promise<readonly PrivateKey[]> {
  requireOneSet(shares);
  const [first] = shares;
  const joined = await joinedBytes(shares);
  const keys = decodeShareSecret(joined).map(({ algorithm, secret }) => ({
    publicKey: makePublicKey(algorithm, publicOf(algorithm, secret, engine)),
    secret,
  }));
  joined.fill(0);
  const digest = shareKeyDigest(keys.map(({ publicKey }) => publicKey.keyId));
  if (first === undefined || !equalBytes(digest, first.keyDigest)) {
    throw failure('SHARE_MALFORMED', 'the shares join to another key than the one they name: one of them is wrong');
  }
  requireOrder(keys.map(({ publicKey }) => publicKey));
  return keys;
}

async function joinedBytes(shares: readonly KeyShare[]): Promise<Uint8Array> {
  try {
    return await combine(shares.map(({ data }) => Uint8Array.from(data)));
  } catch {
    throw failure('SHARE_MALFORMED', 'the shares do not join: two are of one point, or their lengths differ');
  }
}

function publicOf(algorithm: PrivateKey['publicKey']['algorithm'], secret: Uint8Array, engine: EngineName): Uint8Array {
  try {
    return publicKeyOfSecret(algorithm, { engine, secret });
  } catch {
    throw failure('SHARE_MALFORMED', 'the shares do not join to a key: one of them is wrong');
  }
}
