/**
 * Deterministic CBOR (RFC 8949 section 4.2.1) as all our binary formats write it.
 *
 * Owns: the value model, limits, `encodeCbor` and `decodeCbor`. Invariants: no floats, no `undefined`, no indefinite
 * lengths, integers within +-(2^53-1); map keys sorted and unique; what decodes encodes to the same bytes again.
 */
import { decodeFirst, encode, rfc8949EncodeOptions, Tagged, Tokenizer, Type } from 'cborg';
import type { DecodeOptions, Token } from 'cborg';
import { equalBytes } from '../core/bytes.ts';
import { failure, isFailure, SecureevError } from '../core/errors.ts';

/** A CBOR value of ours. Integers are safe integers; a byte string is a `Uint8Array`. */
export type Cbor = null | boolean | number | string | Uint8Array | CborTag | readonly Cbor[] | CborMap;
/** A CBOR map: keys are integers or text. */
export type CborMap = ReadonlyMap<number | string, Cbor>;

/** A tagged value; only the tags of {@link CBOR_TAGS} are read. */
export interface CborTag {
  readonly tag: number;
  readonly value: Cbor;
}

/** The tags we read: COSE_Sign (RFC 9052 section 2). */
export const CBOR_TAGS = [98] as const;

/** What a decoder will go through, whatever the input claims. */
export interface CborLimits {
  /** Largest input, in bytes. */
  readonly maxBytes: number;
  /** Deepest nesting of arrays, maps and tags; 16 by default. */
  readonly maxDepth?: number;
  /** Most data items in all; 2^20 by default. */
  readonly maxItems?: number;
}

/**
 * Encodes `value` deterministically.
 *
 * @throws INTERNAL for a number that is no safe integer
 * @see RFC 8949 section 4.2.1
 */
export function encodeCbor(value: Cbor): Uint8Array<ArrayBuffer> {
  return new Uint8Array(encode(encodable(value), rfc8949EncodeOptions));
}

/**
 * Decodes one deterministic CBOR item that fills `bytes`.
 *
 * @throws CBOR_MALFORMED
 */
export function decodeCbor(bytes: Uint8Array, limits: CborLimits): Cbor {
  const { value, sizeBytes } = decodeCborFirst(bytes, limits);
  if (sizeBytes !== bytes.length) throw malformed('bytes after the item', sizeBytes);
  return value;
}

/**
 * Decodes the first item of a CBOR sequence (RFC 8742) and says how many bytes it took.
 *
 * @throws CBOR_MALFORMED
 */
export function decodeCborFirst(bytes: Uint8Array, limits: CborLimits): { value: Cbor; sizeBytes: number } {
  const tokenizer = boundedTokenizer(bytes.subarray(0, limits.maxBytes), limits);
  const value = decodeStrictly(bytes, tokenizer);
  const sizeBytes = tokenizer.pos();
  if (!equalBytes(encodeCbor(value), bytes.subarray(0, sizeBytes))) {
    throw malformed('the encoding is not the deterministic one', 0);
  }
  return { value, sizeBytes };
}

/** Whether `value` is a CBOR map. */
export function isCborMap(value: Cbor | undefined): value is CborMap {
  return value instanceof Map;
}

/** Whether `value` is a CBOR array. */
export function isCborArray(value: Cbor | undefined): value is readonly Cbor[] {
  return Array.isArray(value);
}

/** Whether `value` is a tagged value. */
export function isCborTag(value: Cbor | undefined): value is CborTag {
  return value instanceof Tagged;
}

/** Tags `value` with one of {@link CBOR_TAGS}. */
export function cborTag(tag: (typeof CBOR_TAGS)[number], value: Cbor): CborTag {
  return new Tagged(tag, value);
}

const STRICT: DecodeOptions = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
  allowBigInt: false,
  useMaps: true,
  rejectDuplicateMapKeys: true,
  tags: Tagged.preserve(...CBOR_TAGS),
};

type DecodeTokenizer = NonNullable<DecodeOptions['tokenizer']>;

/** Counts items and nesting before `cborg` recurses into them. Attacker-controlled input. */
function boundedTokenizer(bytes: Uint8Array, limits: CborLimits): DecodeTokenizer {
  const tokenizer = new Tokenizer(bytes, STRICT);
  /** Items still to come at each open level. */
  const open: number[] = [];
  let items = 0;
  const next = (): Token => {
    const token = tokenizer.next();
    items += 1;
    if (items > (limits.maxItems ?? 1 << 20)) throw malformed('too many items', tokenizer.pos());
    if (Type.equals(token.type, Type.float)) throw malformed('a float', tokenizer.pos());
    while (open.at(-1) === 0) open.pop();
    const awaited = open.pop();
    if (awaited !== undefined) open.push(awaited - 1);
    const children = childrenOf(token);
    if (children > 0) open.push(children);
    if (open.length > (limits.maxDepth ?? 16)) throw malformed('nested too deep', tokenizer.pos());
    return token;
  };
  return { next, done: () => tokenizer.done(), pos: () => tokenizer.pos() };
}

function childrenOf(token: Token): number {
  if (Type.equals(token.type, Type.array)) return Number(token.value);
  if (Type.equals(token.type, Type.map)) return 2 * Number(token.value);
  return Type.equals(token.type, Type.tag) ? 1 : 0;
}

function decodeStrictly(bytes: Uint8Array, tokenizer: DecodeTokenizer): Cbor {
  try {
    const [value]: [Cbor, Uint8Array] = decodeFirst(bytes, { ...STRICT, tokenizer });
    requirePlainKeys(value, tokenizer.pos());
    return value;
  } catch (cause) {
    if (isFailure(cause)) throw cause;
    const reason = cause instanceof Error ? cause.message.replace(/^CBOR decode error:? ?/, '') : String(cause);
    throw new SecureevError('CBOR_MALFORMED', {
      message: `malformed CBOR near byte ${tokenizer.pos()}: ${reason}`,
      details: { offset: tokenizer.pos() },
      cause,
    });
  }
}

/** Map keys are integers or text; `cborg` reads any item as a key. */
function requirePlainKeys(value: Cbor, offset: number): void {
  if (isCborTag(value)) requirePlainKeys(value.value, offset);
  if (isCborArray(value)) for (const item of value) requirePlainKeys(item, offset);
  if (!isCborMap(value)) return;
  for (const [key, item] of value) {
    if (typeof key !== 'number' && typeof key !== 'string')
      throw malformed('a map key that is no integer or text', offset);
    requirePlainKeys(item, offset);
  }
}

/** The value as `cborg` takes it: every number checked, byte strings not Buffers. */
function encodable(value: Cbor): unknown {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    throw failure('INTERNAL', `CBOR integer out of range: ${value}`);
  }
  if (isCborArray(value)) return value.map(encodable);
  if (isCborMap(value)) return new Map([...value].map(([key, item]) => [encodable(key), encodable(item)]));
  if (isCborTag(value)) return new Tagged(value.tag, encodable(value.value));
  return value;
}

function malformed(reason: string, offset: number): SecureevError {
  return failure('CBOR_MALFORMED', `malformed CBOR near byte ${offset}: ${reason}`, { offset });
}
