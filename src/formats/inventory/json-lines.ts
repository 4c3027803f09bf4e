/**
 * Vehicles as JSON lines: one object a line, ECUs nested.
 *
 * Invariant: memory holds one line, whatever the file's size.
 *
 * @see FORMAT.md
 */
import { parseName, parseVin, quote } from '../../core/brands.ts';
import { concatBytes } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import { isJsonList, isJsonMap } from '../json/json.ts';
import type { Json, JsonMap } from '../json/json.ts';
import { parseJson } from '../json/parse.ts';
import { inventoryEcu, inventoryFailure, keyText, parsedAt, requireFitting, VEHICLE_ECUS_MAX } from './vehicle.ts';
import type { InventoryEcu, InventoryVehicle } from './vehicle.ts';

/** The most bytes of a line. */
export const JSON_LINE_BYTES_MAX = 1024 * 1024;

const LIMITS = { bytesMax: JSON_LINE_BYTES_MAX, depthMax: 4, valuesMax: 8 * VEHICLE_ECUS_MAX };
const LINE_FEED = 0x0a;

/**
 * The vehicles of a file of JSON lines, as many at a time as a chunk completes.
 *
 * @throws INVENTORY_MALFORMED, INVENTORY_TOO_LARGE, INVENTORY_TWO_PRIMARIES
 */
export async function* jsonLineVehicles(chunks: AsyncIterable<Uint8Array>): AsyncIterable<readonly InventoryVehicle[]> {
  let rest: Uint8Array = new Uint8Array(0);
  let row = 0;
  for await (const chunk of chunks) {
    const vehicles: InventoryVehicle[] = [];
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, from)) {
      const line = concatBytes(rest, chunk.subarray(from, end));
      rest = new Uint8Array(0);
      from = end + 1;
      row += 1;
      vehicles.push(...vehicleOfLine(line, row));
    }
    rest = concatBytes(rest, chunk.subarray(from));
    requireBounded(rest, row + 1);
    yield vehicles;
  }
  yield vehicleOfLine(rest, row + 1);
}

function requireBounded(line: Uint8Array, row: number): void {
  if (line.length <= JSON_LINE_BYTES_MAX) return;
  throw failure('INVENTORY_TOO_LARGE', `row ${row}: longer than ${JSON_LINE_BYTES_MAX} bytes`, { row });
}

function vehicleOfLine(line: Uint8Array, row: number): readonly InventoryVehicle[] {
  requireBounded(line, row);
  if (line.every((byte) => byte === 0x20 || byte === 0x0d || byte === 0x09)) return [];
  return [vehicleOf(jsonOf(line, row), row)];
}

function jsonOf(line: Uint8Array, row: number): JsonMap {
  let value: Json;
  try {
    value = parseJson(line, LIMITS);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : 'not JSON';
    throw failure('INVENTORY_MALFORMED', `row ${row}: ${message}`, { row });
  }
  if (isJsonMap(value)) return value;
  throw failure('INVENTORY_MALFORMED', `row ${row}: not a JSON object`, { row });
}

function vehicleOf(value: JsonMap, row: number): InventoryVehicle {
  const members = membersOf(value, { row, within: '', known: ['vin', 'model', 'encryptionKey', 'ecus'] });
  const vin = parsedAt({ row, column: 'vin' }, members.text('vin'), parseVin);
  const model = parsedAt({ row, column: 'model' }, members.text('model'), (text) => parseName(text, 'model'));
  const encryptionKey = keyText(members.text('encryptionKey'), { row, column: 'encryptionKey' });
  const list = value.get('ecus');
  if (list === undefined) return { row, vin, model, encryptionKey, ecus: undefined };
  if (!isJsonList(list) || list.length > VEHICLE_ECUS_MAX) {
    throw inventoryFailure('INVENTORY_MALFORMED', { row, column: 'ecus' }, `not a list of at most ${VEHICLE_ECUS_MAX}`);
  }
  const ecus = list.map((item, index) => ecuOf(item, { row, within: `ecus[${index}].` }));
  requireFitting(ecus);
  return { row, vin, model, encryptionKey, ecus };
}

function ecuOf(value: Json, at: { row: number; within: string }): InventoryEcu {
  if (!isJsonMap(value)) {
    const column = at.within.slice(0, -1);
    throw inventoryFailure('INVENTORY_MALFORMED', { row: at.row, column }, 'not an object');
  }
  const { text } = membersOf(value, { ...at, known: ['id', 'serial', 'hardware', 'kind', 'key'] });
  const fields = { serial: text('serial'), hardware: text('hardware'), kind: text('kind'), key: text('key') };
  return inventoryEcu({ ...fields, ecu: text('id') }, at);
}

function membersOf(
  value: JsonMap,
  { row, within, known }: { row: number; within: string; known: readonly string[] },
): { text(name: string): string } {
  for (const name of value.keys()) {
    if (known.includes(name)) continue;
    const place = { row, column: within + name.slice(0, 40).replaceAll(/[^\x20-\x7e]/g, '?') };
    throw inventoryFailure(
      'INVENTORY_MALFORMED',
      place,
      `unknown member ${quote(name)}; there are ${known.join(', ')}`,
    );
  }
  return {
    text: (name) => {
      const found = value.get(name) ?? '';
      if (typeof found === 'string') return found;
      throw inventoryFailure('INVENTORY_MALFORMED', { row, column: within + name }, 'not text');
    },
  };
}
