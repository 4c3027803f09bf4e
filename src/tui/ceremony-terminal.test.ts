/** A ceremony held in a real terminal (tmux), by people who read the screen and type; interrupted once with Ctrl-C. */
import { execFileSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { ceremonySession } from '../testing/ceremony-session.ts';

const BIN = fileURLToPath(new URL('../../bin/secureev.js', import.meta.url));
const SOCKET = `secureev-${process.pid}`;
const PASSPHRASE = 'correct horse battery';
const INITIALS: Readonly<Record<string, string>> = { 'Grace Hopper': 'GH', 'Alan Turing': 'AT', 'Custodian AL': 'AL' };

function tmux(...args: readonly string[]): string {
  return execFileSync('tmux', ['-L', SOCKET, ...args], { encoding: 'utf8' });
}

afterEach(() => {
  try {
    tmux('kill-server');
  } catch {
    // It ends by itself with its last program.
  }
});

/** What the people remember: pages they wrote down, and how far they are with typing them in. */
interface Memory {
  readonly pages: string[][];
  typed: number;
}

/** What a person answers to the prompt at the bottom of the screen; undefined where nothing is asked yet. */
function answerTo(screen: string, memory: Memory): string | undefined {
  const prompt =
    screen
      .trimEnd()
      .split(/\n(?=\S)/)
      .at(-1)
      ?.replaceAll(/\s+/g, ' ')
      .trim() ?? '';
  // What is typed already stands behind the colon.
  if (!prompt.endsWith(':')) return undefined;
  const name = /^(.+), your initials/.exec(prompt)?.[1];
  if (name !== undefined) return INITIALS[name];
  if (prompt.startsWith('the time in UTC')) return new Date().toISOString().slice(11, 16);
  if (/passphrase of|same passphrase/.test(prompt)) return PASSPHRASE;
  if (prompt.includes('last 8 digits')) {
    const hex = (screen.match(/(?:[0-9a-f]{4} ){7}[0-9a-f]{4}/g) ?? []).join('').replaceAll(' ', '');
    return hex.length === 64 ? hex.slice(-8) : undefined;
  }
  if (prompt.includes('write it down')) {
    memory.pages.push(screen.match(/^\d\d: .* \/ \w{4}/gm) ?? []);
    return '';
  }
  if (prompt.includes('in its envelope')) return '';
  const line = /line (\d+) of (\d+)/.exec(prompt);
  if (line === null) return undefined;
  const page = memory.pages[memory.typed] ?? [];
  if (line[1] === line[2]) memory.typed++;
  return page[Number(line[1]) - 1];
}

/** Reads and types until `until` is on the screen. */
async function attend(memory: Memory, until: RegExp): Promise<string> {
  let answered = '';
  for (const end = Date.now() + 60_000; Date.now() < end; await delay(30)) {
    const screen = tmux('capture-pane', '-p');
    if (until.test(screen)) return screen;
    if (screen === answered) continue;
    const answer = answerTo(screen, memory);
    if (answer === undefined) continue;
    answered = screen;
    if (answer !== '') tmux('send-keys', '-l', answer);
    if (answer !== '') await delay(60);
    tmux('send-keys', 'Enter');
  }
  throw new Error(`the screen never showed ${String(until)}:\n${tmux('capture-pane', '-p')}`);
}

test('a ceremony held at a terminal, left with Ctrl-C and resumed, verifies', async () => {
  await using session = await ceremonySession({ brings: false, custodians: ['AL'] });
  const memory: Memory = { pages: [], typed: 0 };
  const program = `PS1='$ ' PATH="${join(process.execPath, '..')}:$PATH" exec bash --norc -i`;
  tmux('-f', '/dev/null', 'new-session', '-d', '-x', '120', '-y', '50', '-c', session.folder, program);
  const call = (words: string): void =>
    void tmux('send-keys', `clear; node ${BIN} ${words}; echo "end of ${words.split(' ')[1]}: $?"`, 'Enter');

  call('ceremony run ceremony.yaml --out held --rehearsal');
  await attend(memory, /step 6 of 15/);
  tmux('send-keys', 'C-c');
  expect(await attend(memory, /end of run: \d+/)).toMatch(/INTERRUPTED[^]*end of run: 130/);

  call('ceremony resume held');
  expect(await attend(memory, /end of resume: \d+/)).toMatch(
    /the rehearsal is over: 15 steps done[^]*end of resume: 0/,
  );
  expect(memory.pages).toHaveLength(6);

  await session.ok('ceremony verify held --rehearsal');
  const files = await readdir(session.path('held'), { recursive: true, withFileTypes: true });
  for (const file of files.filter((entry) => entry.isFile())) {
    const text = await readFile(join(file.parentPath, file.name), 'latin1');
    for (const secret of [PASSPHRASE, ...memory.pages.flat()]) expect(text).not.toContain(secret);
  }
  // The other screen buffer keeps nothing of what was shown.
  const scrollback = tmux('capture-pane', '-p', '-S', '-');
  for (const line of memory.pages.flat()) expect(scrollback).not.toContain(line);
}, 120_000);
