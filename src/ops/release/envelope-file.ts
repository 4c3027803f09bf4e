/** A `.sevk` file as it is written: envelopes one after the other, in pieces that do not grow with their number. */
import type { Instant } from '../../core/brands.ts';
import { concatBytes } from '../../core/bytes.ts';
import type { Io, OutputFile } from '../../core/ports.ts';
import { encodeEnvelope } from '../../formats/sealed/envelope.ts';
import { sealEnvelope } from '../../formats/sealed/envelope-seal.ts';
import type { Suite } from '../../formats/sealed/suites.ts';
import type { StoredRecipient } from './envelope-recipients.ts';

const FLUSH_BYTES = 256 * 1024;

/** Where envelopes are gathered. */
export interface EnvelopeWriter {
  add(envelope: Uint8Array): Promise<void>;
  /** Writes what is left. */
  finish(): Promise<void>;
}

/** Gathers envelopes for `output`. */
export function envelopeWriter(output: OutputFile): EnvelopeWriter {
  let waiting: Uint8Array[] = [];
  let size = 0;
  const flush = async (): Promise<void> => {
    const bytes = concatBytes(...waiting);
    waiting = [];
    size = 0;
    await output.write(bytes);
  };
  return {
    async add(envelope) {
      waiting.push(envelope);
      size += envelope.length;
      if (size >= FLUSH_BYTES) await flush();
    },
    finish: flush,
  };
}

/** What envelopes of one payload have in common. */
export interface PayloadSecret {
  readonly headerBytes: Uint8Array;
  readonly suite: Suite;
  readonly contentKey: Uint8Array;
  readonly expires: Instant | null;
}

/** The encoded envelope of a payload for one recipient; the escrow's never expires. */
export function envelopeTo(io: Io, recipient: StoredRecipient, payload: PayloadSecret): Uint8Array {
  const expires = recipient.vin === null ? null : payload.expires;
  const random = (count: number): Uint8Array => io.random.bytes(count);
  return encodeEnvelope(sealEnvelope({ ...payload, engine: io.engine, recipient, expires, random }));
}
