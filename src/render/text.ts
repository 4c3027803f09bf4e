/** Text that is safe to show: nothing in it moves the cursor, hides or reorders other text. */

// Controls but newline, separators of lines and paragraphs, and invisible marks such as those that reorder text.
const controls = (): RegExp => /[[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]--\n]/gv;
/** What most text is. Making the expression above takes half a millisecond. */
const PLAIN = /^[\x20-\x7e\n]*$/;

/** Text of one line: control characters, newlines too, are written as `\u000a`. */
export function printableLine(text: string): string {
  return printable(text).replaceAll('\n', '\\u000a');
}

/** Text of several lines: control characters other than newline are written as `\u001b`. */
export function printable(text: string): string {
  return PLAIN.test(text) ? text : text.toWellFormed().replace(controls(), escaped);
}

/** A value as JSON on one line; what {@link printable} would escape is escaped as JSON has it. */
export function printableJson(value: unknown): string {
  const escape = (text: string): string =>
    text.replaceAll(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  const text = JSON.stringify(value);
  return PLAIN.test(text) ? text : text.replace(controls(), escape);
}

function escaped(character: string): string {
  const digits = (character.codePointAt(0) ?? 0).toString(16);
  return digits.length > 4 ? `\\u{${digits}}` : `\\u${digits.padStart(4, '0')}`;
}

/** `1 file`, `2 files`. */
export function count(number: number, singular: string, plural = `${singular}s`): string {
  return `${number} ${number === 1 ? singular : plural}`;
}

/** A size as people read it, in binary units: `512 B`, `1.5 KiB`, `400 MiB`. */
export function size(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit] ?? ''}`;
}

/** A duration as people read it: `8 s`, `3 min 5 s`, `2 h 10 min`, `14 d`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return parts(whole, ['min', 60], ['s', 1]);
  if (whole < 86_400) return parts(whole, ['h', 3600], ['min', 60]);
  return parts(whole, ['d', 86_400], ['h', 3600]);
}

type Unit = readonly [name: string, seconds: number];

function parts(whole: number, large: Unit, small: Unit): string {
  const rest = Math.floor((whole % large[1]) / small[1]);
  const first = `${Math.floor(whole / large[1])} ${large[0]}`;
  return rest === 0 ? first : `${first} ${rest} ${small[0]}`;
}
