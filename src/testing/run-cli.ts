/** Runs the program in process, on the real file system in a temporary folder, with a fixed clock and seeded randomness. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import type { CommandEntry } from '../commands/command.ts';
import type { Io, Processes } from '../core/ports.ts';
import { writeTo } from '../io/machine.ts';
import type { Machine } from '../io/machine.ts';
import { main } from '../main.ts';
import { fixedClock, seededRandom } from './clock.ts';
import type { FixedClock } from './clock.ts';
import { scriptedTerminal } from './fake-io.ts';

/** How a session begins. */
export interface SessionSetup {
  /** Files laid out in the folder first: relative path -> content. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** All the environment there is. */
  readonly env?: Readonly<Record<string, string>>;
  /** `YYYY-MM-DDTHH:MM:SSZ`; `TEST_NOW` by default. */
  readonly now?: string;
  readonly seed?: number | string;
}

/** What one call has beside the session. */
export interface CallSetup {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string | Uint8Array;
  /** What a person at the terminal answers; without it there is no terminal. */
  readonly answers?: readonly string[];
  readonly processes?: Processes;
  /** Changes the Io at last: fault injection (`(io) => failing(io, 3).io`), a spy. */
  readonly adapt?: (io: Io) => Io;
  /** Other parts of the machine: streams, signals. */
  readonly machine?: Partial<Machine>;
  /** Other commands than the program's own. */
  readonly commands?: readonly CommandEntry[];
}

/** What a call answered. */
export interface CliResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The document that `--json` wrote. */
export interface JsonDocument {
  readonly ok: boolean;
  readonly command: string;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: {
    readonly code: string;
    readonly message: string;
    readonly hint: string | null;
    readonly details: unknown;
  };
}

/** A folder in which commands are run one after the other; disposing it removes the folder. */
export interface CliSession extends AsyncDisposable {
  /** The working folder, absolute. */
  readonly folder: string;
  readonly clock: FixedClock;
  /** Runs a command line: words, or one text split at spaces (quotes group). */
  run(line: string | readonly string[], setup?: CallSetup): Promise<CliResult>;
  /** Runs it and throws unless the exit status is 0; gives standard output. */
  ok(line: string | readonly string[], setup?: CallSetup): Promise<string>;
  /** Runs it with `--json` and gives the document and the status. */
  json(line: string | readonly string[], setup?: CallSetup): Promise<JsonDocument & { readonly status: number }>;
  /** The absolute path of a file of the session. */
  path(relative: string): string;
  read(relative: string): Promise<Uint8Array<ArrayBuffer>>;
  write(relative: string, content: string | Uint8Array): Promise<void>;
}

/** Begins a session in a fresh temporary folder. */
export async function cliSession(setup: SessionSetup = {}): Promise<CliSession> {
  const folder = await mkdtemp(join(tmpdir(), 'secureev-test-'));
  const clock = fixedClock(setup.now);
  const random = seededRandom(setup.seed);
  const path = (relative: string): string => join(folder, relative);
  const session: CliSession = {
    folder,
    clock,
    path,
    run: (line, call = {}) => {
      const env = { ...setup.env, ...call.env };
      const adapt = (io: Io): Io => adapted({ ...io, clock, random }, call);
      return capture(words(line), { folder, env, call, adapt });
    },
    async ok(line, call) {
      const { status, stdout, stderr } = await session.run(line, call);
      if (status !== 0) throw new Error(`exit status ${status} of: ${words(line).join(' ')}\n${stdout}${stderr}`);
      return stdout;
    },
    async json(line, call) {
      const { status, stdout } = await session.run([...words(line), '--json'], call);
      return { status, ...(JSON.parse(stdout) as JsonDocument) };
    },
    read: async (relative) => new Uint8Array(await readFile(path(relative))),
    async write(relative, content) {
      await mkdir(dirname(path(relative)), { recursive: true });
      await writeFile(path(relative), content);
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
  for (const [relative, content] of Object.entries(setup.files ?? {})) await session.write(relative, content);
  return session;
}

/** Runs one command line in a fresh folder that is gone afterwards. */
export async function runCli(
  line: string | readonly string[],
  setup: SessionSetup & CallSetup = {},
): Promise<CliResult> {
  await using session = await cliSession(setup);
  return await session.run(line, setup);
}

interface Capture {
  folder: string;
  env: Readonly<Record<string, string>>;
  call: CallSetup;
  adapt: (io: Io) => Io;
}

async function capture(argv: readonly string[], { folder, env, call, adapt }: Capture): Promise<CliResult> {
  const stdout = collector();
  const stderr = collector();
  const machine: Machine = {
    env,
    workingFolder: folder,
    stdin: Readable.from([Buffer.from(call.stdin ?? '')]) as unknown as NodeJS.ReadStream,
    print: (text) => writeTo(stdout.stream, text),
    stderr: stderr.stream,
    drained: async () => undefined,
    onInterrupt: () => () => undefined,
    exit: (status) => {
      throw new Error(`the process was ended with ${status}`);
    },
    adapt,
    ...call.machine,
  };
  const status = await main(argv, machine, call.commands);
  return { status, stdout: stdout.text(), stderr: stderr.text() };
}

function adapted(io: Io, call: CallSetup): Io {
  const changed: Io = {
    ...io,
    terminal: scriptedTerminal(call.answers),
    ...(call.processes === undefined ? {} : { processes: call.processes }),
  };
  return call.adapt?.(changed) ?? changed;
}

function collector(): { stream: NodeJS.WriteStream; text(): string } {
  const parts: Buffer[] = [];
  const stream = new PassThrough();
  stream.on('data', (chunk: Buffer) => parts.push(chunk));
  return { stream: stream as unknown as NodeJS.WriteStream, text: () => Buffer.concat(parts).toString() };
}

/** Splits at spaces; `'...'` and `"..."` group. */
function words(line: string | readonly string[]): readonly string[] {
  if (typeof line !== 'string') return line;
  return Array.from(line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g), ([, a, b, c]) => a ?? b ?? c ?? '');
}
