/**
 * Values that have been parsed once and are believed from then on.
 *
 * Invariant: the only way to a branded value is its parse function here; nothing below `commands/` and `formats/`
 * checks such a string again.
 */
import { failure } from './errors.ts';

declare const brand: unique symbol;
/** A `T` that passed the parse function named `B`. */
export type Brand<T, B extends string> = T & { readonly [brand]: B };

/** A metadata version or release counter: an integer from 1 to 2^53 - 1. */
export type Version = Brand<number, 'Version'>;
/** A UTC time in whole seconds since 1970-01-01T00:00:00Z, from year 1970 to 9999. */
export type Instant = Brand<number, 'Instant'>;
/** A TUF key id: 1 to 256 printable ASCII characters without spaces; ours are 64 lower-case hex digits. */
export type KeyId = Brand<string, 'KeyId'>;
/** A TUF role name: a letter, then up to 127 of `[A-Za-z0-9._-]`. */
export type RoleName = Brand<string, 'RoleName'>;
/** The name of a target: path segments of `[A-Za-z0-9._+~@-]` joined by `/`, none empty, `.` or `..`; at most 512 bytes. */
export type TargetName = Brand<string, 'TargetName'>;
/** A vehicle identification number, ISO 3779: 17 characters, capitals and digits without I, O and Q. */
export type Vin = Brand<string, 'Vin'>;
/** An ECU, gateway, hardware, model or release name: 1 to 128 of `[A-Za-z0-9._+-]`, beginning with a letter or digit. */
export type Name = Brand<string, 'Name'>;

const KEY_ID = /^[\x21-\x7e]{1,256}$/;
const ROLE_NAME = /^[A-Za-z][A-Za-z0-9._-]{0,127}$/;
const TARGET_SEGMENT = /^[A-Za-z0-9._+~@-]+$/;
const VIN = /^[A-HJ-NPR-Z0-9]{17}$/;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$/;
const INSTANT = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})Z$/;
const LAST_INSTANT = 253_402_300_799;
const TARGET_NAME_BYTES = 512;

/** Parses a version. @throws VALUE_MALFORMED */
export function parseVersion(value: number | bigint, what = 'version'): Version {
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 1) {
    throw failure('VALUE_MALFORMED', `${what} is not an integer from 1 to 2^53-1: ${String(value)}`);
  }
  return number as Version;
}

/** Parses `YYYY-MM-DDTHH:MM:SSZ`, and no other spelling of a time. @throws VALUE_MALFORMED */
export function parseInstant(text: string, what = 'time'): Instant {
  const match = INSTANT.exec(text);
  const [year, month, day, hour, minute, second] = (match ?? []).slice(1).map(Number);
  const seconds = Date.UTC(year ?? Number.NaN, (month ?? 0) - 1, day, hour, minute, second) / 1000;
  if (match === null || Number(year) < 1970 || formatSeconds(seconds) !== text) {
    throw failure('VALUE_MALFORMED', `${what} is not of the form YYYY-MM-DDTHH:MM:SSZ: ${quote(text)}`);
  }
  return seconds as Instant;
}

/** Makes an instant from whole seconds since 1970. @throws VALUE_MALFORMED */
export function instantOf(seconds: number, what = 'time'): Instant {
  if (!Number.isSafeInteger(seconds) || seconds < 0 || seconds > LAST_INSTANT) {
    throw failure('VALUE_MALFORMED', `${what} is not a time from 1970 to 9999: ${seconds}`);
  }
  return seconds as Instant;
}

/** Writes an instant as `YYYY-MM-DDTHH:MM:SSZ`. */
export function formatInstant(instant: Instant): string {
  return formatSeconds(instant);
}

function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return '';
  // `toISOString` would have the runtime find out the time zone of the machine.
  const date = new Date(seconds * 1000);
  const [year, ...parts] = [
    date.getUTCFullYear(),
    date.getUTCMonth() + 1,
    date.getUTCDate(),
    date.getUTCHours(),
    date.getUTCMinutes(),
    date.getUTCSeconds(),
  ].map((part) => String(part).padStart(2, '0'));
  const [month, day, hour, minute, second] = parts;
  return `${year}-${month}-${day}T${hour}:${minute}:${second}Z`;
}

/** Parses a TUF key id. @throws VALUE_MALFORMED */
export function parseKeyId(text: string): KeyId {
  return matching(text, { pattern: KEY_ID, what: 'key id' }) as KeyId;
}

/** Parses a role name. @throws VALUE_MALFORMED */
export function parseRoleName(text: string): RoleName {
  return matching(text, { pattern: ROLE_NAME, what: 'role name' }) as RoleName;
}

/** Parses a target name. @throws VALUE_MALFORMED */
export function parseTargetName(text: string): TargetName {
  const segments = text.split('/');
  const safe = segments.every((segment) => TARGET_SEGMENT.test(segment) && segment !== '.' && segment !== '..');
  if (!safe || text.length > TARGET_NAME_BYTES) {
    throw failure('VALUE_MALFORMED', `not a safe target name: ${quote(text)}`);
  }
  return text as TargetName;
}

/** Parses a vehicle identification number. @throws VALUE_MALFORMED */
export function parseVin(text: string): Vin {
  return matching(text, { pattern: VIN, what: 'VIN (17 capitals and digits without I, O, Q)' }) as Vin;
}

/** Parses an ECU, gateway, hardware, model or release name; `what` says which. @throws VALUE_MALFORMED */
export function parseName(text: string, what = 'name'): Name {
  return matching(text, { pattern: NAME, what }) as Name;
}

function matching(text: string, form: { pattern: RegExp; what: string }): string {
  if (!form.pattern.test(text)) throw failure('VALUE_MALFORMED', `not a valid ${form.what}: ${quote(text)}`);
  return text;
}

/** Quotes at most 80 characters of untrusted text for a message, control and non-ASCII characters escaped. */
export function quote(text: string): string {
  const cut = text.length > 80 ? `${text.slice(0, 80)}...` : text;
  return JSON.stringify(cut).replace(/[^\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
