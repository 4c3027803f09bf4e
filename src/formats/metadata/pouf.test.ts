/** POUF.md says what the code does (U44). */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fromUtf8 } from '../../core/bytes.ts';
import { aktualizrTrees } from '../../testing/aktualizr-tree.ts';
import { TRUST_LIMITS } from '../../trust/limits.ts';
import { aktualizr } from './aktualizr.ts';
import { ECU_IDENTIFIER_CHARS_MAX, ECUS_MAX } from './director-targets.ts';
import { DIALECTS } from './index.ts';
import * as limits from './limits.ts';

const PAGE = readFileSync(new URL('POUF.md', import.meta.url), 'utf8');

/** Every limit by the name that the page gives it. */
function constants(): ReadonlyMap<string, number> {
  const { METADATA_BYTES_MAX, METADATA_CODE: _, ...plain } = limits;
  const { rootRotationsMax, delegationsMax, delegationDepthMax } = TRUST_LIMITS;
  const roles = ['root', 'timestamp', 'snapshot', 'targets'] as const;
  return new Map([
    ...Object.entries(METADATA_BYTES_MAX).map(([role, max]) => [`METADATA_BYTES_MAX.${role}`, max] as const),
    ...Object.entries(plain),
    ...Object.entries({ ECUS_MAX, ECU_IDENTIFIER_CHARS_MAX, rootRotationsMax, delegationsMax, delegationDepthMax }),
    ...roles.map((role) => [`aktualizr.${role}`, aktualizr.bytesMax(role, 'image')] as const),
    ['aktualizr.director-targets', aktualizr.bytesMax('targets', 'director')] as const,
    ['aktualizr.delegationDepthMax', aktualizr.delegationDepthMax] as const,
  ]);
}

test('U44: it has all sections of a POUF, in their order', () => {
  const headings = [...PAGE.matchAll(/^## \d+\. (.*)$/gm)].map(([, heading]) => heading);
  expect(headings).toEqual([
    'Header',
    'Abstract',
    'Protocols',
    'Operations',
    'Usage',
    'Formats',
    'Limits',
    'Security considerations',
    'Version history',
  ]);
});

test('every limit that it quotes is the code’s, and every one of the code’s is quoted', () => {
  const rows = [...PAGE.matchAll(/^\| `([A-Za-z_.-]+)` +\| (\d+) +\|/gm)].map(([, name = '', value]) => {
    return [name, Number(value)] as const;
  });
  expect(new Map(rows)).toEqual(constants());
  expect(rows.length).toBe(constants().size);
});

test('its worked example is the golden tree', () => {
  const example = fromUtf8(aktualizrTrees().get('director/targets.json') ?? new Uint8Array());
  expect(PAGE).toContain(`\n${example}\n`);
});

test('each SHOULD of the Standard is taken or not, with a reason', () => {
  const rows = [...PAGE.matchAll(/^\| 5\.[\d.-]+ +\|(.*)\|(.*)\|(.*)\|$/gm)];
  expect(rows.length).toBeGreaterThan(25);
  for (const [row, should = '', taken = '', why = ''] of rows) {
    expect({ row, taken: ['yes', 'no', 'vehicle'].includes(taken.trim()) }).toEqual({ row, taken: true });
    expect({ row, said: Math.min(should.trim().length, why.trim().length) > 10 }).toEqual({ row, said: true });
  }
});

describe('what it names', () => {
  test('every dialect', () => {
    for (const { id } of DIALECTS) expect(PAGE).toContain(`dialect \`${id}\``);
  });

  test('pages and folders that are there', () => {
    const paths = [...PAGE.matchAll(/`((?:src|fixtures)\/[^`]*)`/g)].map(([, path = '']) => path);
    expect(paths.length).toBeGreaterThan(8);
    for (const path of paths) {
      expect({ path, there: existsSync(new URL(`../../../${path}`, import.meta.url)) }).toEqual({ path, there: true });
    }
  });
});
