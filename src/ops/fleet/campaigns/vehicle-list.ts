/** The list of vehicles of a campaign: one VIN a line, each once. */
import { parseVin } from '../../../core/brands.ts';
import type { Vin } from '../../../core/brands.ts';
import { fromUtf8, utf8 } from '../../../core/bytes.ts';
import { failure, SecureevError } from '../../../core/errors.ts';
import type { EngineName, Io } from '../../../core/ports.ts';
import { startSha256 } from '../../../crypto/hash.ts';

const LIST_BYTES_MAX = 64 * 1024 * 1024;

/** Reads a list; `#` begins a comment. @throws VEHICLE_LIST_MALFORMED, CAMPAIGN_VEHICLE_TWICE, CAMPAIGN_EMPTY, FILE_* */
export async function readVehicleList(io: Io, path: string): Promise<readonly Vin[]> {
  const text = fromUtf8(await io.files.read(path, LIST_BYTES_MAX), 'the list of vehicles');
  const lines = new Map<Vin, number>();
  let number = 0;
  for (const line of text.split('\n')) {
    number += 1;
    const word = line.replace(/#.*/, '').trim();
    if (word === '') continue;
    const vin = vinOf(word, `${path}:${number}`);
    const before = lines.get(vin);
    if (before !== undefined) {
      throw failure('CAMPAIGN_VEHICLE_TWICE', `${path}:${number}: vehicle ${vin} is in line ${before} already`, {
        vin,
        lines: [before, number],
      });
    }
    lines.set(vin, number);
  }
  if (lines.size === 0) throw failure('CAMPAIGN_EMPTY', `${path} names no vehicle`);
  return [...lines.keys()];
}

function vinOf(word: string, at: string): Vin {
  try {
    return parseVin(word);
  } catch (cause) {
    const message = `${at}: ${cause instanceof Error ? cause.message : 'not a VIN'}`;
    throw new SecureevError('VEHICLE_LIST_MALFORMED', { message, details: { at }, cause });
  }
}

/** SHA-256 over the VINs in order, each with a line feed: `sort LIST | sha256sum` gives the same. */
export function vehicleListHash(engine: EngineName, vins: readonly Vin[]): Uint8Array {
  const hash = startSha256(engine);
  for (const vin of vins.toSorted()) hash.update(utf8(`${vin}\n`));
  return hash.digest();
}
