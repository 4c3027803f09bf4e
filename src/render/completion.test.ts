import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { completionScript } from './completion.ts';

const COMMANDS = [
  { path: 'package', summary: "builds a release's bundles", flags: ['--out', '--json', '--help'], valued: ['--out'] },
  { path: 'vehicle add', summary: 'adds a vehicle', flags: ['--model'], valued: ['--model'] },
  { path: 'vehicle key set', summary: 'sets a key', flags: ['--json'], valued: [] },
];

/** What bash offers for a command line; the last word is being typed. */
function offered(...line: readonly string[]): readonly string[] {
  const words = ['secureev', ...line].map((word) => `'${word}'`).join(' ');
  const script = `${completionScript('bash', COMMANDS)}
COMP_WORDS=(${words}); COMP_CWORD=${line.length}; _secureev; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['-c', script], { encoding: 'utf8', cwd: '/proc/self/fdinfo' })
    .split('\n')
    .filter((word) => word !== '');
}

describe('bash completes', () => {
  test.each([
    [[''], ['package', 'vehicle']],
    [['pa'], ['package']],
    [
      ['vehicle', ''],
      ['add', 'key'],
    ],
    [['vehicle', 'key', ''], ['set']],
    [
      ['package', '--'],
      ['--out', '--json', '--help'],
    ],
    [['package', '--out', 'vehicle', '--js'], ['--json']],
    [['vehicle', 'add', '--model', 'X', '--m'], ['--model']],
    [['package', '--out', '/proc/versio'], ['/proc/version']],
  ])('%j to %j', (line, expected) => {
    expect(offered(...line)).toEqual(expected);
  });
});

test('zsh and fish get every command, flag and summary', () => {
  for (const shell of ['zsh', 'fish'] as const) {
    const script = completionScript(shell, COMMANDS);
    for (const word of ['package', 'vehicle', 'key', 'set', 'model', 'json']) expect(script).toContain(word);
  }
  expect(completionScript('fish', COMMANDS)).toContain("-d 'builds a releases bundles'");
});
