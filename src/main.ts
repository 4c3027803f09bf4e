/**
 * The program: from a command line to one exit status.
 *
 * Invariants: only what the command line asks for is loaded; standard output gets the result and nothing else, with
 * `--json` exactly one document whatever happens; no temporary file outlives the process.
 */
import type { CommandEntry, Outcome } from './commands/command.ts';
import { COMMANDS } from './commands/index.ts';
import type { Request } from './commands/words.ts';
import type { SecureevError } from './core/errors.ts';
import type { Io } from './core/ports.ts';
import { nodeMachine, writeTo } from './io/machine.ts';
import type { Machine } from './io/machine.ts';

/** What is written at the end, and the exit status. */
interface Answer {
  readonly status: number;
  readonly stdout?: string;
  readonly stderr?: string;
}

/** A command line and what is known about it at once. */
interface Invocation {
  readonly commands: readonly CommandEntry[];
  readonly argv: readonly string[];
  readonly machine: Machine;
  readonly json: boolean;
}

/** Told which command is about to be loaded, and whether it will run: see `bin/load.js`. */
type KeepFor = (command: string, runs: boolean) => void;

/** Runs the process's command line and ends the process with its exit status. */
export async function start(argv: readonly string[], keepFor: KeepFor): Promise<void> {
  // Should a promise never settle, Node would end with 0 as if all were done.
  process.exitCode = 1;
  keepCompiled(argv, keepFor);
  const machine = nodeMachine();
  const status = await main(argv, machine);
  await machine.drained();
  // All is written: nothing that is left over holds the process up.
  machine.exit(status);
}

/** A ceremony runs only what the digest in its transcript covers: nothing that an earlier run kept. */
function keepCompiled(argv: readonly string[], keepFor: KeepFor): void {
  const line = `${argv.join(' ')} `;
  const entry = COMMANDS.find(({ path }) => line.startsWith(`${path} `));
  if (entry === undefined || entry.path.startsWith('ceremony ')) return;
  keepFor(entry.path.replaceAll(' ', '-'), !argv.includes('--help') && !argv.includes('-h'));
}

/** Runs the command line `argv` (without node and script) on `machine`; resolves with the exit status, never rejects. */
export async function main(
  argv: readonly string[],
  machine: Machine,
  commands: readonly CommandEntry[] = COMMANDS,
): Promise<number> {
  const invocation = { commands, argv, machine, json: wantsJson(argv) };
  const answer = await answerTo(invocation);
  const failed = answer.stdout === undefined ? undefined : await machine.print(`${answer.stdout}\n`);
  if (answer.stderr !== undefined) await writeTo(machine.stderr, `${answer.stderr}\n`);
  // A reader that has gone (`| head`) is no failure of the work that was done.
  const fine = failed === undefined || ('code' in failed && failed.code === 'EPIPE');
  return fine ? answer.status : outputFailed(machine, failed, answer.status);
}

async function answerTo(invocation: Invocation): Promise<Answer> {
  const { argv, commands, json } = invocation;
  if (argv[0] === '--version' || argv[0] === '-V') return versionAnswer(json);
  const { commandWords, parseRequest } = await import('./commands/words.ts');
  try {
    const request = parseRequest(argv, commands);
    return request.kind === 'help'
      ? await overviewAnswer(invocation, request.words)
      : await runCommand(invocation, request);
  } catch (thrown) {
    const words = commandWords(argv, commands);
    const entry = commands.find(({ path }) => path === words);
    return failureAnswer({ thrown, json, words, entry });
  }
}

/** `--json` counts wherever it stands, so that a mistake elsewhere is told as JSON too. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end < 0 ? argv : argv.slice(0, end)).includes('--json');
}

async function versionAnswer(json: boolean): Promise<Answer> {
  const { packageVersion } = await import('./io/program.ts');
  return infoAnswer({ words: '', json, result: { version: packageVersion() }, text: packageVersion() });
}

async function overviewAnswer({ commands, json }: Invocation, words: string): Promise<Answer> {
  const { overview } = await import('./commands/overview.ts');
  const text = overview(words, commands);
  return infoAnswer({ words, json, result: { help: text }, text });
}

interface Info {
  words: string;
  json: boolean;
  result: Readonly<Record<string, unknown>>;
  text: string;
}

async function infoAnswer({ words, json, result, text }: Info): Promise<Answer> {
  if (!json) return { status: 0, stdout: text };
  const { successDocument } = await import('./render/failure.ts');
  return { status: 0, stdout: successDocument(words, result) };
}

async function runCommand(invocation: Invocation, request: Extract<Request, { kind: 'command' }>): Promise<Answer> {
  const { machine, json } = invocation;
  const { entry } = request;
  const [{ parseFlags }, module] = await Promise.all([import('./commands/parse-flags.ts'), entry.load()]);
  const parsed = parseFlags(entry, module, request.argv);
  if ('help' in parsed)
    return infoAnswer({ words: entry.path, json, result: { help: parsed.help }, text: parsed.help });
  const quiet = parsed.options['quiet'] === true;
  const outcome = await duringRun(machine, quiet, (io) => module.run({ io, ...parsed }));
  if (parsed.options['dryRun'] !== true) return outcomeAnswer(entry, outcome, json);
  const { asDryRun } = await import('./commands/dry-run.ts');
  return outcomeAnswer(entry, asDryRun(outcome), json);
}

/** Gives `work` the machine for as long as it lasts; the first Ctrl-C asks it to stop, the second does not ask. */
async function duringRun<T>(machine: Machine, quiet: boolean, work: (io: Io) => Promise<T>): Promise<T> {
  const { createIo } = await import('./io/index.ts');
  const { startProgress } = await import('./tui/progress.ts');
  const { temporaryFiles } = await import('./io/temporary-files.ts');
  const { failure } = await import('./core/errors.ts');
  const temporary = temporaryFiles();
  const controller = new AbortController();
  const stopListening = machine.onInterrupt(() => {
    if (!controller.signal.aborted) return controller.abort(failure('INTERRUPTED', 'interrupted'));
    temporary.removeAll();
    machine.exit(130);
  });
  try {
    using progress = startProgress({ stderr: () => machine.stderr, quiet, env: machine.env });
    return await work(createIo(machine, { signal: controller.signal, temporary, progress }));
  } catch (thrown) {
    // What fails after Ctrl-C fails because of it; what knows of it says more.
    const { isFailure } = await import('./core/errors.ts');
    throw controller.signal.aborted && !isFailure(thrown, 'INTERRUPTED') ? controller.signal.reason : thrown;
  } finally {
    temporary.removeAll();
    stopListening();
  }
}

async function outcomeAnswer(entry: CommandEntry, outcome: Outcome, json: boolean): Promise<Answer> {
  const { result, text, failure } = outcome;
  const render = await import('./render/failure.ts');
  const status = outcome.status ?? (failure === undefined ? 0 : await statusOf(failure, entry));
  if (failure !== undefined && json) return { status, stdout: render.failureDocument(entry.path, failure, result) };
  if (json) return { status, stdout: render.successDocument(entry.path, result) };
  const { printable } = await import('./render/text.ts');
  const shown = text === '' ? {} : { stdout: printable(text) };
  return failure === undefined ? { status, ...shown } : { status, ...shown, stderr: render.failureText(failure) };
}

interface Failed {
  thrown: unknown;
  json: boolean;
  words: string;
  entry: CommandEntry | undefined;
}

async function failureAnswer({ thrown, json, words, entry }: Failed): Promise<Answer> {
  const { bugFailure, failureDocument, failureText } = await import('./render/failure.ts');
  const { isFailure } = await import('./core/errors.ts');
  const error = isFailure(thrown) ? thrown : bugFailure(thrown);
  const status = await statusOf(error, entry);
  return json ? { status, stdout: failureDocument(words, error) } : { status, stderr: failureText(error) };
}

async function statusOf(error: SecureevError, entry: CommandEntry | undefined): Promise<number> {
  const { EXIT } = await import('./core/errors.ts');
  const refuses = entry?.refusesMalformed === true && error.exitStatus === EXIT.malformed;
  return refuses ? EXIT.refused : error.exitStatus;
}

/** Standard output could not be written: the disk that it goes to is full, for instance. The work is over by then. */
async function outputFailed(machine: Machine, thrown: Error, ended: number): Promise<number> {
  const { fileFailure } = await import('./io/system-errors.ts');
  const { isFailure, SecureevError } = await import('./core/errors.ts');
  const known = fileFailure(thrown, 'write', 'standard output');
  const hint = `the command itself had ended before, with exit status ${ended}: what it did stays done, only its output is lost`;
  const words = isFailure(known)
    ? new SecureevError(known.code, { message: known.message, hint, details: known.details, cause: thrown })
    : known;
  const { status, stderr } = await failureAnswer({ thrown: words, json: false, words: '', entry: undefined });
  await writeTo(machine.stderr, `${stderr ?? ''}\n`);
  return status;
}
