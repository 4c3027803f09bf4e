/**
 * `*.sigreq`: what an air-gapped machine is asked to sign, with everything it needs to see what that is.
 *
 * Deterministic CBOR (FORMAT.md). Nothing in it is believed: the offline side verifies the root chain from its own pinned
 * root, decodes the payload itself and works the change out.
 */
import { parseInstant, parseRoleName, formatInstant } from '../../core/brands.ts';
import type { Instant, RoleName } from '../../core/brands.ts';
import type { Unverified } from '../../core/verified.ts';
import { decodeCbor, encodeCbor } from '../cbor.ts';
import type { Cbor } from '../cbor.ts';
import { itemsOf, mapOf, misfit, optional, parsedOf, textOf } from '../cbor-reader.ts';
import type { Placed } from '../cbor-reader.ts';
import type { RepositoryKind } from '../metadata/types.ts';

/** The first member of every request. */
export const REQUEST_FORMAT = 'secureev/sigreq/1';
/** Largest request read, in bytes. */
export const REQUEST_BYTES_MAX = 128 * 1024 * 1024;
/** Most roots in a request's chain. */
export const REQUEST_ROOTS_MAX = 1024;

/** What is to be signed. */
export const REQUEST_SUBJECTS = ['role', 'bundle'] as const;
/** `role`: the `signed` bytes of metadata; `bundle`: header and manifest of an OTAP bundle. */
export type RequestSubject = (typeof REQUEST_SUBJECTS)[number];

/** A request to sign one payload. */
export interface SigningRequest {
  readonly subject: RequestSubject;
  /** UUID. */
  readonly repository: string;
  readonly kind: RepositoryKind;
  /** The role that signs: its own metadata, or the bundle it will list. */
  readonly role: RoleName;
  readonly created: Instant;
  /** The exact bytes: `signed`, or header and manifest. */
  readonly payload: Uint8Array;
  /** Root files, version 1 (or the oldest there is) to the newest complete one; empty for the first root. */
  readonly roots: readonly Uint8Array[];
  /** Metadata files that the change is measured against or that show the role's keys: the last complete version of the role, then delegators. */
  readonly last: Uint8Array | undefined;
  /** For a bundle signed by a delegated role: the delegating Targets files, outermost first. */
  readonly delegators: readonly Uint8Array[];
  /** For a bundle: its target name. */
  readonly target: string | undefined;
}

const KEYS = {
  format: 1,
  subject: 2,
  repository: 3,
  kind: 4,
  role: 5,
  created: 6,
  payload: 7,
  roots: 8,
  last: 9,
  delegators: 10,
  target: 11,
} as const;
const CODE = 'REQUEST_MALFORMED';
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const DELEGATORS_MAX = 16;
const TARGET_CHARS_MAX = 512;

/** Writes a request. */
export function encodeRequest(request: SigningRequest): Uint8Array<ArrayBuffer> {
  const members: readonly (readonly [number, Cbor | undefined])[] = [
    [KEYS.format, REQUEST_FORMAT],
    [KEYS.subject, request.subject],
    [KEYS.repository, request.repository],
    [KEYS.kind, request.kind],
    [KEYS.role, request.role],
    [KEYS.created, formatInstant(request.created)],
    [KEYS.payload, request.payload],
    [KEYS.roots, request.roots],
    [KEYS.last, request.last],
    [KEYS.delegators, request.delegators],
    [KEYS.target, request.target],
  ];
  return encodeCbor(new Map(members.flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]))));
}

/** Reads a request. @throws REQUEST_MALFORMED, CBOR_MALFORMED */
export function decodeRequest(bytes: Uint8Array): Unverified<SigningRequest> {
  const value = decodeCbor(bytes, { maxBytes: REQUEST_BYTES_MAX, maxDepth: 4, maxItems: 4096 });
  const field = mapOf({ value, at: 'request', code: CODE }, KEYS);
  if (textOf(field('format')) !== REQUEST_FORMAT) throw misfit(field('format'), REQUEST_FORMAT);
  return {
    unverified: {
      subject: oneOf(field('subject'), REQUEST_SUBJECTS),
      repository: matching(field('repository'), UUID),
      kind: oneOf(field('kind'), ['image', 'director'] as const),
      role: parsedOf(field('role'), parseRoleName),
      created: parsedOf(field('created'), (text) => parseInstant(text)),
      payload: fileOf(field('payload')),
      roots: itemsOf(field('roots'), { min: 0, max: REQUEST_ROOTS_MAX }).map(fileOf),
      last: optional(field('last'), fileOf),
      delegators: itemsOf(field('delegators'), { min: 0, max: DELEGATORS_MAX }).map(fileOf),
      target: optional(field('target'), (placed) => matching(placed, new RegExp(`^[!-~]{1,${TARGET_CHARS_MAX}}$`))),
    },
  };
}

function oneOf<T extends string>(placed: Placed, choices: readonly T[]): T {
  const text = textOf(placed);
  const found = choices.find((choice) => choice === text);
  if (found === undefined) throw misfit(placed, `one of ${choices.join(', ')}`);
  return found;
}

function matching(placed: Placed, pattern: RegExp): string {
  const text = textOf(placed);
  if (!pattern.test(text)) throw misfit(placed, `of the form ${pattern.source}`);
  return text;
}

function fileOf(placed: Placed): Uint8Array {
  if (!(placed.value instanceof Uint8Array) || placed.value.length === 0) throw misfit(placed, 'a byte string');
  return placed.value;
}
