/**
 * Signing a bundle by the policy of the role that will list it.
 *
 * Invariant: a bundle is written only with signatures that meet every threshold of that role under the root in force,
 * classical and post-quantum; keys of others sign nothing.
 */
import { equalBytes } from '../../core/bytes.ts';
import { failure, SecureevError } from '../../core/errors.ts';
import type { EngineName } from '../../core/ports.ts';
import { signatureAlgorithm } from '../../crypto/signatures/index.ts';
import type { CoseSignature } from '../../formats/cose/cose-sign.ts';
import { COSE_ALGORITHMS, coseNumber } from '../../formats/cose/algorithms.ts';
import type { CoseSignatureId } from '../../formats/cose/algorithms.ts';
import { toBeSignedV2 } from '../../formats/otap/v2.ts';
import type { SignedParts } from '../../formats/otap/v2.ts';
import type { PublicKey } from '../../formats/keys/public-key.ts';
import { isComplete, maySign, thresholdStates } from '../../plan/quorum.ts';
import type { Authority, ThresholdState } from '../../plan/quorum.ts';
import type { SignerKey } from '../../signers/signer.ts';
import type { Reader } from '../../store/reader.ts';
import { sectionOf } from '../repository/collect-signatures.ts';
import { named } from '../repository/advance-role.ts';
import { authoritiesFor, membersFor } from '../repository/definitions.ts';
import { revokedSigners } from '../repository/revoked-keys.ts';

/** The keys that will sign; known to be enough, unless others sign later by request. */
export interface BundleSigners {
  readonly keys: readonly SignerKey[];
  /** Their algorithms, in the order of the manifest. */
  readonly algorithms: readonly CoseSignatureId[];
  /** Revoked keys among them. */
  readonly warnings: readonly string[];
}

/**
 * Picks from `offered` the keys of `roles`, every one of which must be met.
 *
 * @throws BUNDLE_THRESHOLD, KEY_NOT_OF_ROLE
 */
export function bundleSigners(
  reader: Reader,
  { roles, incomplete }: { roles: readonly string[]; incomplete: boolean },
  offered: readonly SignerKey[],
): BundleSigners {
  const role = roles.join(' and ');
  const listing = roles.map((name) => ({ repository: 'image', name }) as const);
  const each = listing.map((one) => authoritiesFor(reader, one, 'next'));
  const authorities = each.flat();
  if (each.some((some) => some.length === 0)) {
    throw new SecureevError('BUNDLE_THRESHOLD', {
      message: `no complete root or delegator says who signs for ${role}`,
      hint: 'sign it first: `secureev sign root --key ...`, for a delegated role `secureev sign targets --key ...`',
    });
  }
  const keys = distinct(offered).filter(({ publicKey }) => maySign(authorities, sectionOf(publicKey)));
  if (!incomplete) requireEnough(role, authorities, keys);
  const members = listing.flatMap((one) => membersFor(reader, one));
  const listed = members.flatMap((member) => [member.classical, ...(member.postQuantum ? [member.postQuantum] : [])]);
  for (const { publicKey } of keys) requireListed(publicKey, listed);
  const signing = incomplete ? keysOfRole(listed, authorities) : keys.map(({ publicKey }) => publicKey);
  const used = COSE_ALGORITHMS.map(({ id }) => id).filter((id) => signing.some((key) => key.algorithm === id));
  const signed = named(
    members,
    keys.map(({ publicKey }) => publicKey),
  );
  const warnings = revokedSigners(reader, `bundles of ${role}`, signed);
  return { keys, algorithms: used.toSorted((a, b) => coseNumber(b) - coseNumber(a)), warnings };
}

/** Whoever signs later, the manifest demands the algorithms of all the role's keys. */
function keysOfRole(listed: readonly PublicKey[], authorities: readonly Authority[]): readonly PublicKey[] {
  return listed.filter((key) => maySign(authorities, sectionOf(key)));
}

function distinct(keys: readonly SignerKey[]): readonly SignerKey[] {
  return [...new Map(keys.map((key) => [key.publicKey.keyId, key])).values()];
}

function requireEnough(role: string, authorities: readonly Authority[], keys: readonly SignerKey[]): void {
  const states = thresholdStates(
    authorities,
    keys.map(({ publicKey }) => sectionOf(publicKey)),
  );
  if (isComplete(states)) return;
  const short = states.filter((state) => state.signed.length < state.needed);
  throw new SecureevError('BUNDLE_THRESHOLD', {
    message: `the keys given do not meet the thresholds of ${role}: ${short.map(shortText).join('; ')}`,
    hint: 'give all signers at once: --key A --key B, or package with --incomplete and ask for the rest by `secureev request create`',
    details: { role, missing: short.flatMap((state) => state.missing) },
  });
}

function shortText({ section, signed, needed }: ThresholdState): string {
  return `${signed.length} of ${needed} ${section} keys`;
}

/** The key as the root or delegator lists it, not as the signer claims it. */
function requireListed(claimed: PublicKey, listed: readonly PublicKey[]): void {
  const found = listed.find((key) => key.keyId === claimed.keyId);
  if (found?.algorithm === claimed.algorithm && equalBytes(found.bytes, claimed.bytes)) return;
  throw failure('KEY_NOT_OF_ROLE', `the signer's key is not the one that is listed under ${claimed.keyId}`);
}

/** Signs header and manifest with every key; each signature is verified before it is used. @throws SIGNATURE_INVALID, SIGNER_* */
export async function signBundle(
  parts: SignedParts,
  signers: BundleSigners,
  engine: EngineName,
): Promise<readonly CoseSignature[]> {
  const signatures: CoseSignature[] = [];
  for (const { publicKey, sign } of signers.keys) {
    const algorithm = signatureAlgorithm(publicKey.algorithm);
    const { keyId } = publicKey;
    const message = toBeSignedV2(parts, { algorithm: algorithm.id, keyId });
    const signature = await sign(message);
    algorithm.verify({ engine, publicKey: publicKey.bytes, message, signature });
    signatures.push({ algorithm: algorithm.id, keyId, signature });
  }
  return signatures;
}
