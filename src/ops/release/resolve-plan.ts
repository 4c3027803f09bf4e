/**
 * A release plan held against the registry: which ECUs get which image, in which bundle, and whether it all fits.
 *
 * Invariants: an image for one ECU by id goes before one for its type; every image reaches at least one ECU; every
 * requirement is met by the release or by what the registry says is installed (R3, R4).
 */
import { parseName, parseTargetName } from '../../core/brands.ts';
import type { Name, TargetName } from '../../core/brands.ts';
import { SecureevError } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/errors.ts';
import type { BundleEcu } from '../../formats/otap/bundle.ts';
import type { PlannedImage, ReleasePlan } from '../../formats/release-plan.ts';
import { concerns, unmet } from '../../plan/requirements.ts';
import type { EcuState } from '../../plan/requirements.ts';
import { ecusOf, gatewaysOf } from '../../store/fleet.ts';
import type { Ecu } from '../../store/fleet.ts';
import type { Reader } from '../../store/reader.ts';

/** An ECU that gets an image. */
export interface ReceivingEcu extends BundleEcu {
  readonly type: Name;
  readonly gateway: Name;
}

/** An image and the ECUs that get it, at least one. */
export interface ResolvedImage {
  readonly planned: PlannedImage;
  readonly target: TargetName;
  readonly ecus: readonly ReceivingEcu[];
}

/** A plan that fits. */
export interface ResolvedPlan {
  readonly plan: ReleasePlan;
  readonly images: readonly ResolvedImage[];
  /** The gateways that get a bundle, by id. */
  readonly gateways: readonly Name[];
}

/** @throws RELEASE_MODEL_UNKNOWN, RELEASE_ECU_UNKNOWN, RELEASE_REQUIREMENT_UNMET, RELEASE_CONFLICT, RELEASE_DELTA_UNSUPPORTED, VALUE_MALFORMED */
export function resolvePlan(reader: Reader, plan: ReleasePlan): ResolvedPlan {
  const registered = ecusOf(reader, plan.model);
  if (registered.length === 0) {
    throw refused('RELEASE_MODEL_UNKNOWN', {
      message: `the registry has no model ${plan.model}`,
      hint: '`secureev ecu import registry.yaml` brings it in',
    });
  }
  const images = plan.images.map((planned) => resolveImage(plan, planned, registered));
  requireMet(images, registered);
  requireNoConflict(images);
  const used = new Set(images.flatMap((image) => image.ecus.map((ecu) => ecu.gateway)));
  const gateways = gatewaysOf(reader, plan.model).map(({ id }) => parseName(id, 'gateway id'));
  return { plan, images, gateways: gateways.filter((id) => used.has(id)) };
}

function resolveImage(plan: ReleasePlan, planned: PlannedImage, registered: readonly Ecu[]): ResolvedImage {
  const { selector, place, base } = planned;
  if (base !== undefined) {
    throw refused('RELEASE_DELTA_UNSUPPORTED', { message: `${place}: this version writes no delta images (base)` });
  }
  const byId = new Set<string>(
    plan.images.filter((image) => image.selector.kind === 'ecu').map((image) => image.selector.name),
  );
  const ecus = registered.filter((ecu) =>
    selector.kind === 'ecu' ? ecu.id === selector.name : ecu.type === selector.name && !byId.has(ecu.id),
  );
  if (ecus.length === 0) {
    throw refused('RELEASE_ECU_UNKNOWN', {
      message: `${place}: model ${plan.model} has no ECU left for ${selector.kind} ${selector.name}`,
      hint: '`secureev ecu list` shows them',
    });
  }
  return { planned, target: targetOf(plan, planned), ecus: ecus.map(receivingEcu) };
}

/** The name of the target that an image of a plan is. @throws VALUE_MALFORMED */
export function targetOf(plan: ReleasePlan, { selector, version, source }: PlannedImage): TargetName {
  if (source.kind === 'target') return source.name;
  const file = source.path.slice(source.path.lastIndexOf('/') + 1);
  return parseTargetName(`${plan.model}/${selector.name}/${version}/${file}`);
}

function receivingEcu(ecu: Ecu): ReceivingEcu {
  return {
    id: parseName(ecu.id, 'ECU id'),
    type: parseName(ecu.type, 'ECU type'),
    gateway: parseName(ecu.gateway, 'gateway id'),
    hardwareId: parseName(ecu.hardware, 'hardware id'),
    currentVersion: ecu.currentVersion === '' ? undefined : parseName(ecu.currentVersion, 'version'),
  };
}

function requireMet(images: readonly ResolvedImage[], registered: readonly Ecu[]): void {
  const coming = new Map<string, string>(
    images.flatMap((image) => image.ecus.map((ecu) => [ecu.id, image.planned.version] as const)),
  );
  const after = registered.map((ecu): EcuState => {
    return { id: ecu.id, type: ecu.type, version: coming.get(ecu.id) ?? (ecu.currentVersion || undefined) };
  });
  for (const { planned } of images) {
    for (const demand of planned.requires) {
      const [missing] = unmet(demand, after).map((ecu) => ecu?.id ?? `${demand.kind} ${demand.name}`);
      if (missing === undefined) continue;
      const message = `${planned.place}: requires ${demand.version} on ${demand.kind} ${demand.name}, not met by ${missing}`;
      throw refused('RELEASE_REQUIREMENT_UNMET', { message });
    }
  }
}

/** Images of one release must not conflict; with what a vehicle has beside them, the Director sees (R3). */
function requireNoConflict(images: readonly ResolvedImage[]): void {
  for (const { planned } of images) {
    for (const demand of planned.conflicts) {
      const other = images.find(
        (image) => image.planned.version === demand.version && image.ecus.some((ecu) => concerns(demand, ecu)),
      );
      if (other === undefined) continue;
      const message = `${planned.place}: conflicts with ${demand.version} on ${demand.kind} ${demand.name}, which ${other.target} brings`;
      throw refused('RELEASE_CONFLICT', { message });
    }
  }
}

function refused(code: ErrorCode, parts: { message: string; hint?: string }): SecureevError {
  return new SecureevError(code, parts);
}
