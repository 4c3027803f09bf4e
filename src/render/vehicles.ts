/** Vehicles and their keys as text and as JSON. */
import { formatInstant, instantOf } from '../core/brands.ts';
import type { Instant } from '../core/brands.ts';
import { shortId } from './fingerprint.ts';
import { vehicleEcusText } from './inventory.ts';
import type { ShownVehicleEcu } from './inventory.ts';
import { fields, indented, table } from './table.ts';
import { count, printableLine } from './text.ts';

const DRY = 'dry run, nothing was changed: ';

/** What of a vehicle key is shown. */
export interface ShownVehicleKey {
  readonly keyId: string;
  readonly purpose: string;
  readonly algorithm: string;
  readonly addedAt: number;
  readonly revokedAt: number | null;
  readonly reason: string | null;
}

/** What of an envelope is shown at its vehicle. */
export interface ShownDelivery {
  readonly target: string;
  readonly keyId: string;
  readonly expires: number | null;
  readonly addedAt: number;
  readonly removedAt: number | null;
}

/** A vehicle with all there is to know of it. */
export interface ShownVehicle {
  readonly vehicle: { readonly id: string; readonly vin: string; readonly model: string; readonly addedAt: Instant };
  readonly keys: readonly ShownVehicleKey[];
  readonly ecus: readonly ShownEcu[];
  readonly envelopes: readonly ShownDelivery[];
}

/** What of an ECU is shown at its vehicle. */
export interface ShownEcu {
  readonly id: string;
  readonly type: string;
  readonly serial: string | null;
  readonly hardware: string;
  readonly kind: 'primary' | 'secondary' | null;
  readonly keyId: string | null;
  readonly installed:
    | {
        readonly target: string;
        readonly sha256: string;
        readonly version: string | null;
        readonly releaseCounter: number | null;
        readonly reportedAt: number;
      }
    | undefined;
  readonly ageSeconds: number | null;
  readonly assigned: string | undefined;
}

/** A vehicle that was added. */
export function addedVehicleText(
  vehicle: {
    vin: string;
    model: string;
    id: string;
    encryptionKey: { keyId: string; kem: string } | null;
    ecus: number;
  },
  dryRun: boolean,
): string {
  const { vin, model, id, encryptionKey: key } = vehicle;
  const head = `${dryRun ? DRY : ''}added vehicle ${vin}, model ${model}`;
  const keyText = key === null ? 'none yet: nothing can be encrypted to it' : `${shortId(key.keyId)} (${key.kem})`;
  return `${head}\n${indented(
    fields([
      ['encryption key', keyText],
      ['ECUs', vehicle.ecus === 0 ? 'those of its model' : String(vehicle.ecus)],
      ['id in paths', id],
    ]),
  )}`;
}

/** A page of vehicles. */
export function vehiclesText(page: {
  vehicles: readonly { vin: string; model: string; addedAt: Instant; encryptionKeyId: string | null }[];
  total: number;
  more: boolean;
}): string {
  if (page.vehicles.length === 0) return 'no vehicles';
  const rows = page.vehicles.map(({ vin, model, addedAt, encryptionKeyId }) => [
    vin,
    model,
    encryptionKeyId === null ? 'none' : shortId(encryptionKeyId),
    formatInstant(addedAt),
  ]);
  const text = table({ head: ['vin', 'model', 'encryption key', 'added'], rows });
  return page.more ? `${text}\n... and more of ${count(page.total, 'vehicle')} (see --after and --limit)` : text;
}

/** A vehicle, its keys and envelopes. */
export function vehicleText({ vehicle, keys, ecus, envelopes }: ShownVehicle): string {
  const head = fields([
    ['vehicle', vehicle.vin],
    ['model', vehicle.model],
    ['id in paths', vehicle.id],
    ['added', formatInstant(vehicle.addedAt)],
  ]);
  const keyRows = keys.map((key) => [shortId(key.keyId), key.purpose, key.algorithm, time(key.addedAt), revoked(key)]);
  const keyText =
    keys.length === 0 ? 'no keys' : table({ head: ['key', 'for', 'algorithm', 'added', 'state'], rows: keyRows });
  const rows = envelopes.map((one) => [one.target, shortId(one.keyId), time(one.addedAt), time(one.removedAt)]);
  const envelopeText =
    rows.length === 0 ? 'no envelopes' : table({ head: ['sealed target', 'key', 'given', 'taken away'], rows });
  return [head, keyText, vehicleEcusText(ecus.map(ecuJson)), envelopeText].join('\n\n');
}

/** The same as JSON, times written out. */
export function vehicleJson({ vehicle, keys, ecus, envelopes }: ShownVehicle): Readonly<Record<string, unknown>> {
  return {
    vehicle: { ...vehicle, addedAt: formatInstant(vehicle.addedAt) },
    keys: keys.map(({ keyId, purpose, algorithm, addedAt, revokedAt, reason }) => ({
      keyId,
      purpose,
      algorithm,
      addedAt: timeOrNull(addedAt),
      revokedAt: timeOrNull(revokedAt),
      reason,
    })),
    ecus: ecus.map(ecuJson),
    envelopes: envelopes.map(({ target, keyId, expires, addedAt, removedAt }) => ({
      target,
      keyId,
      expires: timeOrNull(expires),
      addedAt: timeOrNull(addedAt),
      removedAt: timeOrNull(removedAt),
    })),
  };
}

function ecuJson({ type, installed, assigned, ...ecu }: ShownEcu): ShownVehicleEcu & { readonly type: string | null } {
  return {
    id: ecu.id,
    type: type === '' ? null : type,
    serial: ecu.serial,
    hardware: ecu.hardware,
    kind: ecu.kind,
    keyId: ecu.keyId,
    installed: installed === undefined ? null : { ...installed, reportedAt: time(installed.reportedAt) },
    ageSeconds: ecu.ageSeconds,
    assigned: assigned ?? null,
  };
}

/** A key that was set. */
export function vehicleKeyText(
  set: { vin: string; keyId: string; kem: string; replaced: string | null },
  dryRun: boolean,
): string {
  const head = `${dryRun ? DRY : ''}envelopes of vehicle ${set.vin} go to key ${shortId(set.keyId)} (${set.kem})`;
  if (set.replaced === null) return head;
  const next = `of payloads that it had before, it needs new ones: \`secureev envelope add PAYLOAD.sev --vehicle ${set.vin} --key ESCROW.key\``;
  return `${head}\nrevoked the one it had, ${shortId(set.replaced)}\n${next}`;
}

/** A key that was revoked. */
export function revokedKeyText(
  { vin, keyId, envelopes }: { vin: string; keyId: string; envelopes: number },
  dryRun: boolean,
): string {
  const head = `${dryRun ? DRY : ''}revoked key ${shortId(keyId)} of vehicle ${vin}: nothing more is encrypted to it`;
  return envelopes === 0 ? head : `${head}\nit can still open what it was given: ${count(envelopes, 'envelope')}`;
}

function revoked({ revokedAt, reason }: ShownVehicleKey): string {
  return revokedAt === null ? 'in use' : `revoked ${time(revokedAt)}: ${printableLine(reason ?? '')}`;
}

function time(seconds: number | null): string {
  return timeOrNull(seconds) ?? '';
}

function timeOrNull(seconds: number | null): string | null {
  return seconds === null ? null : formatInstant(instantOf(seconds));
}
