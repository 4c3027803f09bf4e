import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { runCli } from '../testing/run-cli.ts';
import { COMMAND_GROUPS } from './command.ts';
import { GLOBAL_FLAGS } from './global-flags.ts';
import { COMMANDS } from './index.ts';

const LINES_MAX = 120;

test('paths are unique, words are plain, and the list is in the order of its headings', () => {
  const paths = COMMANDS.map(({ path }) => path);
  expect(new Set(paths).size).toBe(paths.length);
  expect(paths.filter((path) => !/^[a-z][a-z0-9-]*(?: [a-z][a-z0-9-]*){0,2}$/.test(path))).toEqual([]);
  const groups = COMMANDS.map(({ group }) => COMMAND_GROUPS.indexOf(group));
  expect(groups).toEqual(groups.toSorted((a, b) => a - b));
});

test('summaries are one line in lower case without a full stop', () => {
  expect(COMMANDS.filter(({ summary }) => !/^[a-z][^\n]{4,99}[^\n.]$/.test(summary))).toEqual([]);
});

test('malformed input is a refusal in verify, and only there', () => {
  const verifying = COMMANDS.filter(({ path }) => /^(?:ceremony )?verify\b/.test(path));
  expect(COMMANDS.filter(({ refusesMalformed }) => refusesMalformed)).toEqual(verifying);
});

describe.each(COMMANDS)('$path', ({ path, load }) => {
  test('has help with an example of itself', async () => {
    const { status, stdout, stderr } = await runCli(`${path} --help`);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain(`Usage: secureev ${path} `);
    expect(stdout.split('Example:')[1]).toContain(`secureev ${path}`);
  });

  test('refuses an unknown flag as a usage error, in JSON too', async () => {
    const { status, stdout } = await runCli(`${path} --no-such-flag --json`);
    expect(status).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, command: path, error: { code: 'USAGE' } });
  });

  test('declares no global flag again and tells what each of its flags does', async () => {
    const command = new Command();
    (await load()).configure(command);
    const globals = GLOBAL_FLAGS.map(({ flags }) => flags.split(' ')[0]);
    expect(command.options.filter(({ long }) => globals.includes(long ?? ''))).toEqual([]);
    expect(command.options.filter(({ description }) => description === '')).toEqual([]);
  });

  test(`has a file of its own of at most ${LINES_MAX} lines`, () => {
    const file = new URL(`./${path.replaceAll(' ', '-')}.ts`, import.meta.url);
    expect(readFileSync(file, 'utf8').split('\n').length).toBeLessThanOrEqual(LINES_MAX);
  });
});
