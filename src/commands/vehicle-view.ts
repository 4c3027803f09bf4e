/** `verify repository --vehicle`: the flags and the answer of a vehicle's view; loaded only where one is asked for. */
import { parseTargetName, parseVin } from '../core/brands.ts';
import { failure } from '../core/errors.ts';
import type { Check } from '../core/report.ts';
import { requireFindable, verifyVehicle } from '../ops/repository/verify-vehicle.ts';
import { publishedSides } from '../ops/repository/published-sides.ts';
import type { VehicleVerdict, VerifyVehicleInput } from '../ops/repository/verify-vehicle.ts';
import { filesOf } from '../ops/repository/metadata-checks.ts';
import { vehicleVerdictText } from '../render/vehicle-view.ts';
import type { Call, Outcome } from './command.ts';
import { argument, fixedNow, flag, pinnedRoot, requiredText, text } from './flags.ts';
import { vehicleIdOf } from './vehicle-id.ts';

/** The answer, and the checks for other reports of them. */
export interface VehicleViewOutcome {
  readonly checks: readonly Check[];
  readonly outcome: Outcome;
}

/** Verifies the view of `--vehicle`, in full or with `--partial`. */
export async function runVehicleView(call: Call): Promise<VehicleViewOutcome> {
  const input = await inputOf(call);
  const verdict = await verifyVehicle(input, call.io);
  const { checks, refusal, unchanged, downloaded } = verdict;
  const result = {
    tree: argument(call, 0, 'TREE'),
    verified: refusal === undefined,
    partial: input.image === undefined,
    vehicle: { vin: verdict.vin, id: verdict.vehicleId ?? null },
    unchanged,
    checks,
    roles: { director: versionsOf(verdict.director), image: versionsOf(verdict.imageSet) },
    images: verdict.entries.map(({ name, ecus, encrypted }) => ({
      target: name,
      ecus: Object.fromEntries(ecus),
      sealed: encrypted?.name ?? null,
    })),
    target: downloaded === undefined ? null : { name: input.target, ...downloaded, path: downloaded.path ?? null },
  };
  const outcome = { result, text: vehicleVerdictText(verdict) };
  return { checks, outcome: refusal === undefined ? outcome : { ...outcome, failure: refusal } };
}

function versionsOf(set: VehicleVerdict['director']): Readonly<Record<string, number>> | null {
  return set === undefined ? null : Object.fromEntries(filesOf(set).map(({ role, version }) => [role, version]));
}

async function inputOf(call: Call): Promise<VerifyVehicleInput> {
  const isPartial = flag(call, 'partial');
  const sides = await publishedSides(call.io.files, {
    tree: argument(call, 0, 'TREE'),
    director: text(call, 'director'),
    isPartial,
  });
  const [ecu, target, out] = [text(call, 'ecu'), text(call, 'target'), text(call, 'out')];
  if (isPartial && ecu === undefined) throw failure('USAGE', '--partial needs --ecu');
  if (isPartial && target !== undefined)
    throw failure('USAGE', '--partial downloads nothing: give the image with --image');
  if (text(call, 'image') !== undefined && ecu === undefined) throw failure('USAGE', '--image needs --ecu');
  const input: VerifyVehicleInput = {
    director: sides.director,
    directorRoot: requiredText(call, 'directorRoot'),
    image: isPartial ? undefined : { tree: sides.image, root: pinnedRoot(call) },
    vin: parseVin(requiredText(call, 'vehicle')),
    vehicleId: vehicleIdOf(call),
    state: text(call, 'state')?.replace(/(?<=.)\/+$/, ''),
    now: fixedNow(call),
    requireHybrid: flag(call, 'requireHybrid'),
    installed: text(call, 'installed'),
    ecu,
    imageFile: text(call, 'image'),
    target: target === undefined ? undefined : parseTargetName(target),
    out,
  };
  requireFindable(input, isPartial);
  return input;
}
