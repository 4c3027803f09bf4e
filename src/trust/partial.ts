/**
 * Partial verification: what an ECU does that is handed the Director's roots and Targets by its Primary and nothing else.
 *
 * Rules: the root chain as always; thresholds under the last root, its repository and kind; a version not lower than the
 * one seen before; unexpired. Timestamp, Snapshot and the Image repository are not looked at, so what Targets says is as
 * fresh as its own expiry.
 *
 * @see Uptane 2.1.0 section 5.4.4.8
 */
import { isFailure } from '../core/errors.ts';
import { decodeRole } from '../formats/metadata/envelope.ts';
import type { Version } from '../core/brands.ts';
import { believe } from './believe.ts';
import { requireThresholds } from './role-policy.ts';
import { refusal } from './refusal.ts';
import { fetchListed, NO_STORE } from './source.ts';
import type { TrustSource } from './source.ts';
import { requireSameRepository, requireUnexpired, rootPolicy } from './state.ts';
import type { TrustedSet, TrustedTargets } from './state.ts';
import { updateRoot } from './update.ts';
import type { UpdateRequest } from './update.ts';

/** What an ECU was handed. */
export interface PartialRequest extends UpdateRequest {
  /** The number in the file's name; undefined where it has none. */
  readonly version: Version | undefined;
}

/** Verifies roots and Targets alone. @throws TRUST_*, METADATA_*, JSON_*, and what source and store throw */
export async function updatePartial(source: TrustSource, request: PartialRequest): Promise<TrustedSet> {
  const { store = NO_STORE, version } = request;
  const set = await updateRoot(source, request);
  const stored = await store.load('targets');
  const maxBytes = set.terms.limits.targetsBytesMax;
  const bytes = await fetchListed(source, { role: 'targets', version, maxBytes });
  const next = takePartial(set, bytes, stored);
  await store.save('targets', bytes);
  return next;
}

function takePartial(set: TrustedSet, bytes: Uint8Array, stored: Uint8Array | undefined): TrustedSet {
  const file = signedTargets(set, bytes);
  const { signed } = file.file.verified;
  const before = stored && seenVersion(set, stored);
  if (before !== undefined && signed.version < before) {
    throw refusal('TRUST_ROLLBACK', {
      role: 'targets',
      message: `targets is version ${signed.version}, but version ${before} was seen before`,
      details: { expected: before, found: signed.version },
    });
  }
  requireUnexpired(set.terms, signed, 'targets');
  return { ...set, targets: new Map([['targets', file]]) };
}

function signedTargets(set: TrustedSet, bytes: Uint8Array): TrustedTargets {
  const envelope = decodeRole(bytes, 'targets').unverified;
  const policy = rootPolicy(set.root.verified.signed, 'targets');
  requireThresholds({ engine: set.terms.engine, envelope, policy });
  requireSameRepository(set.root.verified, envelope, 'targets');
  const isHybrid = policy.postQuantum !== undefined;
  return { file: believe(envelope), isHybrid, verifiedUnder: new Set([policy.id]) };
}

/** The version of what was stored, where the root's keys still vouch for it. */
function seenVersion(set: TrustedSet, stored: Uint8Array): number | undefined {
  try {
    return signedTargets(set, stored).file.verified.signed.version;
  } catch (thrown) {
    if (isFailure(thrown) && !isFailure(thrown, 'INTERNAL')) return undefined;
    throw thrown;
  }
}
