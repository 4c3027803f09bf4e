/**
 * What the Director may assign to one vehicle: targets held against the vehicle's ECUs, its last known configuration and
 * what stays assigned beside them.
 *
 * Invariants: pure, so that a fleet passes through it; an ECU that the vehicle does not have gets nothing; a demand is
 * judged over what the vehicle will run when all that is assigned is installed.
 *
 * @see requirements U24, U33, R3, R4
 */
import type { TargetName } from '../core/brands.ts';
import { concerns, unmet } from './requirements.ts';
import type { Demand, EcuState } from './requirements.ts';

/** What is known of a target that could be, or is, on an ECU. */
export interface TargetFacts {
  readonly target: TargetName;
  /** SHA-256 of its clear bytes in hex. */
  readonly sha256: string;
  readonly hardwareIds: readonly string[];
  readonly version: string | undefined;
  readonly releaseCounter: number | undefined;
  /** Versions that other ECUs must have, or later ones. */
  readonly requires: readonly Demand[];
  /** Versions that other ECUs must not have. */
  readonly conflicts: readonly Demand[];
}

/** A target for one ECU or gateway, by the model's id. */
export interface Offer extends TargetFacts {
  readonly ecu: string;
}

/** What is to be assigned together: a release, made ready once for a whole fleet, or some targets for one vehicle. */
export interface Offers {
  readonly model: string;
  /** Whether vehicles need an encryption key to get it. */
  readonly confidential: boolean;
  readonly offers: readonly Offer[];
}

/** What an ECU reported last. */
export interface LastKnown {
  readonly target: string;
  /** In hex. */
  readonly sha256: string;
  readonly version: string | null;
  readonly releaseCounter: number | null;
  /** Seconds since 1970. */
  readonly reportedAt: number;
}

/** An ECU or gateway of one vehicle. */
export interface VehicleEcuState {
  /** The model's id of it. */
  readonly id: string;
  /** Empty for a gateway. */
  readonly type: string;
  readonly hardware: string;
  /** The unit's own id where it is known; with it, or else with `id`, the Director names the ECU. */
  readonly serial: string | null;
  /** What the model has from the factory; empty where that is not known. */
  readonly factoryVersion: string;
  readonly installed: LastKnown | undefined;
  /** The target that the Director says now. */
  readonly assigned: string | undefined;
}

/** A vehicle as the Director knows it. */
export interface VehicleSituation {
  /** Random; 32 hex digits. */
  readonly id: string;
  readonly vin: string;
  readonly model: string;
  readonly hasEncryptionKey: boolean;
  readonly ecus: readonly VehicleEcuState[];
}

/** Why a vehicle is blocked. */
export type BlockReason = 'other-model' | 'no-ecu' | 'hardware' | 'downgrade' | 'requirement' | 'conflict';

/** One assignment that would change. */
export interface NewAssignment {
  readonly ecu: string;
  readonly target: TargetName;
}

/** What becomes of a vehicle. */
export type VehicleDecision =
  | {
      readonly state: 'eligible';
      /** Only what differs from what is assigned now; at least one. */
      readonly assign: readonly NewAssignment[];
      /** ECUs that go back, which was allowed. */
      readonly downgrades: readonly string[];
    }
  | {
      readonly state: 'blocked';
      readonly reason: BlockReason;
      /** In words, for a report: which ECU, what was expected and found. */
      readonly detail: string;
      readonly ecu?: string | undefined;
    }
  | { readonly state: 'keyless' }
  /** All of it is assigned already, or reported as installed. */
  | { readonly state: 'nothing-to-do' };

/** A vehicle that cannot be given what was offered. */
export type Blocked = Extract<VehicleDecision, { state: 'blocked' }>;

/** How to plan. */
export interface PlanRules {
  readonly allowDowngrade: boolean;
  /** Facts of a target that is installed or stays assigned; undefined where nothing is known of it. */
  readonly factsOf: (target: string) => TargetFacts | undefined;
  /** ECUs whose assignment is taken back in the same step; `vehicle` has them without it already. */
  readonly takenBack?: ReadonlySet<string> | undefined;
}

/** What keeps an assignment from being taken back: something that stays demands it. */
export function planTakingBack(vehicle: VehicleSituation, rules: PlanRules): Blocked | undefined {
  return unmetDemand(vehicle, [], rules);
}

/** Decides on one vehicle; every vehicle of a fleet is asked with the same `offers`. */
export function planVehicle(offers: Offers, vehicle: VehicleSituation, rules: PlanRules): VehicleDecision {
  if (vehicle.model !== offers.model) {
    return blocked('other-model', `it is of model ${vehicle.model}, not ${offers.model}`);
  }
  const pairs = pairsOf(offers, vehicle);
  if (pairs.length === 0) return blocked('no-ecu', 'it has none of the ECUs');
  const open = pairs.filter(({ ecu, offer }) => ecu.assigned !== offer.target);
  if (open.every(isInstalled)) return { state: 'nothing-to-do' };
  if (offers.confidential && !vehicle.hasEncryptionKey) return { state: 'keyless' };
  const downgrades = open.flatMap((pair) => downgradeOf(pair, rules) ?? []);
  return (
    wrongHardware(open) ??
    (rules.allowDowngrade ? undefined : downgrades[0]) ??
    unmetDemand(vehicle, open, rules) ?? {
      state: 'eligible',
      assign: open.map(({ ecu, offer }) => ({ ecu: ecu.id, target: offer.target })),
      downgrades: downgrades.map(({ ecu }) => ecu ?? ''),
    }
  );
}

interface Pair {
  readonly ecu: VehicleEcuState;
  readonly offer: Offer;
}

function blocked(reason: BlockReason, detail: string, ecu?: string): Blocked {
  return { state: 'blocked', reason, detail, ecu };
}

function pairsOf({ offers }: Offers, { ecus }: VehicleSituation): readonly Pair[] {
  return offers.flatMap((offer) => {
    const ecu = ecus.find(({ id }) => id === offer.ecu);
    return ecu === undefined ? [] : [{ ecu, offer }];
  });
}

/** Whether the ECU reported it, and was not told anything else since. */
function isInstalled({ ecu, offer }: Pair): boolean {
  return ecu.assigned === undefined && ecu.installed?.sha256 === offer.sha256;
}

function wrongHardware(pairs: readonly Pair[]): Blocked | undefined {
  const wrong = pairs.find(({ ecu, offer }) => !offer.hardwareIds.includes(ecu.hardware));
  if (wrong === undefined) return undefined;
  const { ecu, offer } = wrong;
  return blocked(
    'hardware',
    `ECU ${ecu.id} is hardware ${ecu.hardware}, ${offer.target} is for ${offer.hardwareIds.join(', ') || 'none'}`,
    ecu.id,
  );
}

/** Lower than what the ECU reported, or than what it was told to install and may have, without having reported it. */
function downgradeOf({ ecu, offer }: Pair, rules: PlanRules): Blocked | undefined {
  const counter = offer.releaseCounter ?? 0;
  const installed = ecu.installed?.releaseCounter ?? 0;
  const assigned = (ecu.assigned === undefined ? undefined : rules.factsOf(ecu.assigned)?.releaseCounter) ?? 0;
  const before = Math.max(installed, assigned);
  if (counter >= before) return undefined;
  const how = installed >= assigned ? 'reported' : 'was assigned';
  return blocked('downgrade', `ECU ${ecu.id} ${how} release counter ${before}, ${offer.target} has ${counter}`, ecu.id);
}

interface Coming extends EcuState {
  readonly facts: TargetFacts | undefined;
  readonly isNew: boolean;
  /** New, or no longer what it was to become. */
  readonly isChanged: boolean;
}

/** The configuration when everything assigned is installed. */
function comingState(vehicle: VehicleSituation, open: readonly Pair[], rules: PlanRules): readonly Coming[] {
  return vehicle.ecus.map((ecu) => {
    const offer = open.find((pair) => pair.ecu === ecu)?.offer;
    const kept = ecu.assigned ?? ecu.installed?.target;
    const facts = offer ?? (kept === undefined ? undefined : rules.factsOf(kept));
    const reported = ecu.assigned === undefined ? ecu.installed?.version : undefined;
    const version = facts?.version ?? reported ?? (ecu.factoryVersion === '' ? undefined : ecu.factoryVersion);
    const isNew = offer !== undefined;
    const isChanged = isNew || rules.takenBack?.has(ecu.id) === true;
    return { id: ecu.id, type: ecu.type, version, facts, isNew, isChanged };
  });
}

/** What was so before and is not touched blocks nothing: one side of a demand must be new. */
function unmetDemand(vehicle: VehicleSituation, open: readonly Pair[], rules: PlanRules): Blocked | undefined {
  const coming = comingState(vehicle, open, rules);
  const changed = coming.filter(({ isChanged }) => isChanged);
  for (const { id, facts, isNew } of coming) {
    if (facts === undefined) continue;
    const touched = (demand: Demand): boolean => isNew || changed.some((ecu) => concerns(demand, ecu));
    for (const demand of facts.requires.filter(touched)) {
      const missing = unmet(demand, coming);
      if (missing.length === 0) continue;
      return blocked('requirement', unmetText({ target: facts.target, demand, missing: missing[0] }), id);
    }
    const against = facts.conflicts.filter(touched).find((demand) => isThere(demand, coming));
    if (against === undefined) continue;
    return blocked('conflict', `${facts.target} conflicts with ${against.version} on ${nameOf(against)}`, id);
  }
  return undefined;
}

function isThere(demand: Demand, coming: readonly Coming[]): boolean {
  return coming.some((ecu) => concerns(demand, ecu) && ecu.version === demand.version);
}

function unmetText(found: { target: string; demand: Demand; missing: EcuState | undefined }): string {
  const { target, demand, missing } = found;
  const has = missing === undefined ? 'it has no such ECU' : `${missing.id} has ${missing.version ?? 'an unknown one'}`;
  return `${target} requires ${demand.version} or later on ${nameOf(demand)}, ${has}`;
}

function nameOf({ kind, name }: Demand): string {
  return kind === 'ecu' ? `ECU ${name}` : `ECU type ${name}`;
}
