/**
 * A signing request, checked on the offline side: nothing in it is believed but what follows from the pinned root.
 *
 * Rules: the root chain in the request is walked from the pinned root (for a first root its fingerprint stands in for
 * it); a delegated role's policy comes from the delegating files, verified under that root; `last` must meet the role's
 * policy under one of those roots; the payload is of the role, the repository and the
 * kind that the root names, newer than `last`, unexpired, and holds no member that is not understood and shown.
 */
import { equalBytes, toHex } from '../core/bytes.ts';
import { failure } from '../core/errors.ts';
import type { SecureevError } from '../core/errors.ts';
import { isFailure } from '../core/errors.ts';
import type { Unverified, Verified } from '../core/verified.ts';
import { sha256 } from '../crypto/hash.ts';
import { canonicalOf, decodeMetadata, decodeSignedBytes, dialectOfBytes } from '../formats/metadata/envelope.ts';
import { TOP_LEVEL_ROLES } from '../formats/metadata/types.ts';
import type { Envelope, Root, Signed } from '../formats/metadata/types.ts';
import type { SigningRequest } from '../formats/requests/request.ts';
import { believe } from './believe.ts';
import { delegatedRequestPolicy } from './request-delegators.ts';
import { requireThresholds } from './role-policy.ts';
import type { RolePolicy } from './role-policy.ts';
import { nextRoot, pinRoot } from './root-chain.ts';
import { rootPolicy } from './state.ts';
import type { TrustTerms } from './state.ts';

/** A role's payload that may be shown and signed. */
export interface RoleRequest {
  readonly request: SigningRequest;
  /** What is to be signed. */
  readonly payload: Signed;
  /** What classical signatures cover. */
  readonly canonical: Uint8Array;
  /** The body of the role's last complete version; undefined for the first. */
  readonly before: Signed | undefined;
  /** All of these must be met: for a root the policy of the root in force (if any) and its own. */
  readonly policies: readonly RolePolicy[];
  /** The newest root of the chain; undefined for a first root. */
  readonly root: Root | undefined;
}

/** What the offline side knows by itself. */
export interface RequestTrust {
  readonly terms: TrustTerms;
  /** The pinned root file. */
  readonly pinned: Uint8Array | undefined;
  /** For a first root: SHA-256 of the payload in hex, as someone read it out. */
  readonly fingerprint: string | undefined;
}

/**
 * Checks a request for a role.
 *
 * @throws REQUEST_FOREIGN, REQUEST_STALE, REQUEST_UNKNOWN_MEMBER, TRUST_*, and what decoding throws
 */
export function verifyRoleRequest(unverified: Unverified<SigningRequest>, trust: RequestTrust): Verified<RoleRequest> {
  const request = unverified.unverified;
  const payload = decodePayload(request);
  const chain = walkRequestRoots(request, trust);
  const root = chain.at(-1);
  if (root === undefined) return believe(firstRoot(request, payload, trust));
  requireSame(request, payload, root);
  requireSameDialect(request, trust);
  if (payload.expires <= trust.terms.now)
    throw failure('REQUEST_STALE', `the ${request.role} to be signed has expired`);
  const policies = policiesFor(request, { payload, root, trust });
  const before = lastVersion({ request, policies }, chain, trust);
  requireNewer(request, payload, payload.role === 'root' ? root : before);
  return believe({
    request,
    payload,
    canonical: canonicalOf(request.payload),
    before: payload.role === 'root' ? root : before,
    policies,
    root,
  });
}

function policiesFor(
  request: SigningRequest,
  { payload, root, trust }: { payload: Signed; root: Root; trust: RequestTrust },
): readonly RolePolicy[] {
  if (!isTopLevel(request.role)) return [delegatedRequestPolicy(request, root, trust.terms)];
  if (payload.role !== 'root') return [rootPolicy(root, payload.role)];
  return [rootPolicy(root, 'root'), rootPolicy(payload, 'root')];
}

/** Decodes the payload, which must be what is understood of it, written again. */
function decodePayload(request: SigningRequest): Signed {
  if (request.subject !== 'role') throw foreign('it is not for a role');
  const payload = decodeUnderstood(request);
  // A Targets body does not say which role it is: that the signer's keys are those of the role shows in its delegator.
  const expected = TOP_LEVEL_ROLES.find((role) => role === request.role) ?? 'targets';
  if (payload.role !== expected) throw foreign(`it is for ${request.role}, but its payload is of ${payload.role}`);
  return payload;
}

function decodeUnderstood(request: SigningRequest): Signed {
  try {
    return decodeSignedBytes(request.payload);
  } catch (thrown) {
    if (!isFailure(thrown, 'METADATA_UNKNOWN_MEMBER')) throw thrown;
    throw failure(
      'REQUEST_UNKNOWN_MEMBER',
      `the ${request.role} to be signed holds members that are not understood here`,
    );
  }
}

/** The roots from the pinned one on, each verified by the one before; none for a request without roots. @throws TRUST_*, REQUEST_FOREIGN, USAGE */
export function walkRequestRoots(request: SigningRequest, { pinned, terms }: RequestTrust): readonly Root[] {
  if (request.roots.length === 0) return [];
  if (pinned === undefined) {
    throw failure('USAGE', 'this request comes with roots: name the pinned root with --root');
  }
  let set = pinRoot(pinned, terms);
  const chain = [set.root.verified.signed];
  for (const bytes of request.roots) {
    const { version } = set.root.verified.signed;
    const found = decodeMetadata(bytes, 'root').unverified.signed;
    if (found.role !== 'root') throw foreign('its chain holds a file that is no root');
    if (found.version < version) continue;
    if (found.version === version) {
      if (!equalBytes(bytes, set.root.verified.bytes)) throw foreign(`its root ${version} is not the pinned one`);
      continue;
    }
    set = nextRoot(set, bytes);
    chain.push(set.root.verified.signed);
  }
  return chain;
}

function firstRoot(request: SigningRequest, payload: Signed, trust: RequestTrust): RoleRequest {
  if (payload.role !== 'root' || payload.version !== 1 || request.last !== undefined) {
    throw foreign('it has no roots, and only version 1 of a root needs none');
  }
  const digest = toHex(sha256(trust.terms.engine, request.payload));
  if (trust.fingerprint?.replaceAll(/[\s:]/g, '').toLowerCase() !== digest) {
    const message = 'the fingerprint of this first root was not given, or is another one';
    throw failure('REQUEST_FOREIGN', `${message}: it is ${digest}`, { sha256: digest });
  }
  if (payload.extension?.repository !== request.repository || payload.extension.kind !== request.kind) {
    throw foreign('its payload names another repository');
  }
  if (payload.expires <= trust.terms.now) throw failure('REQUEST_STALE', 'the root to be signed has expired');
  const policies = [rootPolicy(payload, 'root')];
  return { request, payload, canonical: canonicalOf(request.payload), before: undefined, policies, root: undefined };
}

function requireSame(request: SigningRequest, payload: Signed, root: Root): void {
  const { repository, kind } = root.extension ?? {};
  const own = payload.extension;
  const isSame = own?.repository === repository && own?.kind === kind;
  if (!isSame || request.repository !== repository || request.kind !== kind) {
    throw foreign('the pinned root is of another repository');
  }
}

/** One key signs in one dialect: a payload of another one than the pinned root's is refused. */
function requireSameDialect(request: SigningRequest, { pinned }: RequestTrust): void {
  const root = pinned && decodeMetadata(pinned, 'root').unverified.dialect;
  if (root !== dialectOfBytes(request.payload).id)
    throw foreign('its payload is of another dialect than the pinned root');
}

/** The role's last version, which must meet the policy of one of the roots of the chain, or of the delegator. */
function lastVersion(
  { request, policies }: Pick<RoleRequest, 'request' | 'policies'>,
  chain: readonly Root[],
  { terms }: RequestTrust,
): Signed | undefined {
  if (request.last === undefined) return undefined;
  const envelope = decodeMetadata(request.last, 'last').unverified;
  const { role } = envelope.signed;
  if (role !== (isTopLevel(request.role) ? request.role : 'targets')) throw foreign(`its last version is of ${role}`);
  if (!isTopLevel(request.role)) {
    for (const policy of policies) requireThresholds({ engine: terms.engine, envelope, policy });
    return envelope.signed;
  }
  const refusals = chain.toReversed().map((root) => thresholdRefusal(envelope, root, terms));
  const [first] = refusals;
  if (first !== undefined && refusals.every((refusal) => refusal !== undefined)) throw first;
  return envelope.signed;
}

function thresholdRefusal(envelope: Envelope, root: Root, terms: TrustTerms): SecureevError | undefined {
  try {
    requireThresholds({ engine: terms.engine, envelope, policy: rootPolicy(root, envelope.signed.role) });
    return undefined;
  } catch (thrown) {
    if (!isFailure(thrown, 'TRUST_THRESHOLD') && !isFailure(thrown, 'TRUST_HYBRID_THRESHOLD')) throw thrown;
    return thrown;
  }
}

function isTopLevel(name: string): boolean {
  return TOP_LEVEL_ROLES.some((role) => role === name);
}

function requireNewer(request: SigningRequest, payload: Signed, before: Signed | undefined): void {
  const least = (before?.version ?? 0) + 1;
  const exact = payload.role === 'root';
  if (exact ? payload.version === least : payload.version >= least) return;
  const wanted = exact ? `${least}` : `${least} or higher`;
  throw failure('REQUEST_STALE', `${request.role} ${payload.version} is to be signed, where ${wanted} belongs`, {
    expected: least,
    found: payload.version,
  });
}

function foreign(reason: string): SecureevError {
  return failure('REQUEST_FOREIGN', `this request is not for this root or signer: ${reason}`);
}
