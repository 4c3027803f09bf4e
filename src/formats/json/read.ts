/**
 * Typed readers of decoded JSON: each error names the member that does not fit.
 *
 * `where` is the path of the value so far, e.g. `signed.roles`.
 */
import { failure } from '../../core/errors.ts';
import type { ErrorCode, SecureevError } from '../../core/errors.ts';
import type { Json, JsonMap } from './json.ts';
import { isJsonList, isJsonMap } from './json.ts';

/** A value, its path for messages, and the code of a misfit. */
export interface JsonPlace {
  readonly value: Json | undefined;
  readonly path: string;
  readonly code: ErrorCode;
}

/** The error for a value that is not what belongs there. */
export function jsonMisfit(place: JsonPlace, expected: string): SecureevError {
  const path = place.path.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 200);
  const found = place.value === undefined ? 'missing' : `not ${expected}`;
  return failure(place.code, `${path} is ${found}`, { path, expected });
}

/** The member `name` of the object at `place`; its value is undefined where there is none. @throws the place's code */
export function jsonMember(place: JsonPlace, name: string): JsonPlace {
  const map = jsonObject(place);
  return { value: map.get(name), path: `${place.path}.${name}`, code: place.code };
}

/** An object. @throws the place's code */
export function jsonObject(place: JsonPlace): JsonMap {
  if (!isJsonMap(place.value)) throw jsonMisfit(place, 'an object');
  return place.value;
}

/** The members of an object with their places, at most `max`. @throws the place's code */
export function jsonMembers(place: JsonPlace, max: number): readonly (readonly [string, JsonPlace])[] {
  const map = jsonObject(place);
  if (map.size > max) throw jsonMisfit(place, `an object of at most ${max} members`);
  return [...map].map(([name, value]) => [name, { value, path: `${place.path}.${name}`, code: place.code }] as const);
}

/** The places of a list's values, at most `max`. @throws the place's code */
export function jsonList(place: JsonPlace, max: number): readonly JsonPlace[] {
  if (!isJsonList(place.value) || place.value.length > max) throw jsonMisfit(place, `a list of at most ${max} values`);
  return place.value.map((value, index) => ({ value, path: `${place.path}[${index}]`, code: place.code }));
}

/** Text. @throws the place's code */
export function jsonText(place: JsonPlace): string {
  if (typeof place.value !== 'string') throw jsonMisfit(place, 'text');
  return place.value;
}

/** Text through a parse function of `core/`. @throws the place's code */
export function jsonParsed<T>(place: JsonPlace, parse: (text: string) => T): T {
  const text = jsonText(place);
  try {
    return parse(text);
  } catch (cause) {
    throw jsonMisfit(place, cause instanceof Error ? `usable: ${cause.message}` : 'usable');
  }
}

/** An integer from `min` to `max`. @throws the place's code */
export function jsonInteger(place: JsonPlace, range: { min: number; max?: number }): number {
  const max = range.max ?? Number.MAX_SAFE_INTEGER;
  if (typeof place.value !== 'number' || place.value < range.min || place.value > max) {
    throw jsonMisfit(place, `an integer from ${range.min} to ${max}`);
  }
  return place.value;
}

/** A boolean. @throws the place's code */
export function jsonBoolean(place: JsonPlace): boolean {
  if (typeof place.value !== 'boolean') throw jsonMisfit(place, 'true or false');
  return place.value;
}
