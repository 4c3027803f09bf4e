/**
 * A request to sign a bundle, checked on the offline side: the root chain from the pinned root, and header and manifest
 * decoded whole; unknown fields are refused by the decoder.
 *
 * The signers are the keys of Targets under the newest root of the chain, or of a role that it delegates to as the
 * delegating files show: the request says which bundle, never who signs.
 */
import { equalBytes } from '../core/bytes.ts';
import { failure } from '../core/errors.ts';
import type { Unverified, Verified } from '../core/verified.ts';
import type { Name } from '../core/brands.ts';
import type { Manifest } from '../formats/otap/bundle.ts';
import { decodeSignedParts, encodeSignedParts } from '../formats/otap/v2.ts';
import type { SignedParts } from '../formats/otap/v2.ts';
import type { SigningRequest } from '../formats/requests/request.ts';
import { believe } from './believe.ts';
import { walkRequestRoots } from './role-request.ts';
import type { RequestTrust } from './role-request.ts';
import { delegatedRequestPolicy } from './request-delegators.ts';
import type { RolePolicy } from './role-policy.ts';
import { rootPolicy } from './state.ts';

/** A bundle's header and manifest that may be shown and signed. */
export interface BundleRequest {
  readonly request: SigningRequest;
  readonly gateway: Name;
  readonly manifest: Manifest;
  readonly parts: SignedParts;
  readonly policies: readonly RolePolicy[];
}

/** Checks a request for a bundle. @throws REQUEST_FOREIGN, TRUST_*, OTAP_*, CBOR_MALFORMED */
export function verifyBundleRequest(
  { unverified: request }: Unverified<SigningRequest>,
  trust: RequestTrust,
): Verified<BundleRequest> {
  const root = walkRequestRoots(request, trust).at(-1);
  if (root === undefined) throw foreign('it comes without roots');
  const { repository, kind } = root.extension ?? {};
  if (request.repository !== repository || request.kind !== kind)
    throw foreign('the pinned root is of another repository');
  const { decoded, ...parts } = decodeSignedParts(request.payload);
  if (!equalBytes(encodeSignedParts(parts), request.payload)) throw foreign('its header is not as it would be written');
  const isTargets = request.role === 'targets';
  const policies = [isTargets ? rootPolicy(root, 'targets') : delegatedRequestPolicy(request, root, trust.terms)];
  return believe({ request, gateway: parts.header.gateway, manifest: decoded.unverified, parts, policies });
}

function foreign(reason: string): Error {
  return failure('REQUEST_FOREIGN', `this request is not for this root or signer: ${reason}`);
}
