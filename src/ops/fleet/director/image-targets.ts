/** What the Director repeats of the Image repository: complete targets and their sealed payloads, each looked up once. */
import { parseTargetName } from '../../../core/brands.ts';
import { SecureevError } from '../../../core/errors.ts';
import type { DirectorTarget } from '../../../plan/director-bodies.ts';
import { sealedName } from '../../../plan/director-bodies.ts';
import type { TargetName } from '../../../core/brands.ts';
import type { Reader } from '../../../store/reader.ts';
import { assignedTargets, assignedTo } from '../../../store/assignments.ts';
import { findCompleteTarget, findTarget } from '../../../store/targets.ts';
import type { Target } from '../../../store/targets.ts';

/** Complete targets by name. */
export interface ImageTargets {
  /** @throws DIRECTOR_TARGET_NOT_COMPLETE */
  find(name: string): DirectorTarget;
}

/** Targets kept at once; a fleet is mostly on few releases. */
const KEPT_MAX = 4096;

/** Looks targets up in the last complete Targets of the roles that own them; what it found it keeps. */
export function imageTargets(reader: Reader): ImageTargets {
  const kept = new Map<string, DirectorTarget>();
  return {
    find(name) {
      const known = kept.get(name);
      if (known !== undefined) return known;
      if (kept.size >= KEPT_MAX) kept.clear();
      const found = findDirectorTarget(reader, parseTargetName(name));
      kept.set(name, found);
      return found;
    },
  };
}

function findDirectorTarget(reader: Reader, name: TargetName): DirectorTarget {
  const target = completeTarget(reader, name);
  if (target === undefined) throw notComplete(reader, name);
  const { length, sha256, custom } = target;
  const sealed = completeTarget(reader, sealedName(name));
  const encrypted = sealed && { name: sealed.name, length: sealed.length, sha256: sealed.sha256 };
  return { name, length, sha256, custom, encrypted };
}

/** What is assigned and listed no more: vehicles refuse metadata that names it, however often it is signed again. */
export function danglingAssignments(reader: Reader): readonly string[] {
  const gone = assignedTargets(reader).filter((name) => completeTarget(reader, name) === undefined);
  return gone.map((name) => notComplete(reader, name).message);
}

/** Says who is concerned, and whether signing helps. */
function notComplete(reader: Reader, name: TargetName): SecureevError {
  const { vehicles, first } = assignedTo(reader, name);
  const [one] = first;
  const vins = first.map(({ vin }) => vin).join(', ');
  const others = vehicles > first.length ? ', ...' : '';
  const staged = findTarget(reader, name);
  const signs = `secureev sign ${[...new Set([staged?.role ?? 'targets', 'snapshot', 'timestamp'])].join(' ')}`;
  const takesBack = `secureev assign ${one?.vin ?? 'VIN'} --remove ${one?.ecu ?? 'ECU'}`;
  return new SecureevError('DIRECTOR_TARGET_NOT_COMPLETE', {
    message: `${name} is assigned to ${vehicles} vehicle${vehicles === 1 ? '' : 's'} (${vins}${others}), but is in no complete Targets of the Image repository`,
    hint:
      staged === undefined
        ? `it is not listed any more: assign something else, or take it back with \`${takesBack}\``
        : `it is only staged: \`${signs}\``,
    details: { target: name, vehicles, vins: first.map(({ vin }) => vin), staged: staged !== undefined },
  });
}

/** A target of the last complete versions, in whichever role clients find it. */
export function completeTarget(reader: Reader, name: TargetName): Target | undefined {
  return findCompleteTarget(reader, name);
}
