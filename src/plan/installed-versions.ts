/** A bundle against what a vehicle runs: nothing goes back, and what images demand of other ECUs is met (R3, R4, U33). */
import { failure } from '../core/errors.ts';
import type { InstalledEcu } from '../formats/installed.ts';
import type { BundleImage, Manifest } from '../formats/otap/bundle.ts';
import { unmet } from './requirements.ts';
import type { EcuState } from './requirements.ts';
import { compareVersions } from './version-order.ts';

/**
 * Demands that no ECU would get a lower release counter (where both are known) or version, and that requirements are met;
 * gives the number of ECUs of the bundle that are in `installed`.
 *
 * @throws BUNDLE_VERSION_ROLLBACK, BUNDLE_REQUIREMENT_UNMET
 */
export function requireNoRollback(manifest: Manifest, installed: readonly InstalledEcu[]): number {
  const byId = new Map(installed.map((ecu) => [ecu.id, ecu]));
  let compared = 0;
  for (const image of manifest.images) {
    for (const { id } of image.ecus) {
      const before = byId.get(id);
      if (before === undefined) continue;
      compared += 1;
      requireNotLower(image, before);
    }
  }
  requireMet(manifest, installed);
  return compared;
}

function requireNotLower(image: BundleImage, before: InstalledEcu): void {
  const { version, releaseCounter } = image;
  const lowerCounter = before.releaseCounter !== undefined && releaseCounter < before.releaseCounter;
  const lowerVersion = compareVersions(version, before.version) < 0;
  if (!lowerCounter && !lowerVersion) return;
  const counters = lowerCounter ? `, release counter ${releaseCounter} after ${before.releaseCounter}` : '';
  const message = `ECU ${before.id} runs ${before.version} and would get ${version}${counters} (rollback attack)`;
  throw failure('BUNDLE_VERSION_ROLLBACK', message, { ecu: before.id, installed: before.version, version });
}

function requireMet(manifest: Manifest, installed: readonly InstalledEcu[]): void {
  const after = new Map<string, EcuState>();
  for (const { id, type, version } of installed) after.set(id, { id, type: type ?? '', version });
  for (const image of manifest.images) {
    for (const { id } of image.ecus) {
      after.set(id, { id, type: image.ecuType ?? after.get(id)?.type ?? '', version: image.version });
    }
  }
  for (const image of manifest.images) {
    for (const demand of image.requires) {
      const [missing] = unmet(demand, [...after.values()]).map((ecu) => ecu?.id ?? `${demand.kind} ${demand.name}`);
      if (missing === undefined) continue;
      const message = `${image.target} requires ${demand.version} on ${demand.kind} ${demand.name}, not met by ${missing}`;
      throw failure('BUNDLE_REQUIREMENT_UNMET', message, { target: image.target });
    }
  }
}
