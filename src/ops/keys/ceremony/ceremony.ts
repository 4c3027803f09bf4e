/** A ceremony under way, and what its transcript says of it so far. */
import { parseInstant, parseKeyId } from '../../../core/brands.ts';
import type { Instant, KeyId } from '../../../core/brands.ts';
import { failure } from '../../../core/errors.ts';
import type { Io } from '../../../core/ports.ts';
import type { CeremonyPlan, Custodian, Person } from '../../../formats/ceremony-plan.ts';
import type { Json } from '../../../formats/json/json.ts';
import {
  jsonBoolean,
  jsonInteger,
  jsonList,
  jsonMember,
  jsonObject,
  jsonParsed,
  jsonText,
} from '../../../formats/json/read.ts';
import type { JsonPlace } from '../../../formats/json/read.ts';
import type { Transcript, TranscriptEntry } from '../../../formats/transcript/transcript.ts';
import type { RootKind } from '../../../plan/ceremony/steps.ts';
import type { CeremonyAsker } from './asker.ts';

/** What every step works with. */
export interface Ceremony {
  readonly io: Io;
  readonly asker: CeremonyAsker;
  readonly plan: CeremonyPlan;
  /** The plan's exact bytes. */
  readonly planBytes: Uint8Array;
  readonly folder: string;
  readonly rehearsal: boolean;
  readonly transcript: Transcript;
  /** The printable report of a whole transcript. */
  readonly report: CeremonyReport;
}

/** Writes the printable report. */
export type CeremonyReport = (plan: CeremonyPlan, transcript: Transcript) => string;

/** What a step's entry will say: who confirmed it and what was seen, never a secret. */
export interface StepAnswer {
  readonly initials: readonly string[];
  readonly facts: Readonly<Record<string, Json>>;
}

/** What the first entry says. */
export interface OpenFacts {
  /** The UUID of the repository that this ceremony makes the roots of. */
  readonly repository: string;
  readonly planSha256: string;
  readonly rehearsal: boolean;
  /** From when the roots' lives are counted. */
  readonly started: Instant;
}

/** A root key that was made. */
export interface KeyMade {
  readonly keys: readonly { readonly algorithm: string; readonly keyId: KeyId }[];
  /** SHA-256 of the public file, hex. */
  readonly publicSha256: string;
  /** SHA-256 of the encrypted key file, hex; undefined where the key is on a token alone. */
  readonly keyFileSha256: string | undefined;
}

const CODE = 'TRANSCRIPT_MALFORMED';
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const SHA256 = /^[0-9a-f]{64}$/;

/** The facts of the entry that did `step`. @throws TRANSCRIPT_BROKEN where it was not done */
export function factsOf(entries: readonly TranscriptEntry[], step: string): JsonPlace {
  const index = entries.findIndex((entry) => entry.step === step && entry.outcome === 'done');
  const entry = entries[index];
  if (entry === undefined) throw failure('TRANSCRIPT_BROKEN', `step ${step} was not done`);
  return { value: entry.facts, path: `line ${index + 1}.facts`, code: CODE };
}

/** What the first entry says. @throws TRANSCRIPT_BROKEN, TRANSCRIPT_MALFORMED */
export function openFacts(entries: readonly TranscriptEntry[]): OpenFacts {
  const facts = factsOf(entries, 'open');
  return {
    repository: jsonParsed(jsonMember(facts, 'repository'), (text) => matching(text, UUID)),
    planSha256: jsonParsed(jsonMember(facts, 'planSha256'), (text) => matching(text, SHA256)),
    rehearsal: jsonBoolean(jsonMember(facts, 'rehearsal')),
    started: jsonParsed(jsonMember(facts, 'started'), (text) => parseInstant(text)),
  };
}

/** The root key of a custodian. @throws TRANSCRIPT_BROKEN, TRANSCRIPT_MALFORMED */
export function keyMade(entries: readonly TranscriptEntry[], custodian: Custodian, root: RootKind): KeyMade {
  const facts = factsOf(entries, `generate:${custodian.initials}:${root}`);
  const keyFile = jsonMember(facts, 'keyFileSha256');
  return {
    keys: jsonList(jsonMember(facts, 'keys'), 2).map((key) => ({
      algorithm: jsonText(jsonMember(key, 'algorithm')),
      keyId: jsonParsed(jsonMember(key, 'keyId'), (text) => parseKeyId(matching(text, SHA256))),
    })),
    publicSha256: jsonParsed(jsonMember(facts, 'publicSha256'), (text) => matching(text, SHA256)),
    keyFileSha256: keyFile.value === undefined ? undefined : jsonParsed(keyFile, (text) => matching(text, SHA256)),
  };
}

/** Every id of a key made so far. */
export function idsMade(entries: readonly TranscriptEntry[]): ReadonlySet<string> {
  const made = entries.filter(({ step, outcome }) => step.startsWith('generate:') && outcome === 'done');
  const lists = made.map((entry): JsonPlace => ({ value: entry.facts.get('keys'), path: entry.step, code: CODE }));
  return new Set(lists.flatMap((list) => jsonList(list, 2).map((key) => jsonText(jsonMember(key, 'keyId')))));
}

/** The set of the shares that a backup was made of, and how many lines each has. */
export function backupFacts(
  entries: readonly TranscriptEntry[],
  custodian: Custodian,
  root: RootKind,
): { readonly setId: string; readonly lines: number } {
  const facts = factsOf(entries, `backup:${custodian.initials}:${root}`);
  jsonObject(facts);
  return {
    setId: jsonText(jsonMember(facts, 'setId')),
    lines: jsonInteger(jsonMember(facts, 'lines'), { min: 1, max: 99 }),
  };
}

function matching(text: string, pattern: RegExp): string {
  if (!pattern.test(text)) throw failure(CODE, 'it has another form');
  return text;
}

const TRIES = 3;

/** Asks each person for their initials. @throws CEREMONY_ANSWER_WRONG after three tries */
export async function askInitials(asker: CeremonyAsker, people: readonly Person[]): Promise<readonly string[]> {
  for (const person of people) {
    const prompt = `${person.name}, your initials to confirm`;
    await askUntil(asker, {
      ask: () => asker.ask({ kind: 'initials', secret: false, prompt, person }),
      accept: (answer) => answer.trim().toUpperCase() === person.initials,
      wrong: `these are not the initials of ${person.name}`,
    });
  }
  return people.map(({ initials }) => initials);
}

/** Asks until the answer is accepted, three times at most; gives it. @throws CEREMONY_ANSWER_WRONG */
export async function askUntil(
  asker: CeremonyAsker,
  question: { ask: () => Promise<string>; accept: (answer: string) => boolean; wrong: string },
): Promise<string> {
  for (let tried = 0; tried < TRIES; tried++) {
    const answer = await question.ask();
    if (question.accept(answer)) return answer;
    await asker.tell([{ kind: 'warning', text: question.wrong }]);
  }
  throw failure('CEREMONY_ANSWER_WRONG', `${question.wrong}, ${TRIES} times`);
}

/** Who confirms what concerns one custodian: they, and a witness (or the administrator). */
export function custodianAndWitness(plan: CeremonyPlan, custodian: Custodian): readonly Person[] {
  return [custodian, plan.witnesses[0] ?? plan.administrator];
}

/** Who confirms what concerns the machine and what it made: the administrator and the witnesses. */
export function officers(plan: CeremonyPlan): readonly Person[] {
  return [plan.administrator, ...plan.witnesses];
}
