import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseInstant } from '../../core/brands.ts';
import { concatBytes, fromUtf8, toHex, utf8 } from '../../core/bytes.ts';
import { isFailure } from '../../core/errors.ts';
import { jsonMap } from '../json/json.ts';
import { EMPTY_TRANSCRIPT, decodeTranscript, encodeTranscriptLine, transcriptToSign } from './transcript.ts';
import type { TranscriptEntry } from './transcript.ts';

const entry = (step: string, over: Partial<TranscriptEntry> = {}): TranscriptEntry => ({
  time: parseInstant('2026-12-01T09:00:00Z'),
  step,
  outcome: 'done',
  initials: ['GH', 'AL'],
  facts: jsonMap({ fingerprint: 'ab', count: 3 }),
  ...over,
});

const write = (entries: readonly TranscriptEntry[]): Uint8Array => {
  let head = EMPTY_TRANSCRIPT;
  const lines = entries.map((item) => {
    const next = encodeTranscriptLine(item, head);
    head = next.head;
    return next.line;
  });
  return concatBytes(...lines);
};

const codeOf = (bytes: Uint8Array): string => {
  try {
    decodeTranscript(bytes);
  } catch (error) {
    if (isFailure(error)) return error.code;
    throw error;
  }
  return 'accepted';
};

const three = ['open', 'self-check', 'clock'].map((step) => entry(step));

describe('the transcript of a ceremony', () => {
  test('reads back what was written, to the same head', () => {
    const steps = fc.array(fc.stringMatching(/^[a-z:A-Z-]{1,30}$/), { maxLength: 12 });
    fc.assert(
      fc.property(steps, (names) => {
        const entries = names.map((name) => entry(name));
        const bytes = write(entries);
        const { entries: read, head } = decodeTranscript(bytes);
        expect(read).toEqual(entries);
        expect(head.length).toBe(names.length);
      }),
    );
  });

  test('is the text that FORMAT.md says', () => {
    const [line = ''] = fromUtf8(write([entry('open', { facts: jsonMap({}) })])).split('\n');
    expect(line).toBe(
      `{"facts":{},"initials":["GH","AL"],"outcome":"done","previous":"${'0'.repeat(64)}","sequence":1,"step":"open","time":"2026-12-01T09:00:00Z"}`,
    );
  });

  test('a changed, lost, doubled or swapped line is refused', () => {
    const lines = fromUtf8(write(three)).split('\n').slice(0, -1);
    const [one = '', two = '', last = ''] = lines;
    const joined = (...parts: string[]) => utf8(parts.map((part) => `${part}\n`).join(''));
    expect(codeOf(joined(one, two, last))).toBe('accepted');
    expect(codeOf(joined(one.replace('"GH"', '"XX"'), two, last))).toBe('TRANSCRIPT_BROKEN');
    for (const wrong of [joined(one, last), joined(two, one, last), joined(one, one, two), joined(two)]) {
      expect(codeOf(wrong)).toBe('TRANSCRIPT_BROKEN');
    }
  });

  test('a flipped bit in any line but the last is refused', () => {
    const bytes = write(three);
    const lastLine = fromUtf8(bytes).slice(0, -1).lastIndexOf('\n') + 1;
    for (let at = 0; at < lastLine; at++) {
      const flipped = bytes.slice();
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      expect(codeOf(flipped)).not.toBe('accepted');
    }
  });

  test('a line cut off by a crash does not count', () => {
    const bytes = write(three);
    const read = decodeTranscript(bytes.subarray(0, bytes.length - 1));
    expect(read.entries).toHaveLength(2);
  });

  test('unknown members, other spellings and unknown outcomes are refused', () => {
    const text = fromUtf8(write([entry('open')]));
    for (const wrong of [
      text.replace('{"facts"', '{ "facts"'),
      text.replace('{"facts"', '{"a":1,"facts"'),
      text.replace('done', 'won'),
    ]) {
      expect(codeOf(utf8(wrong))).toBe('TRANSCRIPT_MALFORMED');
    }
  });

  test('what is signed names length and last hash under its own label', () => {
    const { head } = decodeTranscript(write(three));
    const { payload, externalAad } = transcriptToSign(head);
    expect(toHex(payload)).toBe(`0000000000000003${toHex(head.hash)}`);
    expect(fromUtf8(externalAad)).toBe('secureev/transcript/1');
  });
});
