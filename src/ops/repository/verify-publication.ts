/** Walks through a tree as a client will, before any of it is written. */
import { isFailure, SecureevError } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import { TRUST_LIMITS } from '../../trust/limits.ts';
import { nextRoot, pinRoot, requireFinalRoot } from '../../trust/root-chain.ts';
import { rootPolicy } from '../../trust/state.ts';
import type { TrustedSet } from '../../trust/state.ts';
import { takeSnapshot, takeTargets, takeTimestamp } from '../../trust/steps.ts';
import type { Publication } from './publication.ts';

/** Verifies the tree from its first root. @throws PUBLISH_REFUSED with the refusal as its cause */
export function verifyPublication(io: Io, publication: Publication): TrustedSet {
  try {
    return walk(io, publication);
  } catch (thrown) {
    if (!isFailure(thrown)) throw thrown;
    throw new SecureevError('PUBLISH_REFUSED', {
      message: `clients would refuse this: ${thrown.message}`,
      hint: hintFor(thrown.code),
      details: { code: thrown.code, ...thrown.details },
      cause: thrown,
    });
  }
}

function walk(io: Io, publication: Publication): TrustedSet {
  const terms = {
    engine: io.engine,
    now: io.clock.now(),
    limits: TRUST_LIMITS,
    requireHybrid: false,
    kind: 'image',
    maxStalenessSeconds: 0,
  } as const;
  const [first, ...later] = publication.roots.map(({ bytes }) => bytes);
  let set = pinRoot(first ?? new Uint8Array(), terms);
  for (const root of later) set = nextRoot(set, root);
  requireFinalRoot(set);
  set = takeTimestamp(set, publication.timestamp.bytes, undefined);
  set = takeSnapshot(set, publication.snapshot.bytes, undefined);
  const policy = rootPolicy(set.root.verified.signed, 'targets');
  const top = publication.targets.find(({ role }) => role === 'targets');
  return takeTargets(set, { role: 'targets', bytes: top?.bytes ?? new Uint8Array(), policy });
}

function hintFor(code: string): string | undefined {
  if (code === 'TRUST_EXPIRED') return 'sign it again with `secureev renew`';
  if (code === 'TRUST_THRESHOLD' || code === 'TRUST_HYBRID_THRESHOLD') {
    return 'the root has changed: sign the other roles again with the keys it lists now';
  }
  return undefined;
}
