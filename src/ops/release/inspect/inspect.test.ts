import { describe, expect, it } from 'vitest';
import { parseInstant, parseRoleName } from '../../../core/brands.ts';
import { concatBytes } from '../../../core/bytes.ts';
import { isFailure } from '../../../core/errors.ts';
import { encodeCbor } from '../../../formats/cbor.ts';
import { metadataHeader } from '../../../formats/delivery/delivery.ts';
import { ANSWER_BYTES_MAX } from '../../../formats/requests/answer.ts';
import { encodeRequest, REQUEST_BYTES_MAX } from '../../../formats/requests/request.ts';
import type { SigningRequest } from '../../../formats/requests/request.ts';
import { encodeEnvelope } from '../../../formats/sealed/envelope.ts';
import { inspectedText } from '../../../render/inspected.ts';
import { testBundle } from '../../../testing/bundles.ts';
import { fakeIo } from '../../../testing/fake-io.ts';
import { counting, envelopeFor, sealBlob, testRecipient } from '../../../testing/sealed-blobs.ts';
import { signerKey } from '../../../testing/signer-keys.ts';
import { vehicleManifest } from '../../../testing/vehicle-manifests.ts';
import { inspectFile, INSPECTORS } from './index.ts';

const blob = sealBlob({ plaintext: counting(5000) });
const envelope = encodeEnvelope(envelopeFor(blob, testRecipient('MLKEM768-X25519')));
const bundle = await testBundle({ bytes: counting(3000) });

async function inspected(bytes: Uint8Array): ReturnType<typeof inspectFile> {
  return inspectFile('f', fakeIo({ files: { f: bytes } }));
}

describe('inspect', () => {
  it('tells sealed payloads and envelopes', async () => {
    expect(await inspected(blob.payload)).toMatchObject({ kind: 'sealed payload', facts: { plaintextBytes: 5000 } });
    const many = await inspected(concatBytes(...Array.from({ length: 120 }, () => envelope)));
    expect(many).toMatchObject({ kind: 'envelopes', facts: { count: 120, more: true } });
    expect(many.facts['envelopes']).toHaveLength(100);
  });

  it('recognises each kind by no other inspector', () => {
    for (const first of [bundle, blob.payload, envelope]) {
      expect(INSPECTORS.filter((one) => one.recognises(first.subarray(0, 4096)))).toHaveLength(1);
    }
  });

  it('tells manifests of vehicles, and deliveries of suppliers, without believing them', async () => {
    const keys = [signerKey('ed25519', 'primary')];
    const image = { name: 'EV-1/P/1/p.bin', content: counting(3) };
    const car = { time: 0, counter: 1, ecus: [{ ecu: 'P', keys, image, attack: 'freeze' }] };
    expect(await inspected(await vehicleManifest(car))).toMatchObject({
      kind: 'vehicle version manifest',
      facts: {
        vin: null,
        primary: 'P',
        ecuCount: 1,
        ecus: [{ ecu: 'P', attack: 'freeze', time: '1970-01-01T00:00:00Z' }],
      },
    });
    const metadata = new TextEncoder().encode('{"signatures":[],"signed":{}}');
    const parts = [metadataHeader('acme', metadata.length, 0), metadata, new Uint8Array(512 - metadata.length)];
    const thrown = await inspected(concatBytes(...parts)).catch((cause: unknown) => cause);
    expect(isFailure(thrown, 'DELIVERY_MALFORMED')).toBe(true);
    const whole = concatBytes(...parts, new Uint8Array(1024));
    const unreadable = await inspected(whole).catch((cause: unknown) => cause);
    expect(isFailure(unreadable, 'METADATA_MALFORMED')).toBe(true);
  });

  it('reads the head of a bundle whose payload is missing, and refuses one whose head is', async () => {
    const { facts } = await inspected(bundle.slice(0, bundle.length - 100));
    expect(facts).toMatchObject({ gateway: 'ZG_1', images: [{ codec: expect.any(String) }] });
    const cut = await inspected(bundle.slice(0, 60)).catch((thrown: unknown) => thrown);
    expect(isFailure(cut, 'OTAP_TRUNCATED')).toBe(true);
  });

  it('refuses requests whose payload cannot be read, naming the file', async () => {
    const request: SigningRequest = {
      subject: 'role',
      repository: '123e4567-e89b-12d3-a456-426614174000',
      kind: 'director',
      role: parseRoleName('root'),
      created: parseInstant('2026-12-01T09:00:00Z'),
      payload: new Uint8Array(10),
      roots: [],
      last: undefined,
      delegators: [],
      target: undefined,
    };
    for (const [subject, expected] of [
      ['role', 'JSON_MALFORMED'],
      ['bundle', 'OTAP_MALFORMED'],
    ] as const) {
      const bytes = encodeRequest({ ...request, subject });
      expect(INSPECTORS.filter((one) => one.recognises(bytes)).map(({ kind }) => kind)).toEqual(['signing request']);
      const thrown = await inspectFile('asked', fakeIo({ files: { asked: bytes } })).catch((cause: unknown) => cause);
      expect(isFailure(thrown, expected) && thrown.message).toMatch(/^asked: /);
    }
  });

  it('reads no request or answer that is larger than there are', async () => {
    for (const [format, bytesMax] of [
      ['secureev/sig/1', ANSWER_BYTES_MAX],
      ['secureev/sigreq/1', REQUEST_BYTES_MAX],
    ] as const) {
      const begins = encodeCbor(new Map([[1, format]]));
      const bytes = new Uint8Array(bytesMax + 1);
      bytes.set(begins);
      const thrown = await inspected(bytes).catch((cause: unknown) => cause);
      expect(isFailure(thrown, 'FILE_TOO_LARGE')).toBe(true);
    }
  });

  it('refuses an empty file and other files', async () => {
    for (const bytes of [new Uint8Array(0), counting(100)]) {
      const thrown = await inspected(bytes).catch((cause: unknown) => cause);
      expect(isFailure(thrown, 'INSPECT_UNKNOWN')).toBe(true);
    }
  });
});

describe('facts as text', () => {
  it('is headed NOT VERIFIED and escapes what could move the cursor or forge a line', () => {
    const facts = {
      holder: 'a\u001b[2J\nVERIFIED',
      keyCount: 2,
      none: null,
      list: ['x', 'y\n'],
      digest: '0123456789abcdef',
      payloadDigest: '\n',
      deep: [{ a: 1, b: [] }],
    };
    const text = inspectedText({ path: 'f\u0007', kind: 'k', sizeBytes: 2048, facts });
    expect(text.split('\n')).toEqual([
      'NOT VERIFIED: anyone could have written what follows',
      'f\\u0007: k, 2048 bytes (2.0 KiB)',
      'holder: a\\u001b[2J\\u000aVERIFIED',
      'key count: 2',
      'none: -',
      'list: x, y\\u000a',
      'digest: 0123 4567 89ab cdef',
      'payload digest: \\u000a',
      'deep:',
      '  - a: 1',
      '    b: -',
    ]);
  });
});
