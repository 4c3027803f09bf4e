/** Byte strings: comparing, joining, hex and UTF-8, each strict. */
import { failure } from './errors.ts';

const HEX = /^(?:[0-9a-f]{2})*$/;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** Whether two byte strings are the same; not for secrets. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

/** Joins byte strings. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** Lower-case hex of `bytes`. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

/** Bytes of lower-case hex, digit by digit. @throws VALUE_MALFORMED */
export function fromHex(text: string, what = 'hex'): Uint8Array<ArrayBuffer> {
  if (!HEX.test(text)) throw failure('VALUE_MALFORMED', `${what} is not lower-case hex of whole bytes`);
  return Uint8Array.from(Buffer.from(text, 'hex'));
}

/** UTF-8 of `text`. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/** Text of UTF-8 `bytes`; a byte order mark is kept. @throws VALUE_MALFORMED */
export function fromUtf8(bytes: Uint8Array, what = 'text'): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw failure('VALUE_MALFORMED', `${what} is not UTF-8`, { cause: String(cause) });
  }
}
