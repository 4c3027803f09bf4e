/** Facts about sealed payloads and envelopes. */
import { formatInstant } from '../../../core/brands.ts';
import { concatBytes, equalBytes, toHex, utf8 } from '../../../core/bytes.ts';
import { sha256 } from '../../../crypto/hash.ts';
import { encodeCbor } from '../../../formats/cbor.ts';
import { decodeEnvelopes } from '../../../formats/sealed/envelope.ts';
import type { Envelope } from '../../../formats/sealed/envelope.ts';
import { chunkCount, decodePrefix, PREFIX_BYTES } from '../../../formats/sealed/header.ts';
import type { Facts, Inspector } from './inspector.ts';

const PAYLOAD_MAGIC = utf8('SEVP');
/** An array of eight whose first item is the label. */
const ENVELOPE_MAGIC = concatBytes(Uint8Array.of(0x88), encodeCbor('secureev/env/1'));
const SHOWN_MAX = 100;

function beginsWith(magic: Uint8Array): (first: Uint8Array) => boolean {
  return (first) => equalBytes(first.subarray(0, magic.length), magic);
}

/** The header of a sealed payload. */
export const payloadInspector: Inspector = {
  kind: 'sealed payload',
  recognises: beginsWith(PAYLOAD_MAGIC),
  async read(path, io) {
    await using file = await io.files.open(path);
    const { header, headerBytes, salt, commitment } = decodePrefix(await file.read(0, PREFIX_BYTES));
    return {
      suite: header.suite.name,
      chunkBytes: header.chunkBytes,
      chunks: chunkCount(header),
      plaintextBytes: header.plaintextBytes,
      headerSha256: toHex(sha256(io.engine, headerBytes)),
      salt: toHex(salt),
      commitment: toHex(commitment),
    };
  },
};

/** Envelopes, counted all and listed up to a hundred. */
export const envelopesInspector: Inspector = {
  kind: 'envelopes',
  recognises: beginsWith(ENVELOPE_MAGIC),
  async read(path, io) {
    await using file = await io.files.open(path);
    const shown: Facts[] = [];
    let count = 0;
    for await (const envelope of decodeEnvelopes(file.stream())) {
      count += 1;
      if (shown.length < SHOWN_MAX) shown.push(envelopeFacts(envelope));
    }
    return { count, envelopes: shown, more: count > shown.length };
  },
};

function envelopeFacts({ vin, keyId, suite, expires, headerSha256 }: Envelope): Facts {
  return {
    vin: vin ?? 'escrow',
    keyId,
    suite: suite.name,
    expires: expires === null ? null : formatInstant(expires),
    headerSha256: toHex(headerSha256),
  };
}
