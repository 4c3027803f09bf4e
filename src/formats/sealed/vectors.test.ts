/** Published vectors and the worked example of FORMAT.md: regenerated here, so that neither can drift from the code. */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { instantOf } from '../../core/brands.ts';
import { fromHex, toHex, utf8 } from '../../core/bytes.ts';
import { ENGINES } from '../../crypto/engine.ts';
import { sha256 } from '../../crypto/hash.ts';
import { KEMS, isKemId } from '../../crypto/kems/index.ts';
import type { KemId } from '../../crypto/kems/index.ts';
import { startOpening } from './chunks.ts';
import { openFileKey } from './content-key.ts';
import { decodeEnvelope, encodeEnvelope, envelopeInfo } from './envelope.ts';
import { openEnvelope } from './envelope-seal.ts';
import { PREFIX_BYTES, decodePrefix } from './header.ts';
import { SUITES, suiteNamed } from './suites.ts';
import { counting, envelopeFor, sealBlob, testRecipient } from '../../testing/sealed-blobs.ts';

const FIXTURE = '../../../fixtures/sealed/vectors.json';
const fixturePath = new URL(FIXTURE, import.meta.url);

interface PayloadVector {
  readonly plaintext: string;
  readonly contentKey: string;
  readonly payload: string;
}
interface EnvelopeVector {
  readonly kem: string;
  readonly secret: string;
  readonly contentKey: string;
  readonly envelope: string;
}

const PLAINTEXTS = {
  empty: new Uint8Array(0),
  'a few bytes': utf8('firmware'),
  'exactly one chunk': counting(2048),
  'one chunk and a byte': counting(2049),
  'two chunks': counting(4096),
};

function payloadVectors(): readonly object[] {
  const blobs = Object.entries(PLAINTEXTS).map(([name, plaintext]) => ({
    name,
    plaintext,
    blob: sealBlob({ plaintext }),
  }));
  const suites = SUITES.map((suite) => {
    const plaintext = utf8(suite.name);
    return { name: `suite ${suite.name}`, plaintext, blob: sealBlob({ plaintext, suite }) };
  });
  return [...blobs, ...suites].map(({ name, plaintext, blob }) => ({
    name,
    suite: blob.header.suite.name,
    chunkBytes: blob.header.chunkBytes,
    plaintext: toHex(plaintext),
    contentKey: toHex(blob.contentKey),
    salt: toHex(blob.salt),
    header: toHex(blob.headerBytes),
    fileKey: toHex(blob.fileKey),
    commitment: toHex(blob.commitment),
    payload: toHex(blob.payload),
  }));
}

function envelopeVector(kem: KemId, vin: string | null, expires: number | null): object {
  const suite = SUITES.find((known) => known.kem === kem) ?? suiteNamed('hybrid');
  const blob = sealBlob({ plaintext: PLAINTEXTS['a few bytes'], suite });
  const recipient = testRecipient(kem, vin);
  const envelope = envelopeFor(blob, recipient, expires === null ? null : instantOf(expires));
  return {
    name: `${kem} to ${vin ?? 'the escrow key'}`,
    kem,
    secret: toHex(recipient.secret),
    publicKey: toHex(recipient.publicKey),
    keyId: recipient.keyId,
    header: toHex(blob.headerBytes),
    contentKey: toHex(blob.contentKey),
    randomness: 'bytes counting up from c0',
    info: toHex(envelopeInfo(envelope)),
    envelope: toHex(encodeEnvelope(envelope)),
  };
}

async function published(): Promise<{ payloads: PayloadVector[]; envelopes: EnvelopeVector[] }> {
  return JSON.parse(await readFile(fixturePath, 'utf8')) as { payloads: PayloadVector[]; envelopes: EnvelopeVector[] };
}

test('the published vectors are what the code makes (write them with vitest -u)', async () => {
  const vectors = {
    about: 'Sealed payloads (.sev) and envelopes (.sevk) of secureev with fixed keys; see src/formats/sealed/FORMAT.md',
    payloads: payloadVectors(),
    envelopes: [
      ...KEMS.map(({ id }) => envelopeVector(id, '5YJ3E1EA0KF000316', 1_800_000_000)),
      envelopeVector('MLKEM768-X25519', null, null),
    ],
  };
  await expect(`${JSON.stringify(vectors, null, 1)}\n`).toMatchFileSnapshot(FIXTURE);
});

describe.each(ENGINES)('engine %s', (engine) => {
  test('opens every published payload', async () => {
    for (const vector of (await published()).payloads) {
      const payload = fromHex(vector.payload);
      const prefix = decodePrefix(payload.subarray(0, PREFIX_BYTES));
      const fileKey = openFileKey(engine, fromHex(vector.contentKey), prefix);
      const opener = startOpening({ engine, fileKey, header: prefix.header });
      const plaintext = new Uint8Array(payload.length);
      const length = opener.open(plaintext, payload.subarray(PREFIX_BYTES));
      opener.finish();
      expect(toHex(plaintext.subarray(0, length))).toBe(vector.plaintext);
    }
  });

  test('opens every published envelope, one for each KEM', async () => {
    const { envelopes } = await published();
    expect(new Set(envelopes.map((vector) => vector.kem))).toEqual(new Set(KEMS.map((kem) => kem.id)));
    for (const { kem, secret, envelope, contentKey } of envelopes) {
      const decoded = decodeEnvelope(fromHex(envelope));
      expect(toHex(encodeEnvelope(decoded))).toBe(envelope);
      if (!isKemId(kem)) throw new Error(`not a KEM: ${kem}`);
      const opened = openEnvelope(decoded, { engine, kem, secret: fromHex(secret), keyId: decoded.keyId });
      expect(toHex(opened)).toBe(contentKey);
    }
  });
});

test('the worked example in FORMAT.md is what the code makes', async () => {
  const document = await readFile(new URL('FORMAT.md', import.meta.url), 'utf8');
  const shown = [...document.matchAll(/```hex (\w+)\n([^`]*)```/g)].map(([, name, block]) => [
    name,
    (block ?? '').replace(/#.*$/gm, '').replace(/\s/g, ''),
  ]);
  const blob = sealBlob({ plaintext: PLAINTEXTS['a few bytes'] });
  const recipient = testRecipient('DHKEM-P256');
  const envelope = envelopeFor(blob, recipient, instantOf(1_800_000_000));
  expect(Object.fromEntries(shown)).toEqual({
    payload: toHex(blob.payload),
    fileKey: toHex(blob.fileKey),
    headerHash: toHex(sha256('noble', blob.headerBytes)),
    secret: toHex(recipient.secret),
    info: toHex(envelopeInfo(envelope)),
    envelope: toHex(encodeEnvelope(envelope)),
  });
});
