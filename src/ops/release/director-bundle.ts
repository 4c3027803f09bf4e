/**
 * A bundle against what the Director says of one vehicle: the bundle is the one for its gateway, each image is the one for
 * its ECU, and the Image repository says the same of all of them.
 *
 * Invariants: the Director's root is pinned and never comes from its tree; nothing is stored.
 *
 * @see Uptane 2.1.0 section 5.4.4.2; formats.md section 4
 */
import type { Instant, Name, TargetName, Vin } from '../../core/brands.ts';
import { toHex } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import type { Verified } from '../../core/verified.ts';
import type { DirectorEntry, DirectorTargets } from '../../formats/metadata/director-targets.ts';
import type { BundleImage, Manifest } from '../../formats/otap/bundle.ts';
import { requireMatch, requireOneRepository, takeDirectorTargets } from '../../trust/director.ts';
import { refusal, roleText } from '../../trust/refusal.ts';
import type { TrustedSet } from '../../trust/state.ts';
import { compareTarget } from '../../trust/target-check.ts';
import { updateFrom } from '../../trust/update.ts';
import { directorSource, findVehicle } from '../repository/director-tree.ts';
import { isUrl } from '../repository/tree-source.ts';
import { bundleTargetName } from './bundle-names.ts';
import { findListed } from './bundle-targets.ts';
import type { TargetLookup } from './bundle-targets.ts';
import { readPinnedRoot } from './pinned-trust.ts';

/** The vehicle that a bundle is for, and the Director that says so. */
export interface BundleVehicle {
  readonly vin: Vin;
  /** A folder or URL. */
  readonly director: string;
  /** Path of the Director's pinned root. */
  readonly directorRoot: string;
  /** The vehicle's random id; looked up in a folder where it is not given. */
  readonly vehicleId: string | undefined;
}

/** What the Director says of the vehicle, verified. */
export interface VehicleTargets {
  readonly set: TrustedSet;
  readonly targets: Verified<DirectorTargets>;
}

/** When, and how strictly. */
export interface VehicleTerms {
  readonly now: Instant;
  readonly requireHybrid: boolean;
}

/** Reads the Director's pinned root. @throws ROOT_INSIDE_TREE, FILE_NOT_FOUND, USAGE */
export async function readDirectorRoot(io: Io, vehicle: BundleVehicle, terms: VehicleTerms): Promise<Uint8Array> {
  const { director, directorRoot: root, vehicleId } = vehicle;
  if (isUrl(director) && vehicleId === undefined) throw failure('USAGE', 'a Director behind a URL needs --vehicle-id');
  const { now, requireHybrid } = terms;
  return await readPinnedRoot(io, { root, metadata: isUrl(director) ? undefined : director, now, requireHybrid });
}

/** Verifies the Director up to the vehicle's Targets. @throws TRUST_*, METADATA_*, JSON_* */
export async function establishVehicle(
  io: Io,
  vehicle: BundleVehicle,
  { pinnedRoot, now, requireHybrid }: VehicleTerms & { readonly pinnedRoot: Uint8Array },
): Promise<VehicleTargets> {
  const { director, vin } = vehicle;
  const vehicleId = vehicle.vehicleId ?? (await findVehicle(io.files, director, vin));
  const source = directorSource(io, director, vehicleId);
  const set = await updateFrom(source, { engine: io.engine, pinnedRoot, kind: 'director', now, requireHybrid });
  return { set, targets: takeDirectorTargets(set, { vin, vehicleId: vehicle.vehicleId }) };
}

/** A bundle whose manifest and payloads were good. */
export interface MeasuredBundle {
  readonly gateway: Name;
  readonly manifest: Verified<Manifest>;
  readonly measured: { readonly sizeBytes: number; readonly sha256: Uint8Array };
}

/**
 * Demands that the Director gives this bundle to its gateway and each of its images to the image's ECUs; with the Image
 * repository's metadata at hand also that both repositories agree on all of them. Gives the number of images.
 *
 * @throws TRUST_NO_ENTRY, TRUST_MIXED_BUNDLES, TRUST_HARDWARE, TRUST_ARBITRARY_SOFTWARE, TRUST_DIRECTOR_MISMATCH
 */
export async function requireAssigned(
  { set, targets }: VehicleTargets,
  { gateway, manifest, measured }: MeasuredBundle,
  lookup: TargetLookup | undefined,
): Promise<number> {
  if (lookup !== undefined) requireOneRepository(set, lookup.set);
  const { entries } = targets.verified;
  const { release, images } = manifest.verified;
  const name = bundleTargetName(release, gateway);
  const bundle = requireBundleEntry(entries, { name, gateway });
  const hashes = new Map([['sha256', toHex(measured.sha256)]]);
  compareTarget(name, bundle.target, { length: measured.sizeBytes, hashes });
  if (lookup !== undefined) await requireListed(lookup, bundle);
  for (const image of images) {
    const entry = requireImageEntry(entries, image, name);
    if (lookup !== undefined) await requireListed(lookup, entry);
  }
  return images.length;
}

function requireBundleEntry(
  entries: readonly DirectorEntry[],
  { name, gateway }: { name: TargetName; gateway: Name },
): DirectorEntry {
  const entry = entries.find((one) => one.name === name);
  if (entry !== undefined) return requireHardwareOf(entry, gateway, gateway);
  const other = entries.find(({ ecus }) => [...ecus].some(([id, hardware]) => id === gateway || hardware === gateway));
  if (other !== undefined)
    throw mixed(`gateway ${roleText(gateway)} is to install ${other.name}, and this is ${name}`, name);
  throw refusal('TRUST_NO_ENTRY', {
    role: 'targets',
    message: `the Director does not name ${name} for this vehicle`,
    hint: 'keep what is installed',
    details: { target: name },
  });
}

/** The image as the Director gives it; none of its ECUs may be given another one. */
function requireImageEntry(entries: readonly DirectorEntry[], image: BundleImage, bundle: TargetName): DirectorEntry {
  for (const { id } of image.ecus) {
    const other = entries.find(({ name, ecus }) => name !== image.target && ecus.has(id));
    if (other !== undefined) {
      throw mixed(`ECU ${roleText(id)} is to install ${other.name}, and the bundle brings ${image.target}`, bundle);
    }
  }
  const entry = entries.find(({ name }) => name === image.target);
  if (entry === undefined) throw mixed(`the bundle brings ${image.target}, which the Director gives to no ECU`, bundle);
  for (const { id, hardwareId } of image.ecus) requireHardwareOf(entry, id, hardwareId);
  const hashes = new Map([['sha256', toHex(image.sha256)]]);
  compareTarget(image.target, entry.target, { length: image.sizeBytes, hashes });
  return entry;
}

/** The Director names a unit by its serial where it knows it, so hardware is what can always be compared. */
function requireHardwareOf(entry: DirectorEntry, ecu: string, hardware: string): DirectorEntry {
  const own = entry.ecus.get(ecu);
  const isFor = own === undefined ? [...entry.ecus.values()].includes(hardware) : own === hardware;
  if (isFor) return entry;
  throw refusal('TRUST_HARDWARE', {
    role: 'targets',
    message: `the Director gives ${entry.name} to other hardware than ${roleText(ecu)}, ${roleText(hardware)}`,
    details: { target: entry.name, ecu, expected: [...entry.ecus.values()], found: hardware },
  });
}

async function requireListed(lookup: TargetLookup, entry: DirectorEntry): Promise<void> {
  for (const hardware of new Set(entry.ecus.values())) {
    requireMatch(entry, await findListed(lookup, entry.name, hardware), lookup.set.root.verified.dialect);
  }
}

function mixed(message: string, bundle: TargetName) {
  return refusal('TRUST_MIXED_BUNDLES', { role: 'targets', message, details: { target: bundle } });
}
