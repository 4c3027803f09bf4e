/**
 * Who must sign for a role: keys and thresholds, classical and post-quantum, and the check of a file against them.
 *
 * Invariants: a threshold counts distinct (algorithm, raw public key), so that one key under two ids counts once; both
 * thresholds must hold where there are two; a key of the wrong family counts nowhere; signatures of keys that are not
 * the role's are ignored.
 *
 * @see TUF 1.0.34 section 4.2.1 and 5.3.4; formats.md section 1, "Hybrid policy"
 */
import type { KeyId } from '../core/brands.ts';
import { toHex } from '../core/bytes.ts';
import { isFailure } from '../core/errors.ts';
import type { EngineName } from '../core/ports.ts';
import { isSignatureId, signatureAlgorithm } from '../crypto/signatures/index.ts';
import { signatureMessage } from '../formats/metadata/envelope.ts';
import { dialectOf } from '../formats/metadata/index.ts';
import type { Envelope, KeyRing, RoleKeys } from '../formats/metadata/types.ts';
import type { PublicKey } from '../formats/keys/public-key.ts';
import { refusal, roleText } from './refusal.ts';

/** The two families of signatures. */
export type KeyFamily = 'classical' | 'post-quantum';

/** Keys by the ids that metadata lists them under, and how many must sign. */
export interface KeyThreshold {
  readonly family: KeyFamily;
  /** Keys of an unknown type are left out: they sign nothing. */
  readonly keys: ReadonlyMap<KeyId, PublicKey>;
  /** At least 1. */
  readonly threshold: number;
}

/** What a file of a role must be signed with. */
export interface RolePolicy {
  readonly role: string;
  /** Tells this policy from every other one under the same Snapshot. */
  readonly id: string;
  /** Who says so, e.g. `root 3`. */
  readonly delegator: string;
  readonly classical: KeyThreshold;
  /** Undefined where the repository is not hybrid. */
  readonly postQuantum: KeyThreshold | undefined;
}

/** The threshold that `role` stands for among the keys of `ring`. */
export function keyThreshold(family: KeyFamily, role: RoleKeys, keys: KeyRing['keys']): KeyThreshold {
  const usable = role.keyIds.flatMap((keyId) => {
    const publicKey = keys.get(keyId)?.publicKey;
    return publicKey !== undefined && familyOf(publicKey) === family ? [[keyId, publicKey] as const] : [];
  });
  return { family, keys: new Map(usable), threshold: role.threshold };
}

/** The family of a key; undefined for a key that does not sign. */
export function familyOf(key: PublicKey): KeyFamily | undefined {
  return isSignatureId(key.algorithm) ? signatureAlgorithm(key.algorithm).family : undefined;
}

/** One key's name for the counting of thresholds, whatever ids it goes by. */
export function keyIdentity(key: PublicKey): string {
  return `${key.algorithm}:${toHex(key.bytes)}`;
}

/** A signature to count: whose it claims to be, and how to get at its raw bytes. */
export interface CountedSignature {
  readonly keyId: KeyId;
  /** The raw signature, decoded for that key; may throw. */
  readonly raw: (key: PublicKey) => Uint8Array;
  readonly message: Uint8Array;
}

/** How many distinct keys of `wanted` have a good signature among `signatures`; stops at the threshold. */
export function countSigners(
  engine: EngineName,
  wanted: KeyThreshold,
  signatures: readonly CountedSignature[],
): number {
  const signers = new Set<string>();
  for (const signature of signatures) {
    const key = wanted.keys.get(signature.keyId);
    if (key === undefined || signers.has(keyIdentity(key))) continue;
    if (isGood(engine, key, signature)) signers.add(keyIdentity(key));
    if (signers.size >= wanted.threshold) break;
  }
  return signers.size;
}

/** A signature that cannot be read, or a key that is none, is a signature that does not count. */
function isGood(engine: EngineName, key: PublicKey, { raw, message }: CountedSignature): boolean {
  try {
    signatureAlgorithm(key.algorithm).verify({ engine, publicKey: key.bytes, message, signature: raw(key) });
    return true;
  } catch (thrown) {
    if (isFailure(thrown, 'INTERNAL') || !isFailure(thrown)) throw thrown;
    return false;
  }
}

/** A file and the policy that it must meet. */
export interface SignedFile {
  readonly engine: EngineName;
  readonly envelope: Envelope;
  readonly policy: RolePolicy;
}

/** Demands both thresholds of the policy. @throws TRUST_THRESHOLD, TRUST_HYBRID_THRESHOLD */
export function requireThresholds({ engine, envelope, policy }: SignedFile): void {
  const what = `${roleText(policy.role)} ${envelope.signed.version}`;
  const dialect = dialectOf(envelope.dialect);
  const message = signatureMessage('classical', envelope.canonical);
  const classical = envelope.signatures.map(({ keyId, encoded }): CountedSignature => {
    return { keyId, message, raw: (key) => dialect.decodeSignature(key.algorithm, encoded) };
  });
  requireThreshold({ engine, what, policy }, policy.classical, classical);
  if (policy.postQuantum === undefined) return;
  const hybridMessage = signatureMessage('post-quantum', envelope.canonical, engine);
  const postQuantum = envelope.hybridSignatures.map(({ keyId, signature }): CountedSignature => {
    return { keyId, message: hybridMessage, raw: () => signature };
  });
  requireThreshold({ engine, what, policy }, policy.postQuantum, postQuantum);
}

/** What is signed, and under which policy. */
export interface ThresholdRequest {
  readonly engine: EngineName;
  /** What is signed, in words. */
  readonly what: string;
  readonly policy: RolePolicy;
}

/** Demands one threshold. @throws TRUST_THRESHOLD, TRUST_HYBRID_THRESHOLD */
export function requireThreshold(
  { engine, what, policy }: ThresholdRequest,
  wanted: KeyThreshold,
  signatures: readonly CountedSignature[],
): void {
  const found = countSigners(engine, wanted, signatures);
  if (found >= wanted.threshold) return;
  const code = wanted.family === 'classical' ? 'TRUST_THRESHOLD' : 'TRUST_HYBRID_THRESHOLD';
  throw refusal(code, {
    role: policy.role,
    message: `${what}: good ${wanted.family} signatures of ${found} keys, but ${policy.delegator} demands ${wanted.threshold}`,
    details: { section: wanted.family, expected: wanted.threshold, found, keyIds: [...wanted.keys.keys()] },
  });
}
