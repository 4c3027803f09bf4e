import { readFileSync } from 'node:fs';
import { base64 } from '@scure/base';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instantOf, parseName } from '../../core/brands.ts';
import { toHex, utf8 } from '../../core/bytes.ts';
import { isFailure } from '../../core/errors.ts';
import { signatureAlgorithm } from '../../crypto/signatures/index.ts';
import { signerKey } from '../../testing/signer-keys.ts';
import { vehicleManifest } from '../../testing/vehicle-manifests.ts';
import type { ReportingCar } from '../../testing/vehicle-manifests.ts';
import { requireManifest } from '../../trust/vehicle-manifest.ts';
import { decodePublicFile } from '../keys/public-file.ts';
import { dialectOf } from '../metadata/index.ts';
import { encodeEcuReport } from './encode.ts';
import { manifestLines } from './lines.ts';
import { decodeManifest, MANIFEST_LIMITS } from './manifest.ts';

const tuf = dialectOf('tuf');
const primary = signerKey('ed25519', 'primary');
const secondary = signerKey('ecdsa-p256', 'secondary');
const CAR: ReportingCar = {
  vin: '5YJ3E1EA0KF000316',
  time: 1_795_000_000,
  nonce: 'n',
  counter: 3,
  ecus: [
    { ecu: 'P', keys: [primary], image: { name: 'EV-1/P/1/p.bin', content: new Uint8Array(3) } },
    { ecu: 'S', keys: [secondary], image: { name: 'EV-1/S/1/s.bin', content: new Uint8Array(4) }, attack: 'freeze' },
  ],
};
const VEHICLE = {
  vin: '5YJ3E1EA0KF000316',
  units: [
    { identifier: 'P', isPrimary: true, keys: [primary.publicKey] },
    { identifier: 'S', isPrimary: false, keys: [secondary.publicKey] },
  ],
};

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (thrown) {
    if (isFailure(thrown)) return thrown.code;
    throw thrown;
  }
  return 'nothing thrown';
}

function changed(bytes: Uint8Array, from: string, to: string): Uint8Array {
  const text = Buffer.from(bytes).toString();
  expect(text).toContain(from);
  return Buffer.from(text.replaceAll(from, to));
}

describe('U42 a vehicle version manifest', () => {
  test('says of each ECU name, image, hash, attack, time, nonce and counter', async () => {
    const { content, signatures } = decodeManifest(await vehicleManifest(CAR), tuf).unverified;
    expect(content).toMatchObject({ vin: CAR.vin, primary: 'P' });
    expect(signatures.map(({ keyId }) => keyId)).toEqual([primary.publicKey.keyId]);
    const report = content.reports.get(parseName('S'))?.content;
    expect(report).toMatchObject({ ecu: 'S', attack: 'freeze', time: CAR.time, counter: 3 });
    expect(report?.image).toMatchObject({ name: 'EV-1/S/1/s.bin', length: 4 });
    expect(content.reports.get(parseName('P'))?.content.attack).toBeUndefined();
  });

  test('any flipped byte of it is malformed or refused', async () => {
    const bytes = await vehicleManifest(CAR);
    const check = { engine: 'native', dialect: tuf, vehicle: VEHICLE } as const;
    expect(requireManifest(decodeManifest(bytes, tuf), check).verified.primary).toBe('P');
    fc.assert(
      fc.property(fc.nat(bytes.length - 2), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const flipped = bytes.slice();
        flipped[at] = (flipped[at] ?? 0) ^ mask;
        expect(codeOf(() => requireManifest(decodeManifest(flipped, tuf), check))).toMatch(/^MANIFEST_/);
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    ['"primary_ecu_serial":"P"', '"primary_ecu_serial":"Q"', 'a Primary that does not report'],
    ['"ecu_serial":"S"', '"ecu_serial":"T"', "a report under another ECU's name"],
    ['"filepath":"EV-1/S/1/s.bin"', `"filepath":"${'x'.repeat(513)}"`, 'a name that is too long'],
    ['"attacks_detected":"freeze"', `"attacks_detected":"${'x'.repeat(1025)}"`, 'an attack of too many words'],
    ['"attacks_detected":"freeze"', String.raw`"attacks_detected":"\u001b[2J"`, 'a control character'],
    ['"report_counter":"3"', '"report_counter":"03"', 'a counter that is no number'],
    ['"length":4', '"length":-1', 'a negative length'],
    ['"timeserver_time":"2', '"timeserver_time":"x', 'a time that is none'],
    ['"vin":"5YJ', '"vin":"OIQ', 'a VIN that is none'],
  ])('%s is refused where %s stands', async (from, to) => {
    const bytes = changed(await vehicleManifest(CAR), from, to);
    expect(codeOf(() => decodeManifest(bytes, tuf))).toBe('MANIFEST_MALFORMED');
  });

  test('a report has a nonce or a counter, and an ECU stands once', async () => {
    const none = await vehicleManifest({ ...CAR, nonce: undefined, counter: undefined });
    expect(codeOf(() => decodeManifest(none, tuf))).toBe('MANIFEST_MALFORMED');
    const text = Buffer.from(await vehicleManifest(CAR)).toString();
    const twice = text.replace('"ecu_version_manifests":{', '"ecu_version_manifests":{"S":1,');
    expect(codeOf(() => decodeManifest(Buffer.from(twice), tuf))).toBe('MANIFEST_MALFORMED');
    const large = new Uint8Array(MANIFEST_LIMITS.bytesMax + 1);
    expect(codeOf(() => decodeManifest(large, tuf))).toBe('MANIFEST_TOO_LARGE');
  });
});

describe('what libaktualizr sends', () => {
  const aktualizr = dialectOf('aktualizr');

  test('is read with its capitals, its methods and its counters', async () => {
    const car = { ...CAR, dialect: 'aktualizr', nonce: undefined } as const;
    const own = signerKey('ed25519', 's2');
    const ecus = car.ecus.map((ecu, i) => ({ ...ecu, keys: i === 0 ? [primary] : [own] }));
    const bytes = await vehicleManifest({ ...car, ecus, vin: undefined });
    const units = [VEHICLE.units[0], { identifier: 'S', isPrimary: false, keys: [own.publicKey] }].flatMap(
      (unit) => unit ?? [],
    );
    const check = { engine: 'native', dialect: aktualizr, vehicle: { vin: CAR.vin ?? '', units } } as const;
    const { verified } = requireManifest(decodeManifest(bytes, aktualizr), check);
    expect(verified.reports.size).toBe(2);
    expect(Buffer.from(bytes).toString()).toContain('"method":"ed25519"');
  });

  test('signatures cover the sorted, compact form, members that are not known here included', () => {
    const report = {
      ecu: parseName('P'),
      image: { name: 'p.bin', length: 3, sha256: new Uint8Array(32).fill(0xab) },
      attack: undefined,
      time: instantOf(0),
      nonce: undefined,
      counter: 1,
    };
    const plain = Buffer.from(encodeEcuReport(report)).toString();
    const signed = plain
      .replace(toHex(report.image.sha256), toHex(report.image.sha256).toUpperCase())
      .replace('"report_counter"', '"previous_timeserver_time":"1970-01-01T00:00:00Z","report_counter"');
    const { secret } = signatureAlgorithm('ed25519').keygen('native', new Uint8Array(32).fill(5));
    const publicKey = signatureAlgorithm('ed25519').publicKeyOf('native', secret);
    const sign = (text: string): string => {
      const message = Buffer.from(text);
      const sig = base64.encode(signatureAlgorithm('ed25519').sign({ engine: 'native', secret, message }));
      return `{"signatures":[{"keyid":"k","method":"ed25519","sig":"${sig}"}],"signed":${text}}`;
    };
    const manifest = sign(`{"ecu_version_manifests":{"P":${sign(signed)}},"primary_ecu_serial":"P"}`);
    const { unverified } = decodeManifest(Buffer.from(manifest), aktualizr);
    const part = unverified.content.reports.get(parseName('P'));
    expect(toHex(part?.content.image.sha256 ?? new Uint8Array())).toBe('ab'.repeat(32));
    const [signature] = part?.signatures ?? [];
    signatureAlgorithm('ed25519').verify({
      engine: 'noble',
      publicKey,
      message: part?.canonical ?? new Uint8Array(),
      signature: aktualizr.decodeSignature('ed25519', signature?.encoded ?? ''),
    });
    expect(Buffer.from(part?.canonical ?? []).toString()).toBe(signed);
  });
});

describe('lines of manifests', () => {
  async function linesOf(pieces: readonly string[]): Promise<readonly (readonly [number, string | undefined])[]> {
    const all: (readonly [number, string | undefined])[] = [];
    const chunks = (async function* () {
      for (const piece of pieces) yield new Uint8Array(Buffer.from(piece));
    })();
    for await (const lines of manifestLines(chunks)) {
      for (const { row, bytes } of lines) {
        all.push([row, bytes === undefined ? undefined : Buffer.from(bytes).toString()]);
      }
    }
    return all;
  }

  test('however the file is cut into chunks, the lines are the same', async () => {
    const text = 'one\n\n  \r\ntwo\nthree';
    const whole = await linesOf([text]);
    expect(whole).toEqual([
      [1, 'one'],
      [4, 'two'],
      [5, 'three'],
    ]);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(text.length), { maxLength: 6 }), async (cuts) => {
        const places = [0, ...cuts.toSorted((a, b) => a - b), text.length];
        const pieces = places.slice(1).map((end, i) => text.slice(places[i], end));
        expect(await linesOf(pieces)).toEqual(whole);
      }),
    );
  });

  test('a line that is too long is told without being held', async () => {
    const long = 'x'.repeat(1024 * 1024);
    expect(await linesOf(['a\n', long, long, long, long, long, '\nb'])).toEqual([
      [1, 'a'],
      [2, undefined],
      [3, 'b'],
    ]);
  });
});

describe('published vectors', () => {
  interface Vectors {
    readonly vin: string;
    readonly inventory: Readonly<Record<string, readonly { identifier: string; kind: string; key: string }[]>>;
    readonly vectors: readonly { id: string; dialect: string; refused?: string; manifest: string }[];
  }
  const file = new URL('../../../fixtures/manifest/vectors.json', import.meta.url);
  const { vin, inventory, vectors } = JSON.parse(readFileSync(file, 'utf8')) as Vectors;

  test.each(vectors)('U22 U42 $dialect: $id', ({ dialect: name, manifest, refused }) => {
    const dialect = dialectOf(name);
    const units = (inventory[name] ?? []).map(({ identifier, kind, key }) => {
      return { identifier, isPrimary: kind === 'primary', keys: decodePublicFile(utf8(key)).keys };
    });
    for (const engine of ['native', 'noble'] as const) {
      const check = (): unknown =>
        requireManifest(decodeManifest(utf8(manifest), dialect), { engine, dialect, vehicle: { vin, units } });
      expect(codeOf(check)).toBe(refused ?? 'nothing thrown');
    }
  });
});
