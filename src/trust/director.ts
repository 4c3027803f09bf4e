/**
 * The Director's part of Uptane: whether its Targets may be for this vehicle, and whether both repositories say the same.
 *
 * Rules. The Director's Targets (U34): no delegations, each ECU at most once, for the vehicle in question. With what the
 * vehicle has (U33, U34): each ECU is known, and none gets a lower release counter. The match (U33): the Image repository
 * lists every image under the same name with the same length and hashes (every one that the Director lists), the same
 * `hardwareIds`, `releaseCounter` and `version`, and for the hardware of each ECU; the sealed file likewise.
 *
 * @see Uptane 2.1.0 sections 5.4.4.1, 5.4.4.2, 5.4.4.6
 */
import type { Vin } from '../core/brands.ts';
import type { Verified } from '../core/verified.ts';
import { isJsonList } from '../formats/json/json.ts';
import type { Json } from '../formats/json/json.ts';
import { readDirectorTargets } from '../formats/metadata/director-targets.ts';
import type { DirectorEntry, DirectorTargets, EncryptedTarget } from '../formats/metadata/director-targets.ts';
import type { TargetFile } from '../formats/metadata/types.ts';
import { believe } from './believe.ts';
import type { FoundTarget } from './find-target.ts';
import { refusal, roleText } from './refusal.ts';
import type { TrustedSet } from './state.ts';

/** The vehicle whose Targets are wanted; what is undefined is not compared. */
export interface WantedVehicle {
  readonly vin: Vin | undefined;
  /** Its random id: 32 hex digits. */
  readonly vehicleId?: string | undefined;
}

/**
 * Takes what the verified Targets of a Director say of a vehicle.
 *
 * @throws TRUST_DIRECTOR_DELEGATES, TRUST_WRONG_VEHICLE, TRUST_ECU_TWICE, METADATA_MALFORMED
 */
export function takeDirectorTargets(set: TrustedSet, wanted: WantedVehicle): Verified<DirectorTargets> {
  const signed = set.targets.get('targets')?.file.verified.signed;
  if (signed === undefined) throw new RangeError("the Director's Targets are read before they are verified");
  if (signed.delegations !== undefined) {
    throw refusal('TRUST_DIRECTOR_DELEGATES', {
      role: 'targets',
      message: `targets ${signed.version} of the Director delegates, which no Director may`,
    });
  }
  const targets = readDirectorTargets(signed);
  requireVehicle(targets, wanted);
  requireEachOnce(targets);
  return believe(targets);
}

function requireVehicle(targets: DirectorTargets, wanted: WantedVehicle): void {
  for (const what of ['vin', 'vehicleId'] as const) {
    const expected = wanted[what];
    const found = targets[what];
    if (expected === undefined || expected === found) continue;
    throw refusal('TRUST_WRONG_VEHICLE', {
      role: 'targets',
      message: `targets of the Director is for ${found === undefined ? 'no vehicle' : `${what} ${found}`}, not for ${expected}`,
      details: { what, expected, found: found ?? null },
    });
  }
}

function requireEachOnce({ entries }: DirectorTargets): void {
  const seen = new Map<string, string>();
  for (const { name, ecus } of entries) {
    for (const ecu of ecus.keys()) {
      const first = seen.get(ecu);
      if (first !== undefined) throw twice(ecu, [first, name]);
      seen.set(ecu, name);
    }
  }
}

function twice(ecu: string, names: readonly string[]) {
  return refusal('TRUST_ECU_TWICE', {
    role: 'targets',
    message: `the Director gives ECU ${roleText(ecu)} two images: ${names.join(' and ')}`,
    details: { ecu, targets: names },
  });
}

/** The image for one ECU. @throws TRUST_NO_ENTRY where there is none: what is installed stays (U40) */
export function requireEntry({ verified }: Verified<DirectorTargets>, ecu: string): DirectorEntry {
  const found = verified.entries.find(({ ecus }) => ecus.has(ecu));
  if (found !== undefined) return found;
  throw refusal('TRUST_NO_ENTRY', {
    role: 'targets',
    message: `the Director lists no image for ECU ${roleText(ecu)}`,
    hint: 'keep what is installed',
    details: { ecu },
  });
}

/** What a vehicle has and runs. */
export interface KnownEcu {
  /** As the Director names it. */
  readonly id: string;
  readonly releaseCounter: number | undefined;
  /** Undefined where it is not known. */
  readonly hardware?: string | undefined;
}

/**
 * Demands that every ECU of the Director's Targets is one of the vehicle's, of that hardware, and does not go back.
 *
 * @throws TRUST_ECU_UNKNOWN, TRUST_HARDWARE, TRUST_COUNTER
 */
export function requireKnownEcus(entries: readonly DirectorEntry[], known: readonly KnownEcu[]): number {
  const byId = new Map(known.map((ecu) => [ecu.id, ecu]));
  for (const entry of entries) {
    for (const [id, hardware] of entry.ecus) {
      const ecu = byId.get(id);
      if (ecu === undefined) throw unknownEcu(entry, id);
      if (ecu.hardware !== undefined && ecu.hardware !== hardware)
        throw otherHardware(entry, { id, hardware }, [ecu.hardware]);
      requireCounter(entry, ecu);
    }
  }
  return byId.size;
}

function unknownEcu({ name }: DirectorEntry, ecu: string) {
  return refusal('TRUST_ECU_UNKNOWN', {
    role: 'targets',
    message: `the Director gives ${name} to ECU ${roleText(ecu)}, which the vehicle does not have`,
    details: { target: name, ecu },
  });
}

function requireCounter({ name, target }: DirectorEntry, { id, releaseCounter: installed }: KnownEcu): void {
  const found = target.custom?.get('releaseCounter');
  if (installed === undefined || (typeof found === 'number' && found >= installed)) return;
  throw refusal('TRUST_COUNTER', {
    role: 'targets',
    message: `${name} has release counter ${shown(found)}, and ECU ${roleText(id)} runs ${installed}`,
    details: { target: name, ecu: id, expected: installed, found: found ?? null },
  });
}

/** The members of `custom` that both repositories must give alike. */
const SAME_CUSTOM = ['hardwareIds', 'releaseCounter', 'version'] as const;

/**
 * Demands that the Image repository says of an image what the Director says.
 *
 * @throws TRUST_DIRECTOR_MISMATCH, TRUST_HARDWARE
 */
export function requireMatch(entry: DirectorEntry, { verified }: Verified<FoundTarget>, dialect: string): void {
  const { target: image } = verified;
  requireSame(entry.name, { what: 'length', director: entry.target.length, image: image.length });
  requireSameHashes(entry.name, entry.target.hashes, image.hashes);
  for (const what of SAME_CUSTOM) {
    const director = entry.target.custom?.get(what);
    // In that dialect a Director's target has no room for them.
    if (dialect === 'aktualizr' && director === undefined) continue;
    requireSame(entry.name, { what, director, image: image.custom?.get(what) });
  }
  for (const [id, hardware] of entry.ecus) requireListedHardware(entry, { id, hardware }, image);
}

/** Demands of a sealed file that the Image repository lists it so. @throws TRUST_DIRECTOR_MISMATCH */
export function requireSealedMatch(sealed: EncryptedTarget, { verified }: Verified<FoundTarget>): void {
  requireSame(sealed.name, { what: 'length', director: sealed.length, image: verified.target.length });
  requireSameHashes(sealed.name, sealed.hashes, verified.target.hashes);
}

type Hashes = ReadonlyMap<string, string>;

/** One that only the Image repository lists is checked with the image; one that only the Director lists is refused. */
function requireSameHashes(name: string, director: Hashes, image: Hashes): void {
  for (const [id, hash] of director) requireSame(name, { what: id, director: hash, image: image.get(id) });
}

function requireSame(name: string, said: { what: string; director: Json | undefined; image: Json | undefined }): void {
  const { what, director, image } = said;
  if (isSame(director, image)) return;
  throw refusal('TRUST_DIRECTOR_MISMATCH', {
    role: 'targets',
    message: `${name} has ${what} ${shown(director)} in the Director's Targets and ${shown(image)} in the Image repository's`,
    details: { target: name, what },
  });
}

function isSame(a: Json | undefined, b: Json | undefined): boolean {
  if (!isJsonList(a) || !isJsonList(b)) return a === b;
  return a.length === b.length && a.every((one) => b.includes(one)) && b.every((one) => a.includes(one));
}

function shown(value: Json | undefined): string {
  if (isJsonList(value)) return roleText(value.map(shown).join('_'));
  if (typeof value === 'string') return roleText(value);
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : 'none';
}

function requireListedHardware(entry: DirectorEntry, ecu: { id: string; hardware: string }, image: TargetFile): void {
  const listed = image.custom?.get('hardwareIds');
  const allowed = isJsonList(listed) ? listed.filter((one) => typeof one === 'string') : [];
  if (!allowed.includes(ecu.hardware)) throw otherHardware(entry, ecu, allowed);
}

function otherHardware({ name }: DirectorEntry, ecu: { id: string; hardware: string }, allowed: readonly string[]) {
  return refusal('TRUST_HARDWARE', {
    role: 'targets',
    message: `${name} is for ${allowed.map(roleText).join(', ') || 'no hardware'}, and the Director gives it to ECU ${roleText(ecu.id)} as ${roleText(ecu.hardware)}`,
    details: { target: name, ecu: ecu.id, expected: allowed, found: ecu.hardware },
  });
}

/**
 * Demands that the Director is of the same repository as the Image side, where both say which they are of.
 *
 * @throws TRUST_WRONG_REPOSITORY
 */
export function requireOneRepository(director: TrustedSet, image: TrustedSet): void {
  const [expected, found] = [image, director].map(({ root }) => root.verified.signed.extension?.repository);
  if (expected === undefined || found === undefined || expected === found) return;
  throw refusal('TRUST_WRONG_REPOSITORY', {
    role: 'root',
    message: 'the Director is of another repository than the images',
    details: { expected, found },
  });
}
