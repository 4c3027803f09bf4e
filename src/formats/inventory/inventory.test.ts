/** Inventory files: what they say, row-exact refusals, bounded rows, and that chunking changes nothing. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../core/bytes.ts';
import { isFailure } from '../../core/errors.ts';
import { CSV_ROW_BYTES_MAX } from './csv.ts';
import { INVENTORY_FORMATS } from './index.ts';
import { JSON_LINE_BYTES_MAX } from './json-lines.ts';
import type { InventoryVehicle } from './vehicle.ts';

const A = '5YJ3E1EA0KF000316';
const B = '1HGCM82633A004352';

async function* chunked(bytes: Uint8Array, size: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}

async function vehiclesOf(id: string, text: string, size = 1 << 20): Promise<readonly InventoryVehicle[]> {
  const format = INVENTORY_FORMATS.find((one) => one.id === id);
  const vehicles: InventoryVehicle[] = [];
  for await (const some of format?.vehicles(chunked(utf8(text), size)) ?? []) vehicles.push(...some);
  return vehicles;
}

async function refusal(id: string, text: string): Promise<string> {
  const thrown = await vehiclesOf(id, text).catch((error: unknown) => error);
  return isFailure(thrown) ? `${thrown.code}: ${thrown.message}` : 'none';
}

const CSV = `vin,model,ecu,serial,hardware,kind,encryption_key
${A},EV-1,ZG_BODY,GW-1,,primary,keys/a.pub
${A},,BCM,"BC-1",bcm-a,,
${B},EV-1,,,,,
`;
const JSON_LINES = `{"vin":"${A}","model":"EV-1","encryptionKey":"keys/a.pub","ecus":[{"id":"ZG_BODY","serial":"GW-1","kind":"primary"},{"id":"BCM","serial":"BC-1","hardware":"bcm-a"}]}

{"vin":"${B}","model":"EV-1"}`;

describe('inventory files', () => {
  it('say the same in both forms, in chunks of any size (U21)', async () => {
    const told = (vehicles: readonly InventoryVehicle[]): unknown =>
      vehicles.map(({ vin, model, encryptionKey, ecus }) => {
        return {
          vin,
          model,
          encryptionKey,
          ecus: ecus?.map(({ id, serial, hardware, kind }) => ({ id, serial, hardware, kind })),
        };
      });
    const expected = [
      {
        vin: A,
        model: 'EV-1',
        encryptionKey: 'keys/a.pub',
        ecus: [
          { id: 'ZG_BODY', serial: 'GW-1', kind: 'primary' },
          { id: 'BCM', serial: 'BC-1', hardware: 'bcm-a', kind: 'secondary' },
        ],
      },
      { vin: B, model: 'EV-1' },
    ];
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 400 }), async (size) => {
        expect(told(await vehiclesOf('csv', CSV, size))).toEqual(expected);
        expect(told(await vehiclesOf('jsonl', JSON_LINES, size))).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  });

  it('read columns in any order, a byte order mark, CRLF and empty lines', async () => {
    const vehicles = await vehiclesOf('csv', `\uFEFFmodel,vin\r\n\r\nEV-1,${A}\r\n`);
    expect(vehicles).toMatchObject([{ row: 3, vin: A, model: 'EV-1' }]);
  });

  it.each([
    ['csv', '', 'INVENTORY_MALFORMED: the file is empty: a header with vin,model belongs in row 1'],
    ['csv', 'vin,typ\n', 'INVENTORY_MALFORMED: row 1, column 2: unknown column "typ"'],
    ['csv', 'vin\n', 'INVENTORY_MALFORMED: row 1, column model: missing in the header'],
    ['csv', 'vin,vin\n', 'INVENTORY_MALFORMED: row 1, column 2: a second column vin'],
    ['csv', `vin,model\n${A},EV-1\n123,EV-1\n`, 'INVENTORY_MALFORMED: row 3, column vin: not a valid VIN'],
    ['csv', `vin,model\n${A},\n`, 'INVENTORY_MALFORMED: row 2, column model: not a valid model'],
    ['csv', `vin,model\n${A},EV-1,x\n`, 'INVENTORY_MALFORMED: row 2: not as many fields'],
    ['csv', `vin,model\n"${A},EV-1\n`, 'INVENTORY_MALFORMED: row 2: a quote is opened and never closed'],
    ['csv', `vin,model\n${A},EV-1\n${A},EV-1\n`, `INVENTORY_VIN_TWICE: row 3, column vin: vehicle ${A} is in row 2`],
    ['csv', `vin,model,ecu\n${A},EV-1,BCM\n${A},EV-2,MCU\n`, 'INVENTORY_MALFORMED: row 3, column model: this vehicle'],
    ['csv', `vin,model,ecu\n${A},EV-1,BCM\n${A},EV-1,BCM\n`, 'INVENTORY_MALFORMED: row 3, column ecu: ECU BCM'],
    ['csv', `vin,model,ecu,kind\n${A},EV-1,BCM,main\n`, 'INVENTORY_MALFORMED: row 2, column kind: neither primary nor'],
    ['csv', `vin,model,ecu,kind\n${A},EV-1,,primary\n`, 'INVENTORY_MALFORMED: row 2, column kind: of no ECU'],
    [
      'csv',
      `vin,model,ecu,kind\n${A},EV-1,BCM,primary\n${A},EV-1,MCU,primary\n`,
      'INVENTORY_TWO_PRIMARIES: row 3, column kind: BCM is the Primary',
    ],
    ['jsonl', '[]', 'INVENTORY_MALFORMED: row 1: not a JSON object'],
    ['jsonl', `\n{"vin":"${A}"`, 'INVENTORY_MALFORMED: row 2: '],
    ['jsonl', `{"vin":"${A}","model":"EV-1","x":1}`, 'INVENTORY_MALFORMED: row 1, column x: unknown member'],
    ['jsonl', `{"vin":"${A}","model":"EV-1","ecus":{}}`, 'INVENTORY_MALFORMED: row 1, column ecus: not a list'],
    [
      'jsonl',
      `{"vin":"${A}","model":"EV-1","ecus":[{"id":"BCM"},{"id":"MCU","serial":"a b"}]}`,
      'INVENTORY_MALFORMED: row 1, column ecus[1].serial: not a valid name',
    ],
    [
      'jsonl',
      `{"vin":"${A}","model":"EV-1","ecus":[{"id":"BCM"},{"id":"MCU","serial":"BCM"}]}`,
      'INVENTORY_MALFORMED: row 1, column ecus[1].serial: BCM is the id of another ECU',
    ],
    [
      'jsonl',
      `{"vin":"${A}","model":"EV-1","ecus":[{"id":"A","kind":"primary"},{"id":"B","kind":"primary"}]}`,
      'INVENTORY_TWO_PRIMARIES: row 1, column ecus[1].kind: A is the Primary',
    ],
  ])('refuse %s %j, row and column said', async (id, text, expected) => {
    expect((await refusal(id, text)).slice(0, expected.length)).toBe(expected);
  });

  it.each([
    ['csv', 'vin,model\n', CSV_ROW_BYTES_MAX],
    ['csv', 'vin,model\n"', CSV_ROW_BYTES_MAX],
    ['jsonl', '{"vin":"', JSON_LINE_BYTES_MAX],
  ])('refuse an endless %s line after %j before it is in memory', async (id, head, max) => {
    let given = 0;
    async function* endless(): AsyncIterable<Uint8Array> {
      yield utf8(head);
      const chunk = new Uint8Array(16 * 1024).fill(0x41);
      for (; given < 2 ** 31; given += chunk.length) yield chunk;
    }
    const format = INVENTORY_FORMATS.find((one) => one.id === id);
    const all = async (): Promise<void> => {
      for await (const some of format?.vehicles(endless()) ?? []) expect(some).toEqual([]);
    };
    await expect(all()).rejects.toMatchObject({ code: 'INVENTORY_TOO_LARGE' });
    expect(given).toBeLessThan(max + 64 * 1024);
  });

  it('refuse, or read, whatever bytes come, always with a code', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('csv', 'jsonl'), fc.uint8Array({ maxLength: 300 }), async (id, bytes) => {
        const format = INVENTORY_FORMATS.find((one) => one.id === id);
        const read = async (): Promise<boolean> => {
          for await (const some of format?.vehicles(chunked(bytes, 7)) ?? []) if (!Array.isArray(some)) return false;
          return true;
        };
        expect(await read().catch((thrown: unknown) => isFailure(thrown))).toBe(true);
      }),
    );
  });
});
