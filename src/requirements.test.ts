/** Every requirement that the project claims is cited by the name of at least one test. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const SRC = dirname(fileURLToPath(import.meta.url));

/** The numbers of a list from 1 to `last`, without those that the list does not have. */
function ids(letter: string, last: number, without: readonly number[] = []): readonly string[] {
  const numbers = Array.from({ length: last }, (_, index) => index + 1).filter((number) => !without.includes(number));
  return numbers.map((number) => `${letter}${number}`);
}

/** What must be cited: T TUF 1.0.34 client workflow, U Uptane Standard 2.1.0, R release evidence (R156, ISO 24089). */
const CLAIMED = [...ids('T', 10), ...ids('U', 44, [28, 39]), 'R1', 'R3', 'R4', 'R5'];

/** Of the claimed ones those that no test cites yet; may only become fewer. */
const NOT_YET_CITED: readonly string[] = [];

/** A call of `test`, `it` or `describe` with whatever stands before its name, and the name. */
const NAMED =
  /\b(?:test|it|describe)\b(?:\.(?:each|runIf|skipIf|concurrent)\b[^'"`]*?)?\(\s*(?:(['"`])((?:\\.|(?!\1)[^\\])*)\1)/g;
/** The name after the table of `each`, wherever the table ends. */
const AFTER_TABLE = /\]\s*\)?\s*\)\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/g;
/** Rows of a table whose first cell is the name. */
const ROW = /^\s*(?:\[\s*|name:\s*)(['"`])((?:\\.|(?!\1)[^\\])*)\1/gm;
const ID = /\b[TUR][1-9][0-9]?\b/g;

/** The requirements that the names of tests in a source text cite. */
function citedIn(source: string): readonly string[] {
  const names = [NAMED, AFTER_TABLE, ROW].flatMap((form) => [...source.matchAll(form)].map(([, , name = '']) => name));
  return names.flatMap((name) => name.match(ID) ?? []);
}

const cited = new Map<string, string[]>();
for (const file of readdirSync(SRC, { recursive: true, encoding: 'utf8' }).sort()) {
  if (!/\.test\.tsx?$/.test(file) || file === 'requirements.test.ts') continue;
  for (const id of new Set(citedIn(readFileSync(join(SRC, file), 'utf8')))) {
    cited.set(id, [...(cited.get(id) ?? []), file]);
  }
}

describe('requirements', () => {
  test('each is cited by the name of a test', () => {
    const missing = CLAIMED.filter((id) => !cited.has(id) && !NOT_YET_CITED.includes(id));
    expect(missing, `no test is named after: ${missing.join(', ')}`).toEqual([]);
  });

  test('what is excused is claimed, and really not cited', () => {
    expect(NOT_YET_CITED.filter((id) => cited.has(id) || !CLAIMED.includes(id))).toEqual([]);
  });

  test('no test is named after a requirement that does not exist', () => {
    const known = new Set([...CLAIMED, ...ids('R', 7)]);
    const unknown = [...cited].filter(([id]) => !known.has(id)).map(([id, files]) => `${id} in ${files.join(', ')}`);
    expect(unknown).toEqual([]);
  });
});

describe('the reader of names', () => {
  test('sees names of tests, of tables and of their rows, and neither code nor comments', () => {
    const sample = `
      test('T1: one', () => {}); describe("U2 two", () => { it(\`U3 three\`, run); });
      test.each(['a', 'b'])('T4 %s', (one) => {}); describe.each(ROWS)('U5 $name', () => {});
      test.each([
        ['U6 a row', 1],
        [\`U7\`, { name: 'no' }],
      ])('T8 %s', async () => {});
      const row = {
        name: 'U9 of an object',
      };
      // T9 in a comment
      const text = 'T10 in a text'; expect('U10').toBe('U11');
    `;
    expect([...citedIn(sample)].sort()).toEqual(['T1', 'T4', 'T8', 'U2', 'U3', 'U5', 'U6', 'U7', 'U9']);
  });
});
