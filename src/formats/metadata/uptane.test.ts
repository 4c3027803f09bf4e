/** What Uptane says of the form of metadata beyond TUF. */
import { describe, expect, test } from 'vitest';
import { isFailure } from '../../core/errors.ts';
import { utf8 } from '../../core/bytes.ts';
import { CAR, simulateDirector } from '../../testing/director-simulator.ts';
import { simulateRepository } from '../../testing/simulator.ts';
import { BRAKE, HARDWARE } from '../../testing/vehicle-scene.ts';
import { readDirectorTargets } from './director-targets.ts';
import { decodeMetadata, decodeRole } from './envelope.ts';

interface LooseFile {
  signatures?: unknown;
  signed?: unknown;
}

function reread(change: (file: LooseFile) => unknown): string {
  const bytes = simulateRepository().files.get('timestamp.json');
  const file = JSON.parse(new TextDecoder().decode(bytes)) as LooseFile;
  try {
    decodeMetadata(utf8(JSON.stringify(change(file))));
    return 'read';
  } catch (thrown) {
    if (isFailure(thrown)) return thrown.code;
    throw thrown;
  }
}

describe('U3: a file is a payload and its signatures, each a key id and a value', () => {
  test('as it stands, and with members of others beside them', () => {
    expect(reread((file) => file)).toBe('read');
    expect(reread((file) => ({ ...file, comment: 'of others' }))).toBe('read');
  });

  test.each([
    ['no payload', ({ signatures }: LooseFile) => ({ signatures })],
    ['no signatures', ({ signed }: LooseFile) => ({ signed })],
    ['a signature without a key id', (file: LooseFile) => ({ ...file, signatures: [{ sig: '00' }] })],
    ['a signature without a value', (file: LooseFile) => ({ ...file, signatures: [{ keyid: 'a' }] })],
    ['signatures that are no list', (file: LooseFile) => ({ ...file, signatures: { keyid: 'a', sig: '00' } })],
    ['a payload that is text', (file: LooseFile) => ({ ...file, signed: 'text' })],
    ['a list in the place of the file', (file: LooseFile) => [file]],
  ])('%s is malformed', (_, change) => {
    expect(reread(change)).toBe('METADATA_MALFORMED');
  });
});

describe("a Director's Targets", () => {
  const image = simulateRepository();

  function read(custom: Readonly<Record<string, string>> = {}) {
    const director = simulateDirector(image);
    director.assign(BRAKE, { BRAKE_1: HARDWARE }, custom);
    director.publish();
    const bytes = director.files.get('2.targets.json') ?? new Uint8Array();
    return readDirectorTargets(decodeRole(bytes, 'targets').unverified.signed);
  }

  test('U7 U8: say whose they are, and the ECU of each image', () => {
    const { vin, vehicleId, entries } = read();
    expect({ vin, id: vehicleId }).toEqual(CAR);
    expect(entries.map(({ name, ecus }) => [name, [...ecus]])).toEqual([[BRAKE, [['BRAKE_1', HARDWARE]]]]);
  });

  test('U11: a download URL may stand there; it is passed over, and never a place to read from', () => {
    const entries = read({ uri: 'https://elsewhere.example/brake.bin' }).entries.map(({ name, ecus }) => ({
      name,
      ecus,
    }));
    expect(entries).toEqual(read().entries.map(({ name, ecus }) => ({ name, ecus })));
  });
});
