/**
 * Signs a request on a machine that has nothing but the program, the request, a pinned root and a key.
 *
 * In two steps, so that a person sees in between what the bytes say: `openRequest` verifies and works the change out,
 * `signRequest` signs it and writes the answer.
 */
import { requireFreePath } from '../../core/free-path.ts';
import { atPath } from '../../core/at-path.ts';
import { equalBytes } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import type { Instant } from '../../core/brands.ts';
import type { Io } from '../../core/ports.ts';
import type { Verified } from '../../core/verified.ts';
import { sha256 } from '../../crypto/hash.ts';
import { signatureAlgorithm } from '../../crypto/signatures/index.ts';
import { METADATA_BYTES_MAX } from '../../formats/metadata/limits.ts';
import { signatureMessage } from '../../formats/metadata/envelope.ts';
import { encodeAnswer } from '../../formats/requests/answer.ts';
import type { AnsweredSignature } from '../../formats/requests/answer.ts';
import { REQUEST_BYTES_MAX, decodeRequest } from '../../formats/requests/request.ts';
import { metadataChanges } from '../../plan/metadata-change.ts';
import type { MetadataChange } from '../../plan/metadata-change.ts';
import { openSigners } from '../../signers/index.ts';
import type { PassphraseChoice, SignerKey } from '../../signers/signer.ts';
import { TRUST_LIMITS } from '../../trust/limits.ts';
import type { Manifest } from '../../formats/otap/bundle.ts';
import { toBeSignedV2 } from '../../formats/otap/v2.ts';
import type { PublicKey } from '../../formats/keys/public-key.ts';
import { verifyBundleRequest } from '../../trust/bundle-request.ts';
import type { BundleRequest } from '../../trust/bundle-request.ts';
import { verifyRoleRequest } from '../../trust/role-request.ts';
import type { RoleRequest } from '../../trust/role-request.ts';
import type { RolePolicy } from '../../trust/role-policy.ts';
import { noteInJournal } from './signing-journal.ts';

/** Where the request is, and what it is verified with. */
export interface OpenRequestInput {
  readonly file: string;
  /** The pinned root's file; undefined for a first root. */
  readonly root: string | undefined;
  readonly fingerprint: string | undefined;
  readonly now: Instant;
}

/** A threshold that the new version must meet. */
export interface RequestThreshold {
  readonly delegator: string;
  readonly family: 'classical' | 'post-quantum';
  readonly threshold: number;
  readonly keyIds: readonly string[];
}

/** What a role's request would do. */
export interface RoleView {
  readonly kind: 'role';
  readonly role: string;
  readonly version: number;
  readonly expires: Instant;
  readonly previousExpires: Instant | undefined;
  readonly changes: readonly MetadataChange[];
}

/** What a bundle's request would sign. */
export interface BundleView {
  readonly kind: 'bundle';
  readonly role: string;
  readonly gateway: string;
  readonly manifest: Manifest;
}

/** A verified request, and what it would do. */
export interface OpenedRequest {
  readonly view: RoleView | BundleView;
  /** SHA-256 of the request file, 32 bytes. */
  readonly digest: Uint8Array;
  readonly thresholds: readonly RequestThreshold[];
  readonly policies: readonly RolePolicy[];
  /** The step of the journal: what may be signed once. */
  readonly step: string;
  /** SHA-256 of the payload, 32 bytes. */
  readonly payloadDigest: Uint8Array;
  /** What a key signs. */
  readonly messageFor: (key: PublicKey) => Uint8Array;
}

/** Verifies a request and works its change out. @throws REQUEST_*, TRUST_*, METADATA_*, OTAP_*, FILE_* */
export async function openRequest(input: OpenRequestInput, io: Io): Promise<OpenedRequest> {
  const bytes = await io.files.read(input.file, REQUEST_BYTES_MAX);
  const unverified = await atPath(input.file, () => decodeRequest(bytes));
  const pinned = input.root === undefined ? undefined : await io.files.read(input.root, METADATA_BYTES_MAX.root);
  const { kind, subject, payload } = unverified.unverified;
  const limits = { engine: io.engine, now: input.now, limits: TRUST_LIMITS, requireHybrid: false, kind };
  const trust = { terms: { ...limits, maxStalenessSeconds: 0 }, pinned, fingerprint: input.fingerprint };
  const opened =
    subject === 'role'
      ? openRole(verifyRoleRequest(unverified, trust))
      : openBundle(verifyBundleRequest(unverified, trust));
  return {
    ...opened,
    digest: sha256(io.engine, bytes),
    payloadDigest: sha256(io.engine, payload),
    thresholds: opened.policies.flatMap(thresholdsOf),
  };
}

type Opened = Pick<OpenedRequest, 'view' | 'policies' | 'step' | 'messageFor'>;

function openRole({ verified }: Verified<RoleRequest>): Opened {
  const { payload, before, policies, request, canonical } = verified;
  const role = request.kind === 'director' ? `director/${request.role}` : request.role;
  const { version, expires } = payload;
  return {
    view: {
      kind: 'role',
      role,
      version,
      expires,
      previousExpires: before?.expires,
      changes: metadataChanges(before, payload),
    },
    policies,
    step: `sign:${request.kind}:${request.repository}:${request.role}:${version}`,
    messageFor: (key) => signatureMessage(signatureAlgorithm(key.algorithm).family, canonical),
  };
}

function openBundle({ verified }: Verified<BundleRequest>): Opened {
  const { request, gateway, manifest, parts, policies } = verified;
  return {
    view: { kind: 'bundle', role: request.role, gateway, manifest },
    policies,
    step: `sign:bundle:${request.repository}:${manifest.release}:${gateway}:${manifest.releaseCounter}`,
    messageFor: ({ algorithm, keyId }) => toBeSignedV2(parts, { algorithm: signatureAlgorithm(algorithm).id, keyId }),
  };
}

function thresholdsOf(policy: RolePolicy): readonly RequestThreshold[] {
  return [policy.classical, policy.postQuantum].flatMap((wanted) => {
    if (wanted === undefined) return [];
    const { family, threshold, keys } = wanted;
    return [{ delegator: policy.delegator, family, threshold, keyIds: [...keys.keys()] }];
  });
}

/** What to sign with, and where the answer goes. */
export interface SignRequestInput {
  readonly opened: OpenedRequest;
  readonly signers: readonly string[];
  readonly passphrases: PassphraseChoice;
  readonly out: string;
  readonly journal: string | undefined;
  /** Whether example keys may sign. */
  readonly rehearsal: boolean;
}

/** The signatures that were written. */
export interface SignedRequest {
  readonly signatures: readonly { readonly section: string; readonly keyId: string }[];
  /** Who signed, in words. */
  readonly signers: readonly string[];
}

/** Signs a verified request. @throws KEY_NOT_OF_ROLE, REQUEST_JOURNAL_CONFLICT, SIGNER_*, FILE_EXISTS */
export async function signRequest(input: SignRequestInput, io: Io): Promise<SignedRequest> {
  const { opened, out } = input;
  await requireFreePath(io.files, out);
  using open = await openSigners(input.signers, { io, passphrases: input.passphrases, rehearsal: input.rehearsal });
  const keys = open.signers.flatMap((signer) => signer.keys);
  for (const key of keys) requireListed(opened, key);
  const signatures: AnsweredSignature[] = [];
  for (const key of keys) {
    const note = { step: opened.step, payload: opened.payloadDigest, request: opened.digest };
    if (input.journal !== undefined) await noteInJournal(io, { folder: input.journal, key }, note);
    signatures.push(await signOne(opened, key));
  }
  await io.files.write(out, encodeAnswer({ request: opened.digest, signatures }));
  return {
    signatures: signatures.map(({ section, keyId }) => ({ section, keyId })),
    signers: open.signers.map((signer) => signer.description),
  };
}

/** Refuses a key that the role does not list, by id and by its very bytes. */
function requireListed(opened: OpenedRequest, key: SignerKey): void {
  const { publicKey } = key;
  const { family } = signatureAlgorithm(publicKey.algorithm);
  const listed = opened.policies.some((policy) => {
    const wanted = family === 'classical' ? policy.classical : policy.postQuantum;
    return [...(wanted?.keys.values() ?? [])].some((known) => equalBytes(known.bytes, publicKey.bytes));
  });
  if (listed) return;
  throw failure('KEY_NOT_OF_ROLE', `key ${publicKey.keyId} is not a key of ${opened.view.role}, old or new`, {
    keyId: publicKey.keyId,
  });
}

async function signOne(opened: OpenedRequest, key: SignerKey): Promise<AnsweredSignature> {
  const { family: section } = signatureAlgorithm(key.publicKey.algorithm);
  return { section, keyId: key.publicKey.keyId, signature: await key.sign(opened.messageFor(key.publicKey)) };
}
