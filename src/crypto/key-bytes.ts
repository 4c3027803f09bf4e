/** Refusals that all algorithms share; none of them holds a byte of a key. */
import { failure, type SecureevError } from '../core/errors.ts';

/** The error for a key that is not one of `algorithm`; `why` never holds the key. */
export function keyMalformed(algorithm: string, why: string): SecureevError {
  return failure('KEY_MALFORMED', `not a key of ${algorithm}: ${why}`, { algorithm });
}

/** The error for a signature that does not hold. */
export function signatureInvalid(algorithm: string): SecureevError {
  return failure('SIGNATURE_INVALID', `the ${algorithm} signature is not valid`, { algorithm });
}

/** Demands exactly `count` bytes of a key, seed or randomness. @throws KEY_MALFORMED */
export function demandBytes(bytes: Uint8Array, count: number, what: { algorithm: string; part: string }): void {
  if (bytes.length !== count) {
    throw keyMalformed(what.algorithm, `its ${what.part} is ${count} bytes, not ${bytes.length}`);
  }
}

/** The bytes of a `Buffer` as a plain `Uint8Array`, not copied. */
export function plainBytes(buffer: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = buffer.buffer;
  return whole instanceof ArrayBuffer
    ? new Uint8Array(whole, buffer.byteOffset, buffer.length)
    : new Uint8Array(buffer);
}

/** Runs `operation` of a library; whatever it throws becomes `error()`, without the library's words. */
export function orThrow<T>(operation: () => T, error: () => SecureevError): T {
  try {
    return operation();
  } catch {
    throw error();
  }
}
