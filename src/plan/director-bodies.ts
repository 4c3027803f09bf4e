/**
 * The bodies that a Director signs for one vehicle.
 *
 * Invariants: every ECU identifier stands once; no delegations; the VIN is in `signed.custom` alone.
 *
 * @see Uptane 2.1.0 section 5.2.3.1
 */
import { parseTargetName } from '../core/brands.ts';
import type { TargetName } from '../core/brands.ts';
import { toHex } from '../core/bytes.ts';
import { failure } from '../core/errors.ts';
import { jsonMap } from '../formats/json/json.ts';
import type { Json, JsonMap } from '../formats/json/json.ts';
import type { TargetFile, Targets } from '../formats/metadata/types.ts';
import { commonOf, customMap } from './bodies.ts';
import type { BodyFacts } from './bodies.ts';

/** How a Director names the method of a sealed payload (Uptane 2.1.0: an encrypted image's method). */
export const ENCRYPTED_METHOD = 'secureev/sev/1';

/** A complete target of the Image repository, as the Director repeats it. */
export interface DirectorTarget {
  readonly name: TargetName;
  readonly length: number;
  /** 32 bytes. */
  readonly sha256: Uint8Array;
  /** `hardwareIds`, `releaseCounter`, `version`: plain JSON. */
  readonly custom: Readonly<Record<string, unknown>>;
  /** The sealed payload that it is downloaded as. */
  readonly encrypted: { readonly name: TargetName; readonly length: number; readonly sha256: Uint8Array } | undefined;
}

/** An ECU and what it is to install. */
export interface EcuTarget {
  /** The unit's serial where known, else the model's name of it. */
  readonly identifier: string;
  readonly hardware: string;
  readonly target: DirectorTarget;
}

/** The vehicle that a body is for. */
export interface DirectorVehicle {
  readonly vin: string;
  /** Its random id, 32 hex digits. */
  readonly id: string;
}

/** Targets of one vehicle; without images it still says which vehicle it is for (U7, U8). @throws ECU_TWICE */
export function directorTargetsBody(facts: BodyFacts, vehicle: DirectorVehicle, ecus: readonly EcuTarget[]): Targets {
  const targets = new Map<string, TargetFile>();
  for (const [target, own] of byTarget(vehicle, ecus)) {
    targets.set(target.name, {
      length: target.length,
      hashes: new Map([['sha256', toHex(target.sha256)]]),
      custom: targetCustom(target, own),
    });
  }
  const custom = jsonMap({ vin: vehicle.vin, vehicleId: vehicle.id });
  return { role: 'targets', ...commonOf(facts, {}), targets, delegations: undefined, custom };
}

function byTarget(vehicle: DirectorVehicle, ecus: readonly EcuTarget[]): Map<DirectorTarget, EcuTarget[]> {
  const seen = new Set<string>();
  const groups = new Map<DirectorTarget, EcuTarget[]>();
  for (const ecu of ecus) {
    if (seen.has(ecu.identifier)) {
      throw failure('ECU_TWICE', `vehicle ${vehicle.vin}: two ECUs are called ${ecu.identifier}`, { vin: vehicle.vin });
    }
    seen.add(ecu.identifier);
    const group = groups.get(ecu.target);
    if (group === undefined) groups.set(ecu.target, [ecu]);
    else group.push(ecu);
  }
  return groups;
}

/** A dialect writes of it what its clients read. */
function targetCustom(target: DirectorTarget, ecus: readonly EcuTarget[]): JsonMap {
  const { encrypted } = target;
  const members = new Map(customMap(target.custom));
  members.set('ecuIdentifiers', identifiers(ecus));
  if (encrypted !== undefined) members.set('encryptedTarget', encryptedJson(encrypted));
  return members;
}

function identifiers(ecus: readonly EcuTarget[]): JsonMap {
  return new Map(ecus.map(({ identifier, hardware }) => [identifier, jsonMap({ hardwareId: hardware })]));
}

function encryptedJson(encrypted: NonNullable<DirectorTarget['encrypted']>): Json {
  const { name, length, sha256 } = encrypted;
  const hashes = jsonMap({ sha256: toHex(sha256) });
  return jsonMap({ filename: name, length, hashes, method: ENCRYPTED_METHOD });
}

/** The sealed payload's target of a clear one. */
export function sealedName(clear: TargetName): TargetName {
  return parseTargetName(`${clear}.sev`);
}
