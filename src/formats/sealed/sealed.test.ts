import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instantOf, parseKeyId } from '../../core/brands.ts';
import { concatBytes, equalBytes } from '../../core/bytes.ts';
import { isFailure } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/errors.ts';
import { sha256 } from '../../crypto/hash.ts';
import { startOpening, startSealing } from './chunks.ts';
import { deriveFileKey, openFileKey } from './content-key.ts';
import { ENVELOPE_BYTES_MAX, decodeEnvelope, decodeEnvelopes, encodeEnvelope } from './envelope.ts';
import { openEnvelope } from './envelope-seal.ts';
import {
  DEFAULT_CHUNK_BYTES,
  PLAINTEXT_BYTES_MAX,
  PREFIX_BYTES,
  decodePrefix,
  demandFileSize,
  encodeHeader,
  sealedBytes,
} from './header.ts';
import { DEFAULT_SUITE, SUITES, suiteNamed, suiteOfCode } from './suites.ts';
import { counting, envelopeFor, sealBlob, testRecipient } from '../../testing/sealed-blobs.ts';

const CHUNK = 2048;
const SEALED_CHUNK = CHUNK + 16;

/** Opens a whole payload as `decrypt` does. */
function open(payload: Uint8Array, contentKey: Uint8Array, batchChunks = 3): Uint8Array {
  const prefix = decodePrefix(payload.subarray(0, PREFIX_BYTES));
  demandFileSize(prefix.header, payload.length);
  const fileKey = openFileKey('native', contentKey, prefix);
  const opener = startOpening({ engine: 'native', fileKey, header: prefix.header });
  const plain: Uint8Array[] = [];
  const batch = batchChunks * (prefix.header.chunkBytes + 16);
  for (let at = PREFIX_BYTES; at < payload.length; at += batch) {
    const target = new Uint8Array(batch);
    plain.push(target.subarray(0, opener.open(target, payload.subarray(at, at + batch))));
  }
  opener.finish();
  return concatBytes(...plain);
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (thrown) {
    if (isFailure(thrown)) return thrown.code;
    throw thrown;
  }
  return 'nothing thrown';
}

function flipped(bytes: Uint8Array, at: number, mask = 1): Uint8Array {
  const changed = bytes.slice();
  changed[at] = (changed[at] ?? 0) ^ mask;
  return changed;
}

describe('suites', () => {
  test('are the design documents thirteen and hybrid, codes and names unique', () => {
    const kems = ['512', '768', '1024'];
    const names = kems.flatMap((n) =>
      ['ecdsa-p256', 'ml-dsa-44', 'ml-dsa-65', 'ml-dsa-87'].map((s) => `ml-kem-${n}+${s}`),
    );
    expect(SUITES.map((suite) => suite.name)).toEqual(['hybrid', 'x25519+ecdsa-p256', ...names]);
    expect(new Set(SUITES.map((suite) => suite.code)).size).toBe(14);
    for (const suite of SUITES) expect(suiteOfCode(suite.code)).toBe(suiteNamed(suite.name));
    expect(DEFAULT_SUITE.name).toBe('hybrid');
  });

  test('an unknown one is refused', () => {
    expect(codeOf(() => suiteNamed('rot13'))).toBe('SEALED_SUITE_UNKNOWN');
    expect(codeOf(() => suiteOfCode(0))).toBe('SEALED_SUITE_UNKNOWN');
  });
});

describe('payload', () => {
  test('any plaintext comes back, whatever the chunk size and batches, with either engine', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 20_000 }),
        fc.constantFrom(2048, 4096, 8192, DEFAULT_CHUNK_BYTES),
        fc.integer({ min: 1, max: 5 }),
        (plaintext, chunkBytes, batch) => {
          const noble = sealBlob({ plaintext, chunkBytes });
          expect(equalBytes(noble.payload, sealBlob({ plaintext, chunkBytes, engine: 'native' }).payload)).toBe(true);
          expect(equalBytes(open(noble.payload, noble.contentKey, batch), plaintext)).toBe(true);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('sealing in batches gives the same bytes as at once', () => {
    const plaintext = counting(3 * CHUNK + 5);
    const blob = sealBlob({ plaintext, engine: 'native' });
    const sealer = startSealing({ engine: 'native', fileKey: blob.fileKey, header: blob.header });
    const parts = [plaintext.subarray(0, 2 * CHUNK), plaintext.subarray(2 * CHUNK)].map((batch) => {
      const target = new Uint8Array(batch.length + 32);
      return target.subarray(0, sealer.seal(target, batch));
    });
    sealer.finish();
    expect(concatBytes(...parts)).toEqual(blob.payload.subarray(PREFIX_BYTES));
  });

  test('a batch that ends inside a chunk, and too little or too much plaintext, are bugs', () => {
    const { fileKey, header } = sealBlob({ plaintext: counting(CHUNK + 1) });
    const start = (): ReturnType<typeof startSealing> => startSealing({ engine: 'native', fileKey, header });
    const target = new Uint8Array(3 * SEALED_CHUNK);
    expect(codeOf(() => start().seal(target, counting(10)))).toBe('INTERNAL');
    expect(codeOf(() => start().seal(target, counting(CHUNK + 2)))).toBe('INTERNAL');
    expect(codeOf(() => start().finish())).toBe('INTERNAL');
  });

  test('every flipped byte before the chunks is refused with its code', () => {
    const { payload, contentKey } = sealBlob({ plaintext: counting(2 * CHUNK + 9) });
    const expected = (at: number): readonly string[] => {
      if (at < 4) return ['SEALED_MALFORMED'];
      if (at < 6) return ['SEALED_VERSION_UNKNOWN'];
      if (at < 8) return ['SEALED_SUITE_UNKNOWN', 'SEALED_COMMITMENT'];
      if (at < 16) return ['SEALED_MALFORMED'];
      if (at < 24) return ['SEALED_TOO_LARGE', 'SEALED_TRUNCATED', 'SEALED_TRAILING_BYTES'];
      return ['SEALED_COMMITMENT'];
    };
    for (let at = 0; at < PREFIX_BYTES; at++) {
      for (const mask of [1, 0x10, 0x80]) {
        expect(expected(at), `byte ${at}`).toContain(codeOf(() => open(flipped(payload, at, mask), contentKey)));
      }
    }
  });

  test('every flipped byte of a small payload is refused', () => {
    const { payload, contentKey } = sealBlob({ plaintext: counting(100) });
    for (let at = PREFIX_BYTES; at < payload.length; at++) {
      expect(codeOf(() => open(flipped(payload, at), contentKey))).toBe('SEALED_CHUNK');
    }
  });

  test('every truncation of a small payload, and bytes after its end, are refused', () => {
    const { payload, contentKey } = sealBlob({ plaintext: counting(100) });
    for (let end = 0; end < payload.length; end++) {
      expect(
        codeOf(() => open(payload.subarray(0, end), contentKey)),
        `${end} bytes`,
      ).toBe('SEALED_TRUNCATED');
    }
    expect(codeOf(() => open(concatBytes(payload, counting(1)), contentKey))).toBe('SEALED_TRAILING_BYTES');
  });

  test('reordered, doubled and dropped chunks are refused', () => {
    const { payload, contentKey, fileKey, header } = sealBlob({ plaintext: counting(4 * CHUNK) });
    const prefix = payload.subarray(0, PREFIX_BYTES);
    const chunk = (i: number): Uint8Array =>
      payload.subarray(PREFIX_BYTES + i * SEALED_CHUNK).subarray(0, SEALED_CHUNK);
    const order = (...indices: number[]): Uint8Array => concatBytes(prefix, ...indices.map(chunk));
    expect(open(order(0, 1, 2, 3), contentKey)).toHaveLength(4 * CHUNK);
    expect(codeOf(() => open(order(1, 0, 2, 3), contentKey))).toBe('SEALED_CHUNK');
    expect(codeOf(() => open(order(0, 1, 1, 3), contentKey))).toBe('SEALED_CHUNK');
    expect(codeOf(() => open(order(0, 1, 3, 2), contentKey))).toBe('SEALED_CHUNK');
    expect(codeOf(() => open(order(0, 1, 2), contentKey))).toBe('SEALED_TRUNCATED');
    expect(codeOf(() => open(order(0, 1, 2, 3, 3), contentKey))).toBe('SEALED_TRAILING_BYTES');
    const opener = startOpening({ engine: 'native', fileKey, header });
    opener.open(new Uint8Array(2 * CHUNK), concatBytes(chunk(0), chunk(1)));
    expect(codeOf(() => opener.finish())).toBe('SEALED_TRUNCATED');
  });

  test('a shorter length under the same content key does not make an inner chunk the last one', () => {
    const blob = sealBlob({ plaintext: counting(2 * CHUNK) });
    const header = { ...blob.header, plaintextBytes: CHUNK };
    const headerBytes = encodeHeader(header);
    const cut = blob.payload.subarray(0, PREFIX_BYTES + SEALED_CHUNK).slice();
    cut.set(headerBytes);
    expect(codeOf(() => open(cut, blob.contentKey))).toBe('SEALED_COMMITMENT');
    // Even an attacker who knows the file key and has the commitment right: the last-chunk flag is in the nonce.
    const opener = startOpening({ engine: 'native', fileKey: blob.fileKey, header });
    expect(codeOf(() => opener.open(new Uint8Array(CHUNK), cut.subarray(PREFIX_BYTES)))).toBe('SEALED_CHUNK');
  });

  test('an inner chunk does not pass for the last one, nor an empty last chunk for the end', () => {
    const { contentKey, salt, payload } = sealBlob({ plaintext: counting(CHUNK) });
    const header = { suite: DEFAULT_SUITE, chunkBytes: CHUNK, plaintextBytes: 0 };
    const { commitment } = deriveFileKey('native', contentKey, { headerBytes: encodeHeader(header), salt });
    const empty = concatBytes(encodeHeader(header), salt, commitment, payload.subarray(-16));
    expect(codeOf(() => open(empty, contentKey))).toBe('SEALED_CHUNK');
  });

  test('a header of another payload is refused by the commitment', () => {
    const [a, b] = [sealBlob({ plaintext: counting(9) }), sealBlob({ plaintext: counting(9), salt: counting(32, 1) })];
    const swapped = concatBytes(b.payload.subarray(0, PREFIX_BYTES), a.payload.subarray(PREFIX_BYTES));
    expect(codeOf(() => open(swapped, a.contentKey))).toBe('SEALED_CHUNK');
    expect(codeOf(() => open(swapped, counting(32, 7)))).toBe('SEALED_COMMITMENT');
  });

  test('sizes are bounded: chunk size, plaintext length', () => {
    const { payload, header } = sealBlob({ plaintext: counting(5) });
    const withSize = (offset: number, write: (view: DataView) => void): Uint8Array => {
      const changed = payload.slice();
      write(new DataView(changed.buffer, offset));
      return changed;
    };
    for (const size of [0, 1, 1024, 3000, 2_097_152, 0xffff_ffff]) {
      const changed = withSize(8, (view) => view.setUint32(0, size));
      expect(
        codeOf(() => decodePrefix(changed)),
        `chunk size ${size}`,
      ).toBe('SEALED_MALFORMED');
      expect(codeOf(() => encodeHeader({ ...header, chunkBytes: size }))).toBe('SEALED_MALFORMED');
    }
    const huge = withSize(16, (view) => view.setBigUint64(0, 0xffff_ffff_ffff_ffffn));
    expect(codeOf(() => decodePrefix(huge))).toBe('SEALED_TOO_LARGE');
    expect(codeOf(() => encodeHeader({ ...header, plaintextBytes: PLAINTEXT_BYTES_MAX + 1 }))).toBe('SEALED_TOO_LARGE');
    const largest = { ...header, chunkBytes: CHUNK, plaintextBytes: PLAINTEXT_BYTES_MAX };
    expect(sealedBytes(largest)).toBe(PREFIX_BYTES + 2 ** 38 + 2 ** 27 * 16);
    expect(codeOf(() => decodePrefix(new Uint8Array(3)))).toBe('SEALED_MALFORMED');
  });
});

describe('envelope', () => {
  const blob = sealBlob({ plaintext: counting(64) });
  const recipient = testRecipient('MLKEM768-X25519');
  const envelope = envelopeFor(blob, recipient, instantOf(1_900_000_000));
  const bytes = encodeEnvelope(envelope);
  const key = { engine: 'native', kem: recipient.kem, secret: recipient.secret, keyId: recipient.keyId } as const;

  test('opens for its recipient', () => {
    expect(openEnvelope(decodeEnvelope(bytes), key)).toEqual(blob.contentKey);
  });

  test('every flipped byte and truncation is refused', () => {
    const codes: readonly string[] = ['ENVELOPE_MALFORMED', 'ENVELOPE_REFUSED'] satisfies ErrorCode[];
    for (let at = 0; at < bytes.length; at++) {
      const code = codeOf(() => openEnvelope(decodeEnvelope(flipped(bytes, at)), key));
      expect(codes, `byte ${at}`).toContain(code);
      expect(codeOf(() => decodeEnvelope(bytes.subarray(0, at)))).toBe('ENVELOPE_MALFORMED');
    }
    expect(codeOf(() => decodeEnvelope(concatBytes(bytes, counting(1))))).toBe('ENVELOPE_MALFORMED');
  }, 20_000);

  test('another vehicle, payload, suite, expiry or key does not open it', () => {
    const other = testRecipient('MLKEM768-X25519', '1HGCM82633A004352');
    const changes = [
      { vin: other.vin },
      { vin: null },
      { headerSha256: sha256('noble', counting(24)) },
      { suite: suiteNamed('ml-kem-768+ml-dsa-65') },
      { expires: null },
      { expires: instantOf(1_900_000_001) },
      { ciphertext: flipped(envelope.ciphertext, 0) },
      { encapsulated: envelope.encapsulated.subarray(1) },
    ];
    for (const change of changes) {
      expect(codeOf(() => openEnvelope({ ...envelope, ...change }, key))).toBe('ENVELOPE_REFUSED');
    }
    const foreign = { ...key, keyId: parseKeyId('ab'.repeat(32)) };
    expect(codeOf(() => openEnvelope(envelope, foreign))).toBe('ENVELOPE_REFUSED');
    expect(codeOf(() => openEnvelope({ ...envelope, keyId: foreign.keyId }, foreign))).toBe('ENVELOPE_REFUSED');
  });

  test('a sequence is read in any pieces, and a bad one is refused where it breaks', async () => {
    const many = Array.from({ length: 12 }, () => bytes);
    const whole = concatBytes(...many);
    for (const size of [1000, 4096, 5000, whole.length]) {
      const found = [];
      for await (const one of decodeEnvelopes(inPieces(whole, size))) found.push(one.keyId);
      expect(found).toEqual(many.map(() => recipient.keyId));
    }
    await expect(drain(inPieces(whole.subarray(0, -1), 4096))).rejects.toMatchObject({ code: 'ENVELOPE_MALFORMED' });
    const endless = concatBytes(Uint8Array.of(0x5b, 0, 0, 0, 1, 0, 0, 0, 0), new Uint8Array(ENVELOPE_BYTES_MAX));
    await expect(drain(inPieces(endless, 4096))).rejects.toMatchObject({ code: 'ENVELOPE_MALFORMED' });
  });

  test('arbitrary bytes are refused as malformed, never as a bug', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
        expect(codeOf(() => decodeEnvelope(noise))).toBe('ENVELOPE_MALFORMED');
      }),
    );
  });
});

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function drain(pieces: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const one of decodeEnvelopes(pieces)) expect(one.vin).not.toBe('');
}
