/**
 * A Director's published tree, in a folder or behind a URL: roots in `metadata/`, and for each vehicle its own files in
 * `vehicles/ID/metadata/`.
 *
 * Invariant: a look-up by VIN believes nothing; it only says where to verify.
 */
import { parseVersion } from '../../core/brands.ts';
import type { Version, Vin } from '../../core/brands.ts';
import { isFailure } from '../../core/errors.ts';
import type { Files, Io } from '../../core/ports.ts';
import { readVehicle } from '../../formats/metadata/director-targets.ts';
import { decodeRole } from '../../formats/metadata/envelope.ts';
import { METADATA_BYTES_MAX } from '../../formats/metadata/limits.ts';
import { refusal } from '../../trust/refusal.ts';
import type { TrustSource } from '../../trust/source.ts';
import { treeSource } from './tree-source.ts';

const ROOT_FILE = /^[1-9][0-9]*\.root\.json$/;
const TARGETS_FILE = /^([1-9][0-9]{0,15})\.targets\.json$/;
const VEHICLE_ID = /^[0-9a-f]{32}$/;

/** The metadata of one vehicle: the roots that all share, and its own files. */
export function directorSource(io: Pick<Io, 'files' | 'http'>, tree: string, vehicleId: string): TrustSource {
  const shared = treeSource(io, tree).metadata;
  const own = treeSource(io, vehicleFolder(tree, vehicleId)).metadata;
  return { fetch: (name, maxBytes) => (ROOT_FILE.test(name) ? shared : own).fetch(name, maxBytes) };
}

/** Where a vehicle's files are. */
export function vehicleFolder(tree: string, vehicleId: string): string {
  return `${tree.replace(/(?<=.)\/+$/, '')}/vehicles/${vehicleId}`;
}

/** The id of the vehicle in a folder whose newest Targets names the VIN, verified or not. @throws TRUST_FILE_MISSING */
export async function findVehicle(files: Files, tree: string, vin: Vin): Promise<string> {
  for (const id of await files.list(`${tree}/vehicles`)) {
    if (VEHICLE_ID.test(id) && (await isOf(files, { tree, id, vin }))) return id;
  }
  throw refusal('TRUST_FILE_MISSING', {
    role: 'targets',
    message: `no vehicle of ${tree} says that it is ${vin}`,
    hint: 'if the Director has signed for it, name its folder with --vehicle-id',
    details: { vin },
  });
}

/** The number of the newest Targets of a vehicle in a folder; undefined where there is none. */
export async function newestTargets(files: Files, tree: string, vehicleId: string): Promise<Version | undefined> {
  const names = await files.list(`${vehicleFolder(tree, vehicleId)}/metadata`);
  const numbers = names.map((name) => Number(TARGETS_FILE.exec(name)?.[1] ?? 0));
  const newest = numbers.filter(Number.isSafeInteger).reduce((a, b) => Math.max(a, b), 0);
  return newest > 0 ? parseVersion(newest) : undefined;
}

async function isOf(files: Files, { tree, id, vin }: { tree: string; id: string; vin: Vin }): Promise<boolean> {
  const version = await newestTargets(files, tree, id);
  const name = version === undefined ? 'targets.json' : `${version}.targets.json`;
  try {
    const bytes = await files.read(`${vehicleFolder(tree, id)}/metadata/${name}`, METADATA_BYTES_MAX.targets);
    // Reading a whole fleet's files as metadata would take long.
    if (!new TextDecoder().decode(bytes).includes(vin)) return false;
    return readVehicle(decodeRole(bytes, 'targets').unverified.signed).vin === vin;
  } catch (thrown) {
    if (isFailure(thrown) && !isFailure(thrown, 'INTERNAL') && !isFailure(thrown, 'INTERRUPTED')) return false;
    throw thrown;
  }
}
