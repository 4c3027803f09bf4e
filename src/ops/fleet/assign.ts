/**
 * `assign`: targets for the ECUs of one vehicle, or what they were assigned taken back.
 *
 * Invariants: a target is complete in the Image repository; what is assigned fits the ECU, is no downgrade unless that was
 * asked for, and what all of it demands of other ECUs is met by what is assigned with it or was known last (U24, R3, R4).
 */
import type { TargetName, Vin } from '../../core/brands.ts';
import { quote } from '../../core/brands.ts';
import { failure, SecureevError } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import { planTakingBack, planVehicle } from '../../plan/assignment.ts';
import type { Blocked, BlockReason, Offer, Offers, PlanRules, VehicleDecision } from '../../plan/assignment.ts';
import { assign, unassign } from '../../store/assignments.ts';
import type { Reader, Tx } from '../../store/reader.ts';
import { envelopesFor, findSealedPayload } from '../../store/sealed.ts';
import { situationReader } from '../../store/situations.ts';
import type { EcuSituation, Situation } from '../../store/situations.ts';
import { findTarget } from '../../store/targets.ts';
import { noVehicle } from '../../store/fleet.ts';
import { sealedTargetName } from '../release/sealed-target.ts';
import { openChosen } from '../repository/locate.ts';
import type { RepositoryChoice } from '../repository/locate.ts';
import { completeTarget } from './director/image-targets.ts';
import { targetFacts } from './release-offers.ts';

/** What to assign. */
export interface AssignInput {
  readonly repository: RepositoryChoice;
  readonly vin: Vin;
  /** By ECU: the model's id, or the unit's serial. */
  readonly targets: readonly { readonly ecu: string; readonly target: TargetName }[];
  /** ECUs whose assignment is taken back. */
  readonly remove: readonly string[];
  readonly allowDowngrade: boolean;
  readonly dryRun?: boolean | undefined;
}

/** An ECU of which something changed, or would. */
export interface AssignedEcu {
  readonly ecu: string;
  readonly serial: string | null;
  /** What it is to install now; null where nothing any more. */
  readonly target: TargetName | null;
  /** What it was to install. */
  readonly before: string | null;
  readonly lastKnown: { readonly target: string; readonly version: string | null; readonly ageSeconds: number } | null;
  readonly downgrade: boolean;
}

/** What was assigned. */
export interface AssignAnswer {
  readonly vin: Vin;
  readonly changed: readonly AssignedEcu[];
  /** ECUs that had it already, assigned or installed. */
  readonly same: readonly string[];
  /** Confidential targets of which the vehicle has no envelope yet: it could not open them. */
  readonly withoutEnvelope: readonly TargetName[];
}

/** Assigns. @throws VEHICLE_UNKNOWN, VEHICLE_KEY_MISSING, TARGET_UNKNOWN, ASSIGN_* */
export async function assignTargets(input: AssignInput, io: Io): Promise<AssignAnswer> {
  using repository = await openChosen(io, input.repository);
  const { vin, dryRun } = input;
  return repository.transact({ command: 'assign', summary: '', dryRun }, (tx) => {
    const answer = assignInto(tx, input);
    const given = answer.changed.filter(({ target }) => target !== null).length;
    tx.about(`vehicle:${vin}`);
    tx.summarize(`vehicle ${vin}: ${given} targets assigned, ${answer.changed.length - given} taken back`);
    return answer;
  });
}

function assignInto(tx: Tx, input: AssignInput): AssignAnswer {
  const { vin, allowDowngrade } = input;
  const now = situationReader(tx)(vin);
  if (now === undefined) throw noVehicle(vin);
  const takenBack = takenBackOf(now, input.remove);
  const situation = without(now, takenBack);
  const rules: PlanRules = { allowDowngrade, takenBack, factsOf: targetFacts(tx) };
  const offers = offersOf(tx, { situation, rules, targets: input.targets });
  requireDistinct(offers, takenBack);
  const decision = decided(situation, offers, rules);
  for (const ecu of takenBack) unassign(tx, now.id, ecu);
  if (decision.state === 'eligible') assign(tx, now.id, { targets: decision.assign, campaign: null });
  return answerOf(tx, { vin, now, takenBack, offers, decision });
}

/** Decides, refusing what is blocked. */
function decided(situation: Situation, offers: Offers, rules: PlanRules): VehicleDecision {
  const decision: VehicleDecision =
    offers.offers.length === 0
      ? (planTakingBack(situation, rules) ?? { state: 'nothing-to-do' })
      : planVehicle(offers, situation, rules);
  if (decision.state === 'blocked') throw refused(situation, decision);
  if (decision.state !== 'keyless') return decision;
  throw new SecureevError('VEHICLE_KEY_MISSING', {
    message: `vehicle ${situation.vin} has no encryption key, and what is assigned is confidential`,
    hint: `give it one with \`secureev vehicle key set ${situation.vin} --encryption-key FILE.pub\``,
    details: { vin: situation.vin },
  });
}

function ecuNamed({ vin, ecus }: Situation, name: string): EcuSituation {
  const found = ecus.find(({ id, serial }) => id === name || serial === name);
  if (found !== undefined) return found;
  throw new SecureevError('ASSIGN_ECU_UNKNOWN', {
    message: `vehicle ${vin} has no ECU or gateway ${quote(name)}`,
    hint: `\`secureev vehicle show ${vin}\` lists them`,
    details: { vin, ecu: name, known: ecus.map(({ id }) => id) },
  });
}

function takenBackOf(situation: Situation, names: readonly string[]): ReadonlySet<string> {
  const ecus = names.map((name) => ecuNamed(situation, name));
  const idle = ecus.find(({ assigned }) => assigned === undefined);
  if (idle === undefined) return new Set(ecus.map(({ id }) => id));
  throw failure('ASSIGN_NOTHING_ASSIGNED', `nothing is assigned to ECU ${idle.id} of vehicle ${situation.vin}`, {
    ecu: idle.id,
  });
}

function without(situation: Situation, takenBack: ReadonlySet<string>): Situation {
  const ecus = situation.ecus.map((ecu) => (takenBack.has(ecu.id) ? { ...ecu, assigned: undefined } : ecu));
  return { ...situation, ecus };
}

function offersOf(
  reader: Reader,
  { situation, rules, targets }: { situation: Situation; rules: PlanRules; targets: AssignInput['targets'] },
): Offers {
  const offers = targets.map(({ ecu, target }): Offer => {
    const { id } = ecuNamed(situation, ecu);
    const facts = rules.factsOf(target);
    if (facts === undefined) throw notComplete(reader, target);
    return { ...facts, ecu: id };
  });
  const confidential = targets.some(({ target }) => completeTarget(reader, target)?.confidential === true);
  return { model: situation.model, confidential, offers };
}

function notComplete(reader: Reader, target: TargetName): SecureevError {
  if (findTarget(reader, target) === undefined) {
    return new SecureevError('TARGET_UNKNOWN', {
      message: `the Image repository has no target ${target}`,
      hint: '`secureev target list` shows them',
      details: { target },
    });
  }
  return new SecureevError('ASSIGN_TARGET_INCOMPLETE', {
    message: `target ${target} is staged, but in no complete Targets of the Image repository`,
    hint: 'sign the role that lists it; `secureev status` shows what waits',
    details: { target },
  });
}

function requireDistinct({ offers }: Offers, takenBack: ReadonlySet<string>): void {
  const seen = new Set(takenBack);
  for (const { ecu } of offers) {
    if (seen.has(ecu)) throw failure('USAGE', `ECU ${ecu} is named twice`, { ecu });
    seen.add(ecu);
  }
}

const CODES: Readonly<Record<BlockReason, ErrorCode>> = {
  'other-model': 'VEHICLE_OF_ANOTHER_MODEL',
  'no-ecu': 'ASSIGN_ECU_UNKNOWN',
  hardware: 'ASSIGN_HARDWARE',
  downgrade: 'ASSIGN_DOWNGRADE',
  requirement: 'ASSIGN_REQUIREMENT',
  conflict: 'ASSIGN_CONFLICT',
};

const HINTS: Readonly<Partial<Record<BlockReason, string>>> = {
  downgrade:
    'vehicles refuse it: `secureev package --reissue RELEASE` gives the old images higher counters; --allow-downgrade assigns it anyway',
  requirement: 'assign what is required together with it',
};

function refused({ vin }: Situation, { reason, detail, ecu }: Blocked): SecureevError {
  return new SecureevError(CODES[reason], {
    message: `vehicle ${vin}: ${detail}`,
    hint: HINTS[reason],
    details: { vin, reason, ecu },
  });
}

function answerOf(
  reader: Reader,
  parts: {
    vin: Vin;
    now: Situation;
    takenBack: ReadonlySet<string>;
    offers: Offers;
    decision: VehicleDecision;
  },
): AssignAnswer {
  const { vin, now, takenBack, offers, decision } = parts;
  const given = decision.state === 'eligible' ? decision.assign : [];
  const downgrades = decision.state === 'eligible' ? decision.downgrades : [];
  const changed = now.ecus.flatMap((ecu): readonly AssignedEcu[] => {
    const target = given.find((one) => one.ecu === ecu.id)?.target ?? null;
    if (target === null && !takenBack.has(ecu.id)) return [];
    const downgrade = downgrades.includes(ecu.id);
    return [{ ...changedEcu(ecu, reader.io.clock.now()), target, downgrade }];
  });
  const same = offers.offers.map(({ ecu }) => ecu).filter((ecu) => !given.some((one) => one.ecu === ecu));
  const withoutEnvelope = unopened(reader, now.id, new Set(given.map(({ target }) => target)));
  return { vin, changed, same, withoutEnvelope };
}

/** What travels inside a bundle needs no envelope of its own. */
function unopened(reader: Reader, vehicle: string, targets: ReadonlySet<TargetName>): readonly TargetName[] {
  return [...targets].filter((name) => {
    const target = completeTarget(reader, name);
    if (target?.confidential !== true || target.insideBundle) return false;
    const listed = findTarget(reader, sealedTargetName(name));
    const payload = listed && findSealedPayload(reader, listed.sha256);
    return payload === undefined || envelopesFor(reader, payload.sha256, vehicle).length === 0;
  });
}

function changedEcu(
  { id, serial, assigned, installed }: EcuSituation,
  now: number,
): Omit<AssignedEcu, 'target' | 'downgrade'> {
  const lastKnown =
    installed === undefined
      ? null
      : { target: installed.target, version: installed.version, ageSeconds: Math.max(0, now - installed.reportedAt) };
  return { ecu: id, serial, before: assigned ?? null, lastKnown };
}
