/**
 * Holds every import under `src/` to the table of rooms. To change the table, change it here and say why in the commit.
 *
 * Tests may import anything; `testing/` is theirs alone.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { importsOf } from './testing/imports.ts';
import type { ImportFound } from './testing/imports.ts';

/** Room -> rooms, packages (`@noble/*`) and runtime modules (`node:*`) that it may import; itself always. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  crypto: ['core', '@noble/*', 'node:crypto', 'node:module'],
  // @scure/base: base64 of PEM and the alphabets of key shares; qr: the code on a share's page; csv-parse: lists of vehicles.
  formats: ['core', 'crypto', 'cborg', 'yaml', 'asn1js', '@scure/base', 'qr', 'csv-parse'],
  trust: ['core', 'crypto', 'formats'],
  plan: ['core', 'formats', 'trust'],
  // @scure/base: base64 in the protocol of external signers.
  signers: ['core', 'crypto', 'formats', 'pkcs11js', '@scure/base'],
  // The database is a file of its own kind: its folder is made and looked at without the ports.
  store: ['core', 'formats', 'better-sqlite3', 'node:fs', 'node:path'],
  io: ['core', 'crypto', 'node:*', 'zstd-napi'],
  // shamir-secret-sharing: audited, and takes its randomness itself.
  ops: ['core', 'crypto', 'formats', 'trust', 'plan', 'signers', 'store', 'shamir-secret-sharing'],
  render: ['core', 'formats'],
  tui: ['core', 'plan', 'render', 'ops', 'ink', 'react'],
  commands: ['core', 'ops', 'render', 'tui', 'commander'],
  'main.ts': ['core', 'crypto', 'formats', 'trust', 'signers', 'store', 'io', 'ops', 'render', 'tui', 'commands'],
  testing: ['*'],
};

/** Heavy: loaded only by the code that needs them, never at a command's start. */
const LAZY_ONLY: Readonly<Record<string, readonly string[]>> = {
  commands: ['tui'],
  signers: ['pkcs11js'],
  io: ['zstd-napi'],
};

/** Commands that need no repository; what they load at start must reach neither the database nor a token. */
const WITHOUT_REPOSITORY = [
  'verify-bundle',
  'inspect',
  'decrypt',
  'unpack',
  'request-sign',
  'verify-blob',
  'verify-repository',
  'verify-kit',
  'delivery-create',
];

const SRC = dirname(fileURLToPath(import.meta.url));
const SOURCE = /\.tsx?$/;
const TEST = /\.test\.tsx?$/;

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => SOURCE.test(file))
  .sort();
const shipped = files.filter((file) => !TEST.test(file) && roomOf(file) !== 'testing');
const imports = new Map(files.map((file) => [file, importsOf(readFileSync(join(SRC, file), 'utf8'))]));

describe('the rooms of the architecture', () => {
  test('there is no room and no file at the root but those of the table', () => {
    expect([...new Set(shipped.map(roomOf))].filter((room) => MAY_IMPORT[room] === undefined)).toEqual([]);
  });

  test('each import is one that the table allows', () => {
    expect(shipped.flatMap((file) => violations(file))).toEqual([]);
  });

  test('each relative import names a file with its extension', () => {
    const relative = shipped.flatMap((file) => found(file).map((one) => ({ file, from: one.from })));
    const broken = relative.filter(({ file, from }) => from.startsWith('.') && !files.includes(target(file, from)));
    expect(broken).toEqual([]);
  });

  test.each(WITHOUT_REPOSITORY.map((name) => `commands/${name}.ts`).filter((file) => files.includes(file)))(
    '%s loads neither SQLite nor PKCS#11',
    (file) => {
      expect([...loadedAtStart(file)].filter((name) => /^(?:better-sqlite3|pkcs11js)$/.test(name))).toEqual([]);
    },
  );

  test('the start of the program loads a handful of small files and no package', () => {
    const loaded = [...loadedAtStart('main.ts')];
    // Node has loaded `fs` by then.
    expect(loaded.filter((name) => !SOURCE.test(name))).toEqual(['node:fs']);
    expect(loaded.length).toBeLessThanOrEqual(6);
  });
});

/** What came with Node 24; the types of TypeScript and of Node know it all. */
const NOT_IN_NODE_22 =
  /\b(?:DisposableStack|AsyncDisposableStack|RegExp\.escape|Promise\.try|Error\.isError|Float16Array|URLPattern)\b/;

test('nothing is used that the oldest Node lacks', () => {
  const using = shipped.filter((file) => NOT_IN_NODE_22.test(withoutComments(readFileSync(join(SRC, file), 'utf8'))));
  expect(using).toEqual([]);
});

describe('the reader of imports', () => {
  const sample = `
    import a from 'a'; import 'b';
    import type { C } from './c.ts';
    import {
      type D,
      d,
    } from "d";
    export * from './e.ts'; export { f } from './f.ts'; export type { G } from 'g';
    const h = await import('h'); const i = import(name);
    type J = typeof import('j'); const k = require('k');
    const l = new Worker(new URL('./l.ts', import.meta.url));
    // import m from 'm'
    /* import('n') */ const text = 'http://x'; const o = process.getBuiltinModule('o');
  `;

  test('sees every kind of import and no comment', () => {
    const kinds = importsOf(sample).map(({ from, how }) => `${how} ${from}`);
    expect(kinds.sort()).toEqual(
      [
        'static a',
        'static b',
        'type ./c.ts',
        'static d',
        'static ./e.ts',
        'static ./f.ts',
        'type g',
        'lazy h',
        'lazy ?',
      ]
        .concat(['type j', 'lazy k', 'lazy ./l.ts', 'lazy o'])
        .sort(),
    );
  });
});

function found(file: string): readonly ImportFound[] {
  return imports.get(file) ?? [];
}

function withoutComments(source: string): string {
  return source.replaceAll(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, '');
}

function roomOf(file: string): string {
  return file.split('/')[0] ?? file;
}

function target(file: string, from: string): string {
  return normalize(join(dirname(file), from)).replace(/\.js$/, '.ts');
}

function violations(file: string): readonly string[] {
  const room = roomOf(file);
  return found(file)
    .filter((one) => !allowed(file, one))
    .map(({ from, how }) => `${file}: ${room} may not import ${from} (${how})`);
}

function allowed(file: string, { from, how }: ImportFound): boolean {
  const room = roomOf(file);
  const imported = from.startsWith('.') ? roomOf(target(file, from)) : packageOf(from);
  if (imported === room) return true;
  if (how === 'static' && LAZY_ONLY[room]?.includes(imported) === true) return false;
  return (MAY_IMPORT[room] ?? []).some((may) => may === imported || matches(may, from));
}

function packageOf(from: string): string {
  if (from.startsWith('node:')) return from;
  return from
    .split('/')
    .slice(0, from.startsWith('@') ? 2 : 1)
    .join('/');
}

function matches(may: string, from: string): boolean {
  return may.endsWith('*') && from.startsWith(may.slice(0, -1));
}

/** What running `file` loads without a dynamic import: files of ours and names of packages. */
function loadedAtStart(file: string, seen: Set<string> = new Set()): ReadonlySet<string> {
  seen.add(file);
  for (const { from, how } of found(file)) {
    if (how !== 'static') continue;
    const next = from.startsWith('.') ? target(file, from) : packageOf(from);
    if (!seen.has(next)) loadedAtStart(next, seen);
  }
  return seen;
}
