/**
 * The transcript of a ceremony: JSON lines, each tied to the one before it by hash, the last one signed by every key made.
 *
 * Invariants (FORMAT.md): a line is the canonical JSON of an entry and one line feed; `sequence` counts from 1;
 * `previous` is SHA-256 of the line before without its line feed, 64 zeros in the first; no secret ever stands in it.
 */
import { formatInstant, parseInstant } from '../../core/brands.ts';
import type { Instant } from '../../core/brands.ts';
import { concatBytes, equalBytes, fromHex, fromUtf8, toHex, utf8 } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import { sha256 } from '../../crypto/hash.ts';
import { canonicalJson } from '../json/canonical.ts';
import type { JsonMap } from '../json/json.ts';
import { jsonMap } from '../json/json.ts';
import { parseJson } from '../json/parse.ts';
import { jsonInteger, jsonList, jsonMember, jsonMisfit, jsonObject, jsonParsed, jsonText } from '../json/read.ts';
import type { JsonPlace } from '../json/read.ts';

/** What happened at a step. */
export interface TranscriptEntry {
  /** When it was written, UTC. */
  readonly time: Instant;
  /** The step's id, e.g. `generate:AL:image`. */
  readonly step: string;
  readonly outcome: TranscriptOutcome;
  /** Who confirmed it. */
  readonly initials: readonly string[];
  /** What was seen: fingerprints, digests, counts; never a secret. */
  readonly facts: JsonMap;
}

/** How a step ended. */
export const TRANSCRIPT_OUTCOMES = ['done', 'failed', 'aborted'] as const;
/** One of {@link TRANSCRIPT_OUTCOMES}. */
export type TranscriptOutcome = (typeof TRANSCRIPT_OUTCOMES)[number];

/** A transcript that was read, with the state that the next line continues from. */
export interface Transcript {
  readonly entries: readonly TranscriptEntry[];
  readonly head: TranscriptHead;
}

/** How many lines, and the hash of the last one. */
export interface TranscriptHead {
  readonly length: number;
  /** 32 bytes; zeros for an empty transcript. */
  readonly hash: Uint8Array;
}

/** The head of a transcript that has not begun. */
export const EMPTY_TRANSCRIPT: TranscriptHead = { length: 0, hash: new Uint8Array(32) };

/** Largest transcript read, in bytes. */
export const TRANSCRIPT_BYTES_MAX = 16 * 1024 * 1024;
const LINES_MAX = 100_000;
const LINE_LIMITS = { bytesMax: 256 * 1024, depthMax: 8, valuesMax: 10_000 };
const INITIALS_MAX = 100;
const MEMBERS = ['facts', 'initials', 'outcome', 'previous', 'sequence', 'step', 'time'];
const CODE = 'TRANSCRIPT_MALFORMED';
const LINE_FEED = 0x0a;
const LABELS = { transcript: 'secureev/transcript/1', journal: 'secureev/journal/1' } as const;

/** The line that an entry adds after `head`, with its line feed, and the head after it. */
export function encodeTranscriptLine(
  entry: TranscriptEntry,
  head: TranscriptHead,
): { readonly line: Uint8Array<ArrayBuffer>; readonly head: TranscriptHead } {
  const body = canonicalJson(
    jsonMap({
      sequence: head.length + 1,
      time: formatInstant(entry.time),
      step: entry.step,
      outcome: entry.outcome,
      initials: entry.initials,
      facts: entry.facts,
      previous: toHex(head.hash),
    }),
  );
  if (body.includes(LINE_FEED)) throw failure('INTERNAL', 'an entry of a transcript holds a line feed');
  return { line: concatBytes(body, utf8('\n')), head: { length: head.length + 1, hash: sha256('noble', body) } };
}

/**
 * Reads a transcript and checks its chain. A last line without line feed, as a crash leaves it, is not taken as written.
 *
 * @throws TRANSCRIPT_MALFORMED, TRANSCRIPT_BROKEN naming the line
 */
export function decodeTranscript(bytes: Uint8Array): Transcript {
  if (bytes.length > TRANSCRIPT_BYTES_MAX)
    throw failure(CODE, `a transcript has at most ${TRANSCRIPT_BYTES_MAX} bytes`);
  const lines = fromUtf8(bytes.subarray(0, bytes.lastIndexOf(LINE_FEED) + 1), 'the transcript')
    .split('\n')
    .slice(0, -1);
  if (lines.length > LINES_MAX) throw failure(CODE, `a transcript has at most ${LINES_MAX} lines`);
  let head = EMPTY_TRANSCRIPT;
  const entries = lines.map((line) => {
    const entry = decodeLine(utf8(line), head);
    head = { length: head.length + 1, hash: sha256('noble', utf8(line)) };
    return entry;
  });
  return { entries, head };
}

function decodeLine(line: Uint8Array, head: TranscriptHead): TranscriptEntry {
  const number = head.length + 1;
  const place: JsonPlace = { value: parseJson(line, LINE_LIMITS), path: `line ${number}`, code: CODE };
  const unknown = [...jsonObject(place).keys()].find((name) => !MEMBERS.includes(name));
  if (unknown !== undefined) throw jsonMisfit(place, 'free of unknown members');
  if (!equalBytes(canonicalJson(place.value ?? null), line)) throw jsonMisfit(place, 'canonical JSON');
  const sequence = jsonInteger(jsonMember(place, 'sequence'), { min: 1 });
  const previous = jsonParsed(jsonMember(place, 'previous'), (text) => fromHex(text));
  if (sequence !== number || !equalBytes(previous, head.hash)) {
    throw failure('TRANSCRIPT_BROKEN', `line ${number} of the transcript does not follow from the line before it`);
  }
  const outcome = TRANSCRIPT_OUTCOMES.find((known) => known === jsonText(jsonMember(place, 'outcome')));
  if (outcome === undefined) throw jsonMisfit(jsonMember(place, 'outcome'), TRANSCRIPT_OUTCOMES.join(', '));
  return {
    time: jsonParsed(jsonMember(place, 'time'), (text) => parseInstant(text)),
    step: jsonText(jsonMember(place, 'step')),
    outcome,
    initials: jsonList(jsonMember(place, 'initials'), INITIALS_MAX).map(jsonText),
    facts: jsonObject(jsonMember(place, 'facts')),
  };
}

/** What a chain of lines is: a ceremony's transcript, or what one key signed offline. */
export type ChainUse = keyof typeof LABELS;

/** What keys sign (COSE_Sign, detached): the head, under the label of its use. */
export function transcriptToSign(
  head: TranscriptHead,
  use: ChainUse = 'transcript',
): { readonly payload: Uint8Array; readonly externalAad: Uint8Array } {
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(head.length));
  return { payload: concatBytes(length, head.hash), externalAad: utf8(LABELS[use]) };
}
