/** A list of vehicles that is held whole while a fleet is signed: 16 bytes a vehicle. */
import { fromHex, toHex } from '../../../core/bytes.ts';
import type { EngineName } from '../../../core/ports.ts';
import { sha256 } from '../../../crypto/hash.ts';

/** Ids of vehicles, in order. */
export interface VehicleIds {
  readonly count: number;
  /** The ids from place `from` on, at most `count`. */
  slice(from: number, count: number): readonly string[];
  /** SHA-256 over the ids as 16 bytes each, in hex: names the list in the audit log. */
  hash(engine: EngineName): string;
}

const ID_BYTES = 16;
const FIRST_BYTES = 1024 * ID_BYTES;

/** Packs ids (32 hex digits each). */
export function vehicleIds(ids: Iterable<string>): VehicleIds {
  let bytes = new Uint8Array(FIRST_BYTES);
  let count = 0;
  for (const id of ids) {
    if ((count + 1) * ID_BYTES > bytes.length) {
      const larger = new Uint8Array(2 * bytes.length);
      larger.set(bytes);
      bytes = larger;
    }
    bytes.set(fromHex(id), count * ID_BYTES);
    count += 1;
  }
  const at = (index: number): string => toHex(bytes.subarray(index * ID_BYTES, (index + 1) * ID_BYTES));
  return {
    count,
    slice: (from, wanted) =>
      Array.from({ length: Math.max(0, Math.min(wanted, count - from)) }, (_, i) => at(from + i)),
    hash: (engine) => toHex(sha256(engine, bytes.subarray(0, count * ID_BYTES))),
  };
}
