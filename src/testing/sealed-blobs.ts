/** Small sealed blobs with fixed keys, for tests and the published vectors. */
import { parseKeyId, parseVin } from '../core/brands.ts';
import type { Instant } from '../core/brands.ts';
import { concatBytes, toHex } from '../core/bytes.ts';
import type { EngineName } from '../core/ports.ts';
import { sha256 } from '../crypto/hash.ts';
import { kemAlgorithm } from '../crypto/kems/index.ts';
import type { KemId } from '../crypto/kems/index.ts';
import { startSealing } from '../formats/sealed/chunks.ts';
import { deriveFileKey } from '../formats/sealed/content-key.ts';
import { sealEnvelope } from '../formats/sealed/envelope-seal.ts';
import type { Recipient } from '../formats/sealed/envelope-seal.ts';
import type { Envelope } from '../formats/sealed/envelope.ts';
import { encodeHeader, sealedBytes } from '../formats/sealed/header.ts';
import type { PayloadHeader } from '../formats/sealed/header.ts';
import { DEFAULT_SUITE } from '../formats/sealed/suites.ts';
import type { Suite } from '../formats/sealed/suites.ts';

/** `count` bytes counting up from `first`. */
export function counting(count: number, first = 0): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: count }, (_, i) => (first + i) & 0xff);
}

/** What a blob is made of. */
export interface BlobParts {
  readonly plaintext: Uint8Array;
  readonly chunkBytes?: number;
  readonly suite?: Suite;
  readonly contentKey?: Uint8Array;
  readonly salt?: Uint8Array;
  readonly engine?: EngineName;
}

/** A sealed payload in memory with everything it was made from. */
export interface Blob {
  readonly header: PayloadHeader;
  readonly headerBytes: Uint8Array;
  readonly salt: Uint8Array;
  readonly contentKey: Uint8Array;
  readonly fileKey: Uint8Array;
  readonly commitment: Uint8Array;
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** Seals `plaintext` in one batch; key and salt are counting bytes where not given. */
export function sealBlob(parts: BlobParts): Blob {
  const { plaintext, chunkBytes = 2048, suite = DEFAULT_SUITE, engine = 'noble' } = parts;
  const { contentKey = counting(32, 0x40), salt = counting(32, 0x80) } = parts;
  const header = { suite, chunkBytes, plaintextBytes: plaintext.length };
  const headerBytes = encodeHeader(header);
  const { fileKey, commitment } = deriveFileKey(engine, contentKey, { headerBytes, salt });
  const sealer = startSealing({ engine, fileKey, header });
  const chunks = new Uint8Array(sealedBytes(header) - 88);
  sealer.seal(chunks, plaintext);
  sealer.finish();
  const payload = concatBytes(headerBytes, salt, commitment, chunks);
  return { header, headerBytes, salt, contentKey, fileKey, commitment, payload };
}

/** A recipient with a key pair of counting bytes; its key id is the SHA-256 of the raw public key. */
export function testRecipient(
  kem: KemId,
  vin: string | null = '5YJ3E1EA0KF000316',
): Recipient & { readonly secret: Uint8Array; readonly seed: Uint8Array } {
  const algorithm = kemAlgorithm(kem);
  const seed = counting(algorithm.seedBytes, 0x10);
  const { secret, publicKey } = algorithm.keygen('noble', seed);
  const keyId = parseKeyId(toHex(sha256('noble', publicKey)));
  return { vin: vin === null ? null : parseVin(vin), kem, publicKey, keyId, secret, seed };
}

/** Seals a blob's content key to a recipient with counting bytes for randomness. */
export function envelopeFor(blob: Blob, recipient: Recipient, expires: Instant | null = null): Envelope {
  return sealEnvelope({
    engine: 'noble',
    recipient,
    headerBytes: blob.headerBytes,
    suite: blob.header.suite,
    expires,
    contentKey: blob.contentKey,
    random: (count) => counting(count, 0xc0),
  });
}
