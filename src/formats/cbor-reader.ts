/**
 * Typed readers of decoded CBOR: each names where in the structure it stands and what it expected.
 *
 * Invariant: a map is read whole; a key that nobody asked for is refused.
 */
import type { ErrorCode, SecureevError } from '../core/errors.ts';
import { failure } from '../core/errors.ts';
import { isCborArray, isCborMap } from './cbor.ts';
import type { Cbor } from './cbor.ts';

/** A value and its place, e.g. `manifest.images[2].size`; `code` is what a misfit throws. */
export interface Placed {
  readonly value: Cbor | undefined;
  readonly at: string;
  readonly code: ErrorCode;
}

/** The error for a value that is not what stands there. */
export function misfit(placed: Placed, expected: string): SecureevError {
  const found = placed.value === undefined ? ', which is missing' : '';
  return failure(placed.code, `${placed.at} is not ${expected}${found}`, { path: placed.at });
}

/**
 * Reads a map whose keys `fields` names (wire key -> name); a key outside it is refused, a missing one reads as undefined.
 *
 * @throws the place's code
 */
export function mapOf<F extends string>(
  placed: Placed,
  fields: Readonly<Record<F, number | string>>,
): (field: F) => Placed {
  if (!isCborMap(placed.value)) throw misfit(placed, 'a map');
  const map = placed.value;
  const known = new Set<number | string>(Object.values<number | string>(fields));
  for (const key of map.keys()) {
    if (!known.has(key)) throw failure(placed.code, `${placed.at} has the unknown key ${JSON.stringify(key)}`);
  }
  return (field) => ({ value: map.get(fields[field]), at: `${placed.at}.${field}`, code: placed.code });
}

/** Reads an array of `min` to `max` items. @throws the place's code */
export function itemsOf(placed: Placed, range: { min: number; max: number }): readonly Placed[] {
  const { value, at, code } = placed;
  if (!isCborArray(value) || value.length < range.min || value.length > range.max) {
    throw misfit(placed, `an array of ${range.min} to ${range.max} items`);
  }
  return value.map((item, i) => ({ value: item, at: `${at}[${i}]`, code }));
}

/** Reads an integer from `min` to `max`. @throws the place's code */
export function integerOf(placed: Placed, range: { min: number; max: number }): number {
  const { value } = placed;
  if (typeof value !== 'number' || value < range.min || value > range.max) {
    throw misfit(placed, `an integer from ${range.min} to ${range.max}`);
  }
  return value;
}

/** Reads text. @throws the place's code */
export function textOf(placed: Placed): string {
  if (typeof placed.value !== 'string') throw misfit(placed, 'text');
  return placed.value;
}

/** Reads text through a parse function of `core/brands`. @throws the place's code */
export function parsedOf<T>(placed: Placed, parse: (text: string) => T): T {
  const text = textOf(placed);
  try {
    return parse(text);
  } catch (cause) {
    throw failure(placed.code, `${placed.at}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      path: placed.at,
    });
  }
}

/** Reads a byte string of exactly `sizeBytes`. @throws the place's code */
export function bytesOf(placed: Placed, sizeBytes: number): Uint8Array {
  const { value } = placed;
  if (!(value instanceof Uint8Array) || value.length !== sizeBytes) throw misfit(placed, `${sizeBytes} bytes`);
  return value;
}

/** Reads an optional value: undefined where the key is missing. */
export function optional<T>(placed: Placed, read: (placed: Placed) => T): T | undefined {
  return placed.value === undefined ? undefined : read(placed);
}
