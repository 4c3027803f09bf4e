/** Looks at every vehicle of a list before anything changes: who may get a release, who may not, and why. */
import type { Vin } from '../../../core/brands.ts';
import { failure, SecureevError } from '../../../core/errors.ts';
import type { ErrorCode } from '../../../core/errors.ts';
import { planVehicle } from '../../../plan/assignment.ts';
import type { NewAssignment, Offers, PlanRules } from '../../../plan/assignment.ts';
import { findVehicleById } from '../../../store/fleet.ts';
import type { Reader } from '../../../store/reader.ts';
import { situationReader } from '../../../store/situations.ts';
import type { Situation } from '../../../store/situations.ts';
import { targetFacts } from '../release-offers.ts';
import type { VehicleIds } from '../director/vehicle-ids.ts';
import type { CampaignEnvelopes } from './envelopes.ts';

/** Why a vehicle is left out. */
export type LeftOutState = 'keyless' | 'not-encrypted' | 'blocked';

/** A vehicle that is left out. */
export interface LeftOut {
  readonly vin: Vin;
  readonly state: LeftOutState;
  /** Of a blocked one: `downgrade`, `hardware`, `requirement` and so on. */
  readonly reason: string;
  /** In words. */
  readonly detail: string;
}

/** What becomes of one vehicle. */
export type Verdict =
  | { readonly state: 'eligible'; readonly situation: Situation; readonly assign: readonly NewAssignment[] }
  | { readonly state: 'nothing-to-do'; readonly situation: Situation }
  | ({ readonly situation: Situation } & LeftOut);

/** What vehicles are judged by. */
export interface Judging {
  readonly offers: Offers;
  readonly envelopes: CampaignEnvelopes;
  readonly allowDowngrade: boolean;
}

/** Gives a function that judges a vehicle by VIN. @throws CAMPAIGN_VEHICLE_UNKNOWN */
export function judge(reader: Reader, judging: Judging): (vin: Vin) => Verdict {
  const situationOf = situationReader(reader);
  const rules: PlanRules = { allowDowngrade: judging.allowDowngrade, factsOf: targetFacts(reader) };
  return (vin) => {
    const situation = situationOf(vin);
    if (situation === undefined) {
      throw failure('CAMPAIGN_VEHICLE_UNKNOWN', `no vehicle ${vin} in the repository`, { vin });
    }
    return verdictOn(reader, { vin, situation, judging, rules });
  };
}

interface Case {
  readonly vin: Vin;
  readonly situation: Situation;
  readonly judging: Judging;
  readonly rules: PlanRules;
}

function verdictOn(reader: Reader, { vin, situation, judging, rules }: Case): Verdict {
  const { offers, envelopes } = judging;
  const decision = planVehicle(offers, situation, rules);
  if (decision.state === 'nothing-to-do') return { state: 'nothing-to-do', situation };
  if (decision.state === 'keyless') {
    return { situation, vin, state: 'keyless', reason: 'keyless', detail: 'it has no encryption key' };
  }
  if (decision.state === 'blocked') {
    return { situation, vin, state: 'blocked', reason: decision.reason, detail: decision.detail };
  }
  const { assign } = decision;
  const targets = assign.map(({ target }) => target);
  const detail = envelopes.obstacle(reader, situation.id, targets);
  if (detail === undefined) return { state: 'eligible', situation, assign };
  return { situation, vin, state: 'not-encrypted', reason: 'not-encrypted', detail };
}

/** What a survey found. */
export interface Survey {
  /** Random ids, in the order of the list. */
  readonly eligible: readonly string[];
  readonly nothingToDo: number;
  readonly leftOut: readonly LeftOut[];
}

/** Judges every vehicle of a list. @throws CAMPAIGN_VEHICLE_UNKNOWN, INTERRUPTED */
export function survey(reader: Reader, vins: readonly Vin[], judging: Judging): Survey {
  const { io } = reader;
  const task = io.progress.start('looking at vehicles', vins.length, 'items');
  const verdict = judge(reader, judging);
  const found = { eligible: new Array<string>(), nothingToDo: 0, leftOut: new Array<LeftOut>() };
  for (const [index, vin] of vins.entries()) {
    if (index % 256 === 0 && io.signal.aborted) throw failure('INTERRUPTED', 'interrupted; nothing was changed');
    const one = verdict(vin);
    if (one.state === 'eligible') found.eligible.push(one.situation.id);
    else if (one.state === 'nothing-to-do') found.nothingToDo += 1;
    else found.leftOut.push({ vin, state: one.state, reason: one.reason, detail: one.detail });
    task.advance(1);
  }
  task.done();
  return found;
}

/** Vehicles of a later wave that lack envelopes would be given up for want of the escrow's key. @throws CAMPAIGN_NOT_ENCRYPTED */
export function refuseUnsealed(reader: Reader, vehicles: VehicleIds, judging: Judging): void {
  const verdict = judge(reader, judging);
  const leftOut = vehicles.slice(0, vehicles.count).flatMap((id): LeftOut[] => {
    const vin = findVehicleById(reader, id)?.vin;
    const one = vin === undefined ? undefined : verdict(vin);
    if (vin === undefined || one?.state !== 'not-encrypted') return [];
    return [{ vin, state: one.state, reason: one.reason, detail: one.detail }];
  });
  refuseLeftOut(leftOut);
}

const CODES: Readonly<Record<LeftOutState, ErrorCode>> = {
  keyless: 'CAMPAIGN_KEYLESS',
  'not-encrypted': 'CAMPAIGN_NOT_ENCRYPTED',
  blocked: 'CAMPAIGN_BLOCKED',
};

const WORDS: Readonly<Record<LeftOutState, string>> = {
  keyless: 'vehicles have no encryption key',
  'not-encrypted': 'vehicles have no envelope of this release',
  blocked: 'vehicles cannot get this release',
};

const HINTS: Readonly<Record<LeftOutState, string>> = {
  keyless: '`secureev vehicle key set` gives them one; or leave them out with --skip-missing REPORT.csv',
  'not-encrypted':
    'make envelopes with --escrow-key ESCROW, or before with `secureev envelope add`; or leave them out with --skip-missing REPORT.csv',
  blocked: 'see each with --dry-run; or leave them out with --skip-missing REPORT.csv',
};

const SHOWN = 5;

/** Refuses a list of which some vehicles would be left out. @throws CAMPAIGN_KEYLESS, CAMPAIGN_NOT_ENCRYPTED, CAMPAIGN_BLOCKED */
export function refuseLeftOut(leftOut: readonly LeftOut[]): void {
  const states: readonly LeftOutState[] = ['keyless', 'not-encrypted', 'blocked'];
  const state = states.find((one) => leftOut.some((vehicle) => vehicle.state === one));
  if (state === undefined) return;
  const those = leftOut.filter((vehicle) => vehicle.state === state);
  const examples = those.slice(0, SHOWN).map(({ vin, detail }) => ({ vin, detail }));
  const [first] = those;
  throw new SecureevError(CODES[state], {
    message: `${those.length} ${WORDS[state]}, e.g. ${first?.vin}: ${first?.detail}`,
    hint: HINTS[state],
    details: { vehicles: those.length, examples },
  });
}

/** The report of vehicles that were left out, as CSV (RFC 4180). */
export function leftOutReport(leftOut: readonly LeftOut[]): string {
  const rows = leftOut.map(({ vin, state, reason, detail }) => [vin, state, reason, detail].map(csvField).join(','));
  return [`vin,state,reason,detail`, ...rows].map((row) => `${row}\r\n`).join('');
}

/** Quoted, and harmless to spreadsheets, which take a leading `=`, `+`, `-` or `@` for a formula. */
function csvField(text: string): string {
  const plain = text.replace(/^[=+\-@]/, "'$&");
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
