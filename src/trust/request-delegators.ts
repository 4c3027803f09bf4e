/**
 * The policy of a delegated role in a signing request: from the newest root of its chain down the delegating files that
 * the request carries, outermost first.
 *
 * Rules: each file meets the policy of the one above it, is of the root's repository and kind, and unexpired; the last
 * one delegates to the role of the request.
 */
import { failure, isFailure } from '../core/errors.ts';
import type { SecureevError } from '../core/errors.ts';
import { decodeRole } from '../formats/metadata/envelope.ts';
import type { Envelope, Root, Targets } from '../formats/metadata/types.ts';
import type { SigningRequest } from '../formats/requests/request.ts';
import { delegatedPolicy, delegatedRole } from './delegated-policy.ts';
import { requireThresholds } from './role-policy.ts';
import type { RolePolicy } from './role-policy.ts';
import { rootPolicy } from './state.ts';
import type { TrustTerms } from './state.ts';

/** The policy for the role of a request that a root does not list. @throws REQUEST_FOREIGN, REQUEST_STALE, TRUST_*, METADATA_* */
export function delegatedRequestPolicy(request: SigningRequest, root: Root, terms: TrustTerms): RolePolicy {
  let policies: readonly RolePolicy[] = [rootPolicy(root, 'targets')];
  for (const [index, bytes] of request.delegators.entries()) {
    const envelope = decodeRole(bytes, 'targets').unverified;
    requireOwn(envelope, root, terms);
    const policy = requireOne(envelope, policies, terms);
    const isLast = index === request.delegators.length - 1;
    policies = isLast ? [policyFor(request.role, envelope.signed, policy)] : policiesOf(envelope.signed, policy);
  }
  const [policy] = policies;
  if (policy === undefined || request.delegators.length === 0) {
    throw foreign(`it does not show who delegates to ${request.role}`);
  }
  return policy;
}

function requireOwn({ signed }: Envelope<Targets>, root: Root, terms: TrustTerms): void {
  const [own, expected] = [signed.extension, root.extension];
  if (own?.repository !== expected?.repository || own?.kind !== expected?.kind) {
    throw foreign('a delegating file in it is of another repository');
  }
  if (signed.expires <= terms.now) throw failure('REQUEST_STALE', 'a delegating file in the request has expired');
}

/** A file does not say which role it is of: it must meet one of the policies. @throws TRUST_THRESHOLD, TRUST_HYBRID_THRESHOLD */
function requireOne(envelope: Envelope, policies: readonly RolePolicy[], { engine }: TrustTerms): RolePolicy {
  let first: SecureevError | undefined;
  for (const policy of policies) {
    try {
      requireThresholds({ engine, envelope, policy });
      return policy;
    } catch (thrown) {
      if (!isFailure(thrown, 'TRUST_THRESHOLD') && !isFailure(thrown, 'TRUST_HYBRID_THRESHOLD')) throw thrown;
      first ??= thrown;
    }
  }
  throw first ?? foreign('a file in it delegates to nobody');
}

function policyFor(name: string, signed: Targets, { role, postQuantum }: RolePolicy): RolePolicy {
  const to = delegatedRole(signed, name);
  if (to === undefined) throw foreign(`${role} ${signed.version} does not delegate to ${name}`);
  return delegatedPolicy({ role, signed, isHybrid: postQuantum !== undefined }, to);
}

function policiesOf(signed: Targets, policy: RolePolicy): readonly RolePolicy[] {
  const names = (signed.delegations?.roles ?? []).flatMap(({ roles }) => roles.map(({ name }) => name));
  return [...new Set(names)].map((name) => policyFor(name, signed, policy));
}

function foreign(reason: string): SecureevError {
  return failure('REQUEST_FOREIGN', `this request is not for this root or signer: ${reason}`);
}
