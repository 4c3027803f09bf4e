/**
 * JSON as this program holds it: maps, never prototypes; integers, never floats.
 *
 * Invariant: a {@link Json} that came out of {@link parseJson} has no duplicate member and can be written canonically.
 */

/** A JSON object: member names in the order of the file. */
export type JsonMap = ReadonlyMap<string, Json>;

/** A JSON value; numbers are integers from -(2^53-1) to 2^53-1. */
export type Json = null | boolean | number | string | readonly Json[] | JsonMap;

/** Whether a value is a JSON object. */
export function isJsonMap(value: Json | undefined): value is JsonMap {
  return value instanceof Map;
}

/** Whether a value is a JSON array. */
export function isJsonList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** A JSON object from its members, those that are undefined left out. */
export function jsonMap(members: Readonly<Record<string, Json | undefined>>): JsonMap {
  const map = new Map<string, Json>();
  for (const [name, value] of Object.entries(members)) {
    if (value !== undefined) map.set(name, value);
  }
  return map;
}
