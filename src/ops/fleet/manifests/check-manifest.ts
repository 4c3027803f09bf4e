/** One manifest held against the inventory and the Image repository, before anything is written. */
import type { TargetName } from '../../../core/brands.ts';
import { parseTargetName, parseVersion } from '../../../core/brands.ts';
import { equalBytes, utf8 } from '../../../core/bytes.ts';
import { failure, isFailure } from '../../../core/errors.ts';
import { sha256 } from '../../../crypto/hash.ts';
import { decodePublicFile } from '../../../formats/keys/public-file.ts';
import type { PublicKey } from '../../../formats/keys/public-key.ts';
import { decodeManifest } from '../../../formats/manifest/manifest.ts';
import type { EcuReport, VehicleManifest } from '../../../formats/manifest/manifest.ts';
import { dialectOf } from '../../../formats/metadata/index.ts';
import type { Dialect } from '../../../formats/metadata/index.ts';
import { reportingUnits, reportingVehicle } from '../../../store/manifests.ts';
import type { RecordedManifest, RecordedReport, ReportingUnit, ReportingVehicle } from '../../../store/manifests.ts';
import type { Reader } from '../../../store/reader.ts';
import type { Repository } from '../../../store/repository.ts';
import { targetHistory } from '../../../store/targets.ts';
import { requireManifest } from '../../../trust/vehicle-manifest.ts';

/** A manifest that may be recorded. */
export interface CheckedManifest {
  readonly vehicle: ReportingVehicle;
  readonly recorded: RecordedManifest;
  /** ECUs, by the model's ids, that run what no target is. */
  readonly unknownImages: readonly string[];
}

/** What the Image repository knows of a target. */
export interface ImageFacts {
  readonly sha256: Uint8Array;
  readonly version: string | null;
  readonly releaseCounter: number | null;
}

/** What was listed under a name, whenever that was; each name is looked up once. */
export type ImageLookup = (name: string) => readonly ImageFacts[];

const NAMES_KEPT = 10_000;

/** A look-up that remembers. */
export function imageLookup(reader: Reader): ImageLookup {
  const known = new Map<string, readonly ImageFacts[]>();
  return (name) => {
    const before = known.get(name);
    if (before !== undefined) return before;
    if (known.size >= NAMES_KEPT) known.clear();
    const facts = imageFacts(reader, name);
    known.set(name, facts);
    return facts;
  };
}

/** A release that was issued again has other bundles under the same names: vehicles may still run the ones before. */
function imageFacts(reader: Reader, name: string): readonly ImageFacts[] {
  const parsed = targetName(name);
  if (parsed === undefined) return [];
  return targetHistory(reader, parsed).map(({ sha256: hash, custom: { version, releaseCounter } }) => ({
    sha256: hash,
    version: typeof version === 'string' ? version : null,
    releaseCounter: typeof releaseCounter === 'number' ? parseVersion(releaseCounter) : null,
  }));
}

/** What an ECU calls its image need not be the name of a target. */
function targetName(name: string): TargetName | undefined {
  try {
    return parseTargetName(name);
  } catch (thrown) {
    if (isFailure(thrown, 'VALUE_MALFORMED')) return undefined;
    throw thrown;
  }
}

/** What checks manifests with. */
export interface ManifestChecker {
  readonly repository: Repository;
  readonly images: ImageLookup;
}

/**
 * Decodes and verifies a manifest.
 *
 * @throws MANIFEST_MALFORMED, MANIFEST_TOO_LARGE, VEHICLE_UNKNOWN, and what {@link requireManifest} throws
 */
export function checkManifest({ repository, images }: ManifestChecker, bytes: Uint8Array): CheckedManifest {
  const dialect: Dialect = dialectOf(repository.identity.dialect);
  const { engine } = repository.io;
  const decoded = decodeManifest(bytes, dialect);
  const { content, canonical } = decoded.unverified;
  const vehicle = reportingVehicle(repository, content);
  if (vehicle === undefined) throw unknownVehicle(content);
  const units = reportingUnits(repository, vehicle);
  const listed = units.map((unit) => ({ ...unit, keys: keysOf(unit) }));
  const { verified } = requireManifest(decoded, { engine, dialect, vehicle: { vin: vehicle.vin, units: listed } });
  const ids = new Map(units.map(({ identifier, ecu }) => [identifier, ecu]));
  const reports = [...verified.reports].map(([name, { content: report }]) =>
    recordedReport(ids.get(name) ?? name, report, images),
  );
  const recorded = {
    vehicle: vehicle.id,
    sha256: sha256(engine, canonical),
    primary: ids.get(verified.primary) ?? verified.primary,
    reports,
  };
  const unknownImages = reports.filter(({ isKnown }) => !isKnown).map(({ ecu }) => ecu);
  return { vehicle, recorded, unknownImages };
}

function unknownVehicle({ vin, primary }: VehicleManifest): Error {
  const which = vin === undefined ? `with the Primary ${primary}` : vin;
  return failure('VEHICLE_UNKNOWN', `no vehicle ${which} in the repository`, { vin: vin ?? null, primary });
}

function keysOf({ key }: ReportingUnit): readonly PublicKey[] {
  return key === null ? [] : decodePublicFile(utf8(key)).keys;
}

function recordedReport(
  ecu: string,
  report: EcuReport,
  images: ImageLookup,
): RecordedReport & { readonly isKnown: boolean } {
  const facts = images(report.image.name).find(({ sha256: hash }) => equalBytes(hash, report.image.sha256));
  const { version, releaseCounter } = facts ?? { version: null, releaseCounter: null };
  return { ecu, report, version, releaseCounter, isKnown: facts !== undefined };
}
