/**
 * What a client notes of its last complete verification of a vehicle: whose it was, when, and under which Snapshot.
 *
 * Layout of the file `vehicle` in the folder of trusted metadata: five lines of ASCII, the name of the form, the VIN, the
 * time, SHA-256 of the Director's Snapshot, SHA-256 over the trees and pinned roots of that run. It is the client's own and no metadata: one that is lost costs a full run.
 */
import { formatInstant, parseInstant, parseVin } from '../../core/brands.ts';
import type { Instant, Vin } from '../../core/brands.ts';
import { toHex, utf8 } from '../../core/bytes.ts';
import { failure, isFailure } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import { sha256 } from '../../crypto/hash.ts';
import { refusal } from '../../trust/refusal.ts';
import type { TrustedSet } from '../../trust/state.ts';

const FORM = 'secureev vehicle 1';
const BYTES_MAX = 512;

/** The last complete verification. */
export interface VehicleMarker {
  readonly vin: Vin;
  readonly time: Instant;
  /** 64 hex digits. */
  readonly snapshot: string;
  /** {@link treesDigest}. */
  readonly trees: string;
}

/** Reads the marker of a folder; undefined where there is none, or none that can be read. */
export async function readMarker({ files }: Pick<Io, 'files'>, folder: string): Promise<VehicleMarker | undefined> {
  try {
    const text = new TextDecoder().decode(await files.read(pathIn(folder), BYTES_MAX));
    const [form, vin = '', time = '', snapshot = '', trees = ''] = text.split('\n');
    return form === FORM ? { vin: parseVin(vin), time: parseInstant(time), snapshot, trees } : undefined;
  } catch (thrown) {
    if (
      ['FILE_NOT_FOUND', 'FILE_TOO_LARGE', 'VALUE_MALFORMED'].some((code) => isFailure(thrown) && thrown.code === code)
    ) {
      return undefined;
    }
    throw thrown;
  }
}

/** Notes a complete verification. */
export async function writeMarker(io: Pick<Io, 'files'>, folder: string, marker: VehicleMarker): Promise<void> {
  const lines = [FORM, marker.vin, formatInstant(marker.time), marker.snapshot, marker.trees, ''];
  await io.files.write(pathIn(folder), utf8(lines.join('\n')), { overwrite: true });
}

/** The marker's name for the Snapshot of a set. */
export function snapshotDigest(set: TrustedSet): string {
  const bytes = set.snapshot?.verified.bytes;
  if (bytes === undefined) throw failure('INTERNAL', 'a digest of a Snapshot before there is one');
  return toHex(sha256(set.terms.engine, bytes));
}

/** What a run was about: an unchanged Snapshot ends another run only if that verified the same trees under the same roots. */
export function treesDigest(
  { engine }: Pick<Io, 'engine'>,
  { director, image }: { readonly director: string; readonly image?: { readonly tree: string } | undefined },
  roots: { readonly directorRoot: Uint8Array; readonly imageRoot: Uint8Array | undefined },
): string {
  const hash = (bytes: Uint8Array | undefined): string => (bytes === undefined ? '' : toHex(sha256(engine, bytes)));
  const said = [director, image?.tree ?? '', hash(roots.directorRoot), hash(roots.imageRoot)];
  return hash(utf8(JSON.stringify(said)));
}

/** Refuses a folder that another vehicle's metadata is kept in. @throws USAGE */
export function requireOwnState(
  marker: VehicleMarker | undefined,
  { vin, state }: { readonly vin: Vin; readonly state: string | undefined },
): void {
  if (marker === undefined || marker.vin === vin) return;
  throw failure('USAGE', `--state ${state ?? ''} is of vehicle ${marker.vin}, and ${vin} is asked for`);
}

/** Refuses a time before that of the last complete verification (U43). @throws TRUST_CLOCK_BACK */
export function requireLaterTime(marker: VehicleMarker | undefined, now: Instant): void {
  if (marker === undefined || marker.time <= now) return;
  throw refusal('TRUST_CLOCK_BACK', {
    role: 'time',
    message: `now is ${formatInstant(now)}, but it was ${formatInstant(marker.time)} when this vehicle was last verified`,
    details: { expected: marker.time, found: now },
  });
}

function pathIn(folder: string): string {
  return `${folder}/vehicle`;
}
