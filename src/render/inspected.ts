/** Facts about a file as text. */
import { fingerprint } from './fingerprint.ts';
import { indented } from './table.ts';
import { printableLine, size } from './text.ts';

/** Plain data. */
export type ShownFact = string | number | boolean | null | readonly ShownFact[] | ShownFacts;
/** Plain data by name. */
export interface ShownFacts {
  readonly [name: string]: ShownFact;
}

/** The facts under a heading that nobody can miss. */
export function inspectedText(shown: { path: string; kind: string; sizeBytes: number; facts: ShownFacts }): string {
  const { path, kind, sizeBytes, facts } = shown;
  const heading = `NOT VERIFIED: anyone could have written what follows`;
  return [heading, `${printableLine(path)}: ${kind}, ${sizeBytes} bytes (${size(sizeBytes)})`, factsText(facts)].join(
    '\n',
  );
}

function factsText(facts: ShownFacts): string {
  return Object.entries(facts)
    .map(([name, fact]) => entryText(label(name), COMPARED.has(name) ? grouped(fact) : fact))
    .join('\n');
}

/** What people hold against the words of `request create` and `request sign`, which are grouped. */
const COMPARED: ReadonlySet<string> = new Set(['digest', 'payloadDigest', 'requestDigest']);

function grouped(fact: ShownFact): ShownFact {
  return typeof fact === 'string' ? fingerprint(fact) : fact;
}

function entryText(name: string, fact: ShownFact): string {
  if (isList(fact)) return listText(name, fact);
  if (fact !== null && typeof fact === 'object') return `${name}:\n${indented(factsText(fact))}`;
  return `${name}: ${fact === null ? '-' : printableLine(String(fact))}`;
}

function listText(name: string, list: readonly ShownFact[]): string {
  if (list.length === 0) return `${name}: -`;
  const plain = list.filter((fact) => fact === null || typeof fact !== 'object');
  if (plain.length === list.length) return `${name}: ${plain.map((fact) => printableLine(String(fact))).join(', ')}`;
  return `${name}:\n${indented(list.map(itemText).join('\n'))}`;
}

/** An item of a list: its first line is marked, the others stand below it. */
function itemText(fact: ShownFact): string {
  return `- ${nestedText(fact).replaceAll('\n', '\n  ')}`;
}

function nestedText(fact: ShownFact): string {
  if (isList(fact)) return fact.map(nestedText).join(', ');
  return fact !== null && typeof fact === 'object' ? factsText(fact) : printableLine(String(fact));
}

function isList(fact: ShownFact): fact is readonly ShownFact[] {
  return Array.isArray(fact);
}

/** `releaseCounter` reads `release counter`; a name out of the file itself is escaped. */
function label(name: string): string {
  return printableLine(name.replaceAll(/(?<=[a-z0-9])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`));
}
