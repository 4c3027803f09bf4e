/**
 * Lots of messages to sign: how they are packed between threads, and how one thread signs them.
 *
 * A lot is one memory block: the messages one after the other, and their lengths beside it.
 */
import { randomFillSync } from 'node:crypto';
import { concatBytes } from '../core/bytes.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { BulkKey, EngineName } from '../core/ports.ts';
import { bulkSigner } from '../crypto/bulk-sign.ts';
import type { BulkSigner } from '../crypto/bulk-sign.ts';
import { signatureAlgorithm } from '../crypto/signatures/index.ts';

/** The first message to a thread. */
export interface SignerThreadKeys {
  readonly engine: EngineName;
  readonly keys: readonly BulkKey[];
}

/** A lot for one key. */
export interface ToSigner {
  readonly id: number;
  /** The place of the key among {@link SignerThreadKeys.keys}. */
  readonly key: number;
  readonly lengths: readonly number[];
  readonly messages: Uint8Array<ArrayBuffer>;
}

/** The signatures of a lot one after the other, all of one length; or what went wrong. */
export interface FromSigner {
  readonly id: number;
  readonly signatures?: Uint8Array<ArrayBuffer>;
  /** How many of them both engines have verified. */
  readonly crossChecked?: number;
  readonly failed?: { readonly code?: ErrorCode; readonly message: string };
}

/** Makes the keys ready. @throws KEY_MALFORMED, ALGORITHM_UNKNOWN */
export function lanesOf({ engine, keys }: SignerThreadKeys): readonly BulkSigner[] {
  const random = (count: number): Uint8Array => randomFillSync(new Uint8Array(count));
  return keys.map(({ algorithm, secret, publicKey }) =>
    bulkSigner({ algorithm: signatureAlgorithm(algorithm), engine, secret, publicKey, random }),
  );
}

/** Packs messages for a key. */
export function lotOf(id: number, key: number, messages: readonly Uint8Array[]): ToSigner {
  return { id, key, lengths: messages.map(({ length }) => length), messages: concatBytes(...messages) };
}

/** Signs a lot. @throws ENGINE_DISAGREES */
export function signLot(
  lanes: readonly BulkSigner[],
  { key, lengths, messages }: Omit<ToSigner, 'id'>,
): { signatures: Uint8Array<ArrayBuffer>; crossChecked: number } {
  const lane = lanes[key];
  if (lane === undefined) throw new RangeError(`no key ${key} in this thread`);
  const before = lane.crossChecked();
  let at = 0;
  const signatures = lengths.map((length) => {
    const signature = lane.sign(messages.subarray(at, at + length));
    at += length;
    return signature;
  });
  return { signatures: concatBytes(...signatures), crossChecked: lane.crossChecked() - before };
}

/** The signatures of a lot, each on its own. */
export function signaturesOf(packed: Uint8Array, count: number): readonly Uint8Array[] {
  const each = packed.length / count;
  return Array.from({ length: count }, (_, index) => packed.subarray(index * each, (index + 1) * each));
}
