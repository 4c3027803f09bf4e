/**
 * Signs a request on a machine that has nothing but the program, the request, a pinned root and a key.
 *
 * In two steps, so that a person sees in between what the bytes say: `openRequest` verifies and works the change out,
 * `signRequest` signs it and writes the answer.
 */
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

/** A verified request, and what it would do. */
export interface OpenedRequest {
  readonly checked: Verified<RoleRequest>;
  /** SHA-256 of the request file, 32 bytes. */
  readonly digest: Uint8Array;
  readonly role: string;
  readonly version: number;
  readonly expires: Instant;
  readonly previousExpires: Instant | undefined;
  readonly changes: readonly MetadataChange[];
  readonly thresholds: readonly RequestThreshold[];
}

/** Verifies a request and works its change out. @throws REQUEST_*, TRUST_*, METADATA_*, FILE_* */
export async function openRequest(input: OpenRequestInput, io: Io): Promise<OpenedRequest> {
  const bytes = await io.files.read(input.file, REQUEST_BYTES_MAX);
  const unverified = decodeRequest(bytes);
  const pinned = input.root === undefined ? undefined : await io.files.read(input.root, METADATA_BYTES_MAX.root);
  const { kind } = unverified.unverified;
  const limits = { engine: io.engine, now: input.now, limits: TRUST_LIMITS, requireHybrid: false, kind };
  const terms = { ...limits, maxStalenessSeconds: 0 };
  const checked = verifyRoleRequest(unverified, { terms, pinned, fingerprint: input.fingerprint });
  const { payload, before, policies, request } = checked.verified;
  return {
    checked,
    digest: sha256(io.engine, bytes),
    role: request.kind === 'director' ? `director/${request.role}` : request.role,
    version: payload.version,
    expires: payload.expires,
    previousExpires: before?.expires,
    changes: metadataChanges(before, payload),
    thresholds: policies.flatMap(thresholdsOf),
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
  if ((await io.files.status(out)) !== undefined) throw failure('FILE_EXISTS', `${out} is there already`);
  using open = await openSigners(input.signers, { io, passphrases: input.passphrases });
  const keys = open.signers.flatMap((signer) => signer.keys);
  for (const key of keys) requireListed(opened, key);
  const signatures: AnsweredSignature[] = [];
  for (const key of keys) {
    if (input.journal !== undefined) await noteInJournal(io, { folder: input.journal, key }, journalNote(io, opened));
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
  const listed = opened.checked.verified.policies.some((policy) => {
    const wanted = family === 'classical' ? policy.classical : policy.postQuantum;
    return [...(wanted?.keys.values() ?? [])].some((known) => equalBytes(known.bytes, publicKey.bytes));
  });
  if (listed) return;
  throw failure('KEY_NOT_OF_ROLE', `key ${publicKey.keyId} is not a key of ${opened.role}, old or new`, {
    keyId: publicKey.keyId,
  });
}

async function signOne(opened: OpenedRequest, key: SignerKey): Promise<AnsweredSignature> {
  const { family: section } = signatureAlgorithm(key.publicKey.algorithm);
  const message = signatureMessage(section, opened.checked.verified.canonical);
  return { section, keyId: key.publicKey.keyId, signature: await key.sign(message) };
}

function journalNote(io: Io, opened: OpenedRequest): Parameters<typeof noteInJournal>[2] {
  const { request, payload } = opened.checked.verified;
  return {
    step: `sign:${request.kind}:${request.repository}:${request.role}:${payload.version}`,
    payload: sha256(io.engine, request.payload),
    request: opened.digest,
  };
}
