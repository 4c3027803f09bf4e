/** The printable report of a ceremony: Markdown, made of its plan and transcript alone. */
import { formatInstant } from '../core/brands.ts';
import { toHex } from '../core/bytes.ts';
import { fromHex } from '../core/bytes.ts';
import type { CeremonyPlan, Person } from '../formats/ceremony-plan.ts';
import { isJsonList, isJsonMap } from '../formats/json/json.ts';
import type { Json, JsonMap } from '../formats/json/json.ts';
import type { Transcript, TranscriptEntry } from '../formats/transcript/transcript.ts';
import { fingerprint } from './fingerprint.ts';
import { pgpWords } from './pgp-words.ts';
import { printableLine } from './text.ts';

/** The whole report. */
export function ceremonyReport(plan: CeremonyPlan, transcript: Transcript): string {
  const { entries, head } = transcript;
  const rehearsal = entries.find(({ step }) => step === 'open')?.facts.get('rehearsal') === true;
  return [
    `# ${plain(plan.title)}`,
    ...(rehearsal ? ['', '**REHEARSAL: the keys made here are not for production.**'] : []),
    '',
    `${plain(plan.place)}, ${plan.date}, for the repository ${plain(plan.repository)}. ${plan.threshold} of ${plan.custodians.length} custodians sign a root.`,
    '',
    '## People',
    '',
    ...table(['name', 'initials', 'part'], people(plan)),
    '',
    '## Root keys',
    '',
    ...entries.filter(isGeneration).flatMap(keyLines),
    '## What happened',
    '',
    ...table(['#', 'time (UTC)', 'step', 'outcome', 'initials', 'seen'], entries.map(entryRow)),
    '',
    '## Transcript',
    '',
    `${head.length} lines, SHA-256 of the last one: \`${fingerprint(toHex(head.hash))}\`. Check it with \`secureev ceremony verify FOLDER\`.`,
    '',
    '## Signatures by hand',
    '',
    ...signatures(plan),
    '',
  ].join('\n');
}

function people(plan: CeremonyPlan): readonly (readonly string[])[] {
  const row = (part: string) => (person: Person) => [person.name, person.initials, part];
  return [
    row('administrator')(plan.administrator),
    ...plan.custodians.map(row('custodian')),
    ...plan.witnesses.map(row('witness')),
  ];
}

function signatures(plan: CeremonyPlan): readonly string[] {
  const all = [plan.administrator, ...plan.custodians, ...plan.witnesses];
  return all.map(({ name, initials }) => `- ${plain(name)} (${initials}): ______________________________`);
}

function isGeneration({ step, outcome }: TranscriptEntry): boolean {
  return step.startsWith('generate:') && outcome === 'done';
}

function keyLines({ step, facts }: TranscriptEntry): readonly string[] {
  const [, initials = '', root = ''] = step.split(':');
  const list = facts.get('keys');
  const keys = isJsonList(list) ? list.filter(isJsonMap) : [];
  return keys.flatMap((key) => {
    const id = text(key, 'keyId');
    const words = /^[0-9a-f]{64}$/.test(id) ? pgpWords(fromHex(id)) : '';
    return [`- ${initials}, ${root} root, ${text(key, 'algorithm')}: \`${fingerprint(id)}\``, `  ${words}`, ''];
  });
}

function text(map: JsonMap, name: string): string {
  const value = map.get(name);
  return typeof value === 'string' ? plain(value) : '';
}

function entryRow({ time, step, outcome, initials, facts }: TranscriptEntry, index: number): readonly string[] {
  const seen = sorted(facts)
    .map(([name, value]) => `${name}: ${shown(value)}`)
    .join('; ');
  return [String(index + 1), formatInstant(time), step, outcome, initials.join(' '), seen];
}

function shown(value: Json): string {
  if (isJsonList(value)) return value.map(shown).join(', ');
  if (isJsonMap(value))
    return sorted(value)
      .map(([name, member]) => `${name} ${shown(member)}`)
      .join(' ');
  return String(value);
}

/** In the order in which the transcript writes them. */
function sorted(map: JsonMap): readonly (readonly [string, Json])[] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]): string => `| ${cells.map(plain).join(' | ')} |`;
  return [line(head), `|${' --- |'.repeat(head.length)}`, ...rows.map(line)];
}

/** No cell ends its row, no name begins a heading or a link. */
function plain(value: string): string {
  return printableLine(value).replaceAll(/[|\\`<>[\]*#]/g, (mark) => `\\${mark}`);
}
