/** Writes JSON that any parser reads: compact, members sorted by code point, non-ASCII characters kept. */
import { utf8 } from '../../core/bytes.ts';
import { compactText } from './canonical.ts';
import type { Json } from './json.ts';

/** The bytes of a value, without a final newline. @throws JSON_MALFORMED for numbers that are not safe integers */
export function writeJson(value: Json): Uint8Array<ArrayBuffer> {
  return utf8(writeJsonText(value));
}

/** The text of a value. @throws JSON_MALFORMED for numbers that are not safe integers */
export function writeJsonText(value: Json): string {
  return compactText(value, (text) => JSON.stringify(text));
}
