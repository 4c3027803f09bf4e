/**
 * Questions to the person at the terminal, on standard error so that standard output stays clean.
 *
 * Invariant: whatever ends a question (Enter, Ctrl-C, an error), the terminal echoes again afterwards.
 */
import { SecureevError, failure } from '../core/errors.ts';
import type { Terminal } from '../core/ports.ts';

const LINE_MAX = 4096;
const ENTER = /[\r\n]/;
const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const CTRL_U = '\u0015';
const ERASE = /[\u007f\b]/;
/** In a question there may be names that somebody else chose: of files, of tokens. */
const CONTROL = /[[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]--\n]/gv;

/** The terminal's two ends. */
export interface TerminalStreams {
  readonly stdin: NodeJS.ReadStream;
  readonly stderr: NodeJS.WriteStream;
}

/** The terminal; `streams` is asked for only when something is. */
export function nodeTerminal(streams: () => TerminalStreams, signal: AbortSignal): Terminal {
  let typedAhead = '';
  const ask = async (prompt: string, secret: boolean): Promise<string> => {
    const { stdin, stderr } = streams();
    if (!isInteractive({ stdin, stderr })) throw noTerminal();
    stderr.write(prompt.replaceAll(CONTROL, '\ufffd'));
    try {
      const { line, rest } = await readLine({ stdin, secret, signal, typedAhead });
      typedAhead = rest;
      return line;
    } finally {
      if (secret) stderr.write('\n');
    }
  };
  return {
    get interactive() {
      return isInteractive(streams());
    },
    ask: (prompt) => ask(prompt, false),
    askSecret: (prompt) => ask(prompt, true),
  };
}

function isInteractive({ stdin, stderr }: TerminalStreams): boolean {
  // On a pipe `isTTY` is not false, as Node's types have it, but missing.
  const ends: readonly { readonly isTTY?: boolean }[] = [stdin, stderr];
  return ends.every(({ isTTY = false }) => isTTY);
}

function noTerminal(): SecureevError {
  return new SecureevError('NO_TERMINAL', {
    message: 'nobody is here to answer: standard input or standard error is not a terminal',
  });
}

interface LineRead {
  stdin: NodeJS.ReadStream;
  /** Raw mode: no echo, and the line is edited here. */
  secret: boolean;
  signal: AbortSignal;
  typedAhead: string;
}

async function readLine({ stdin, secret, signal, typedAhead }: LineRead): Promise<{ line: string; rest: string }> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<{ line: string; rest: string }>();
  const decoder = new TextDecoder();
  let line = '';
  const take = (text: string): void => {
    for (let i = 0; i < text.length; i++) {
      const next = typed(line, text.charAt(i));
      if (next === 'enter') return resolve({ line, rest: text.slice(i + 1).replace(/^\n/, '') });
      if (next === 'end') return reject(failure('INTERRUPTED', 'interrupted at a question'));
      line = next.line;
    }
  };
  const onData = (chunk: Uint8Array | string): void =>
    take(typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true }));
  const onEnd = (): void => reject(failure('INTERRUPTED', 'the terminal was closed at a question'));
  const onAbort = (): void => reject(signal.reason);
  const listening = { data: onData, end: onEnd, error: onEnd };
  try {
    if (secret) stdin.setRawMode(true);
    for (const [event, listener] of Object.entries(listening)) stdin.on(event, listener);
    signal.addEventListener('abort', onAbort);
    stdin.resume();
    take(typedAhead);
    return await promise;
  } finally {
    for (const [event, listener] of Object.entries(listening)) stdin.off(event, listener);
    signal.removeEventListener('abort', onAbort);
    if (secret) stdin.setRawMode(false);
    stdin.pause();
  }
}

/** What one character makes of the line so far. */
function typed(line: string, character: string): { line: string } | 'enter' | 'end' {
  if (ENTER.test(character)) return 'enter';
  if (character === CTRL_C || (character === CTRL_D && line === '')) return 'end';
  if (character === CTRL_U) return { line: '' };
  if (ERASE.test(character)) return { line: Array.from(line).slice(0, -1).join('') };
  if (character < ' ' || line.length >= LINE_MAX) return { line };
  return { line: line + character };
}
