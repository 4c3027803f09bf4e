import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { failure, isFailure } from '../core/errors.ts';
import type { Terminal } from '../core/ports.ts';
import { nodeTerminal } from './terminal.ts';

interface FakeTerminal {
  readonly terminal: Terminal;
  /** Raw mode switched on and off. */
  readonly raw: boolean[];
  readonly controller: AbortController;
  type(text: string): void;
  shown(): string;
}

function fakeTerminal(isTTY = true): FakeTerminal {
  const raw: boolean[] = [];
  const setRawMode = (mode: boolean): unknown => raw.push(mode);
  const stdin = Object.assign(new PassThrough(), { isTTY, setRawMode });
  const stderr = Object.assign(new PassThrough(), { isTTY });
  let shown = '';
  stderr.on('data', (chunk: Buffer) => (shown += chunk.toString()));
  const controller = new AbortController();
  const streams = { stdin, stderr } as unknown as { stdin: NodeJS.ReadStream; stderr: NodeJS.WriteStream };
  return {
    terminal: nodeTerminal(() => streams, controller.signal),
    raw,
    controller,
    type: (text) => stdin.write(text),
    shown: () => shown,
  };
}

describe('questions', () => {
  test('a secret is read without echo, and the terminal echoes again afterwards', async () => {
    const { terminal, raw, type, shown } = fakeTerminal();
    const asked = terminal.askSecret('passphrase: ');
    type('hunt');
    type('er3\u007f2\r');
    expect(await asked).toBe('hunter2');
    expect(raw).toEqual([true, false]);
    expect(shown()).toBe('passphrase: \n');
  });

  test('a question moves no cursor and sets no title, whatever file name stands in it', async () => {
    const { terminal, type, shown } = fakeTerminal();
    const asked = terminal.ask('passphrase of \u001b]0;x\u0007\u009b2J\u202e\r.key:\n');
    type('y\n');
    expect(await asked).toBe('y');
    expect(shown()).toBe('passphrase of \ufffd]0;x\ufffd\ufffd2J\ufffd\ufffd.key:\n');
  });

  test('a line is edited: erase takes a whole character, Ctrl-U all, other controls nothing', async () => {
    const { terminal, type } = fakeTerminal();
    const asked = terminal.askSecret('');
    type('wrong\u0015p\u00e4\u{1f511}\u007f\u001b\tss\n');
    expect(await asked).toBe('p\u00e4ss');
  });

  test('what was typed ahead answers the next question', async () => {
    const { terminal, type, raw } = fakeTerminal();
    const first = terminal.ask('');
    type('one\r\ntwo\n');
    expect([await first, await terminal.ask('')]).toEqual(['one', 'two']);
    expect(raw).toEqual([]);
  });

  test.each([
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
  ])('%s ends with INTERRUPTED and echo', async (_, key) => {
    const { terminal, raw, type } = fakeTerminal();
    const asked = terminal.askSecret('');
    type(key);
    await expect(asked).rejects.toSatisfy((thrown) => isFailure(thrown, 'INTERRUPTED'));
    expect(raw).toEqual([true, false]);
  });

  test('an interruption from elsewhere ends them', async () => {
    const { terminal, raw, controller } = fakeTerminal();
    const asked = terminal.askSecret('');
    controller.abort(failure('INTERRUPTED', 'interrupted'));
    await expect(asked).rejects.toSatisfy((thrown) => isFailure(thrown, 'INTERRUPTED'));
    expect(raw).toEqual([true, false]);
  });

  test('without a terminal nobody is asked', async () => {
    const { terminal, shown } = fakeTerminal(false);
    expect(terminal.interactive).toBe(false);
    await expect(terminal.askSecret('?')).rejects.toSatisfy((thrown) => isFailure(thrown, 'NO_TERMINAL'));
    expect(shown()).toBe('');
  });
});
