/**
 * Vehicles as CSV (RFC 4180): a header, then a row per vehicle or per ECU, a vehicle's rows one after the other.
 *
 * Invariant: memory holds one row and one vehicle, whatever the file's size.
 *
 * @see FORMAT.md
 */
import { CsvError, parse } from 'csv-parse';
import { parseName, parseVin, quote } from '../../core/brands.ts';
import type { Name, Vin } from '../../core/brands.ts';
import { failure } from '../../core/errors.ts';
import type { SecureevError } from '../../core/errors.ts';
import { inventoryEcu, inventoryFailure, keyText, parsedAt, requireFitting, VEHICLE_ECUS_MAX } from './vehicle.ts';
import type { InventoryEcu, InventoryVehicle } from './vehicle.ts';

/** The most bytes of a row. */
export const CSV_ROW_BYTES_MAX = 64 * 1024;

const COLUMNS = ['vin', 'model', 'encryption_key', 'ecu', 'serial', 'hardware', 'kind', 'key'] as const;
type Column = (typeof COLUMNS)[number];
const REQUIRED: readonly Column[] = ['vin', 'model'];

/**
 * The vehicles of a CSV file, as many at a time as a chunk completes.
 *
 * @throws INVENTORY_MALFORMED, INVENTORY_TOO_LARGE, INVENTORY_TWO_PRIMARIES
 */
export async function* csvVehicles(chunks: AsyncIterable<Uint8Array>): AsyncIterable<readonly InventoryVehicle[]> {
  const rows = rowReader();
  const parser = parse({
    bom: true,
    skip_empty_lines: true,
    max_record_size: CSV_ROW_BYTES_MAX,
    on_record: (record: readonly string[], { lines }) => {
      rows.add(record, lines);
      return null;
    },
  });
  const ended = new Promise<void>((resolve, reject) => {
    parser.once('end', resolve).once('error', reject);
  });
  ended.catch(() => undefined);
  parser.resume();
  for await (const chunk of chunks) {
    parser.write(chunk);
    if (parser.errored !== null) throw csvFailure(parser.errored);
    yield rows.take();
  }
  parser.end();
  await ended.catch((thrown: unknown) => {
    throw csvFailure(thrown);
  });
  yield rows.finish();
}

interface RowReader {
  add(record: readonly string[], row: number): void;
  /** The vehicles that are complete. */
  take(): readonly InventoryVehicle[];
  finish(): readonly InventoryVehicle[];
}

/** Where columns are. */
interface Header {
  field(record: readonly string[], column: Column): string;
  /** There are no other columns than those that are required. */
  readonly isPlain: boolean;
}

/** The text of a column, trimmed; empty where there is none. */
type Field = (column: Column) => string;

function rowReader(): RowReader {
  let header: Header | undefined;
  const grouping = vehicleGrouping();
  return {
    add: (record, row) => {
      if (header === undefined) header = readHeader(record);
      else grouping.add((column) => header?.field(record, column) ?? '', { row, isPlain: header.isPlain });
    },
    take: grouping.take,
    finish: () => {
      if (header !== undefined) return grouping.finish();
      throw failure('INVENTORY_MALFORMED', 'the file is empty: a header with vin,model belongs in row 1');
    },
  };
}

interface OpenVehicle {
  readonly row: number;
  readonly vin: Vin;
  readonly model: Name;
  encryptionKey: string | undefined;
  readonly ecus: InventoryEcu[];
}

/** Rows of one VIN, one after the other, become one vehicle. */
function vehicleGrouping(): Pick<RowReader, 'take' | 'finish'> & {
  add(field: Field, at: { row: number; isPlain: boolean }): void;
} {
  let open: OpenVehicle | undefined;
  let done: InventoryVehicle[] = [];
  const close = (): void => {
    if (open === undefined) return;
    if (open.ecus.length > 0) requireFitting(open.ecus);
    done.push({ ...open, ecus: open.ecus.length === 0 ? undefined : open.ecus });
    open = undefined;
  };
  const take = (): readonly InventoryVehicle[] => {
    const taken = done;
    done = [];
    return taken;
  };
  return {
    add: (field, { row, isPlain }) => {
      const vin = field('vin');
      const model = field('model');
      if (open?.vin === vin) {
        continues(open, model, row);
      } else {
        close();
        open = begun(vin, model, row);
      }
      if (!isPlain) addRow(open, field, row);
    },
    take,
    finish: () => {
      close();
      return take();
    },
  };
}

function begun(vin: string, model: string, row: number): OpenVehicle {
  return {
    row,
    vin: parsedAt({ row, column: 'vin' }, vin, parseVin),
    model: parsedAt({ row, column: 'model' }, model, (text) => parseName(text, 'model')),
    encryptionKey: undefined,
    ecus: [],
  };
}

function continues(open: OpenVehicle, model: string, row: number): void {
  if (open.ecus.length === 0) {
    throw inventoryFailure(
      'INVENTORY_VIN_TWICE',
      { row, column: 'vin' },
      `vehicle ${open.vin} is in row ${open.row} already`,
    );
  }
  if (model !== '' && model !== open.model) {
    throw inventoryFailure(
      'INVENTORY_MALFORMED',
      { row, column: 'model' },
      `this vehicle is of model ${open.model} in row ${open.row}`,
    );
  }
  if (open.ecus.length > VEHICLE_ECUS_MAX) requireFitting(open.ecus);
}

function addRow(open: OpenVehicle, field: Field, row: number): void {
  const key = keyText(field('encryption_key'), { row, column: 'encryption_key' });
  if (key !== undefined && open.encryptionKey !== undefined && key !== open.encryptionKey) {
    throw inventoryFailure('INVENTORY_MALFORMED', { row, column: 'encryption_key' }, 'a second key for this vehicle');
  }
  open.encryptionKey ??= key;
  const text = {
    ecu: field('ecu'),
    serial: field('serial'),
    hardware: field('hardware'),
    kind: field('kind'),
    key: field('key'),
  };
  if (text.ecu !== '') {
    open.ecus.push(inventoryEcu(text, { row, within: '' }));
    return;
  }
  const stray = Object.entries(text).find(([, value]) => value !== '');
  if (stray !== undefined) {
    throw inventoryFailure('INVENTORY_MALFORMED', { row, column: stray[0] }, 'of no ECU: column ecu is empty');
  }
  if (open.ecus.length > 0) {
    throw inventoryFailure(
      'INVENTORY_MALFORMED',
      { row, column: 'ecu' },
      `empty, in a further row of vehicle ${open.vin}`,
    );
  }
}

function readHeader(record: readonly string[]): Header {
  const places = new Map<string, number>();
  for (const [index, title] of record.entries()) {
    const place = { row: 1, column: String(index + 1) };
    const name = title.trim();
    if (!COLUMNS.some((column) => column === name)) {
      const known = COLUMNS.join(', ');
      throw inventoryFailure('INVENTORY_MALFORMED', place, `unknown column ${quote(name)}; there are ${known}`);
    }
    if (places.has(name)) throw inventoryFailure('INVENTORY_MALFORMED', place, `a second column ${name}`);
    places.set(name, index);
  }
  for (const name of REQUIRED) {
    if (!places.has(name))
      throw inventoryFailure('INVENTORY_MALFORMED', { row: 1, column: name }, 'missing in the header');
  }
  const field: Header['field'] = (values, column) => {
    const index = places.get(column);
    return index === undefined ? '' : (values[index] ?? '').trim();
  };
  return { field, isPlain: places.size === REQUIRED.length };
}

function csvFailure(thrown: unknown): unknown {
  if (!(thrown instanceof CsvError)) return thrown;
  const row = Number(thrown['lines'] ?? 0);
  if (thrown.code === 'CSV_MAX_RECORD_SIZE') return tooLarge(row);
  const details = { row, csv: thrown.code };
  return failure('INVENTORY_MALFORMED', `row ${row}: ${REASONS[thrown.code] ?? 'not CSV'}`, details);
}

function tooLarge(row: number): SecureevError {
  return failure('INVENTORY_TOO_LARGE', `row ${row}: longer than ${CSV_ROW_BYTES_MAX} bytes`, { row });
}

const REASONS: Readonly<Record<string, string>> = {
  CSV_RECORD_INCONSISTENT_FIELDS_LENGTH: 'not as many fields as the header has columns',
  CSV_RECORD_INCONSISTENT_COLUMNS: 'not as many fields as the header has columns',
  CSV_QUOTE_NOT_CLOSED: 'a quote is opened and never closed',
  CSV_INVALID_CLOSING_QUOTE: 'something follows a closing quote',
  INVALID_OPENING_QUOTE: 'a quote within a field that does not begin with one',
};
