/**
 * Flags: the sets that several commands share, and typed readers for what commander parsed.
 *
 * Invariant: a flag's text becomes a number, a time or a duration here and nowhere below.
 */
import { Option } from 'commander';
import type { Command } from 'commander';
import { instantOf, parseInstant } from '../core/brands.ts';
import type { Instant } from '../core/brands.ts';
import { SecureevError, failure } from '../core/errors.ts';
import type { Call } from './command.ts';

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;
const DURATION = /^(\d{1,9})([smhd])$/;
const INTEGER = /^\d{1,16}$/;

/** A flag that may be given several times, one value each: `--key A --key B`. */
export function repeatable(flags: string, description: string): Option {
  return new Option(flags, `${description} (repeatable)`).argParser((value: string, previous: unknown) =>
    Array.isArray(previous) ? [...previous, value] : [value],
  );
}

/** Declares `--key SIGNER`, repeatable. */
export function keyFlags(command: Command): Command {
  return command.addOption(repeatable('--key <signer>', 'a signer: NAME.key, or a URI such as file:NAME.key'));
}

/** Declares `--root FILE`; read it with {@link pinnedRoot}. */
export function rootFlag(command: Command): Command {
  return command.option('--root <file>', 'the pinned root of trust (default: SECUREEV_ROOT)');
}

/** Declares `--dry-run`. */
export function dryRunFlag(command: Command): Command {
  return command.option('--dry-run', 'do everything but change nothing');
}

/** Declares `--at TIME`; read it with {@link fixedNow}. */
export function atFlag(command: Command): Command {
  return command.option('--at <time>', 'take this as now, as YYYY-MM-DDTHH:MM:SSZ');
}

/** Declares `--allow-skip ID`, repeatable. */
export function allowSkipFlag(command: Command): Command {
  return command.addOption(repeatable('--allow-skip <id>', 'do not fail when this check is skipped'));
}

/** Adds an example of use to a command's help; begins with `secureev`. */
export function example(command: Command, ...lines: readonly string[]): Command {
  return command.addHelpText('after', `\nExample:\n${lines.map((line) => `  $ ${line}`).join('\n')}`);
}

/** The text of flag `name` (camel case). */
export function text(call: Call, name: string): string | undefined {
  const value = call.options[name];
  return typeof value === 'string' ? value : undefined;
}

/** The text of flag `name`. @throws USAGE where it was not given */
export function requiredText(call: Call, name: string): string {
  const value = text(call, name);
  if (value === undefined || value === '')
    throw failure('USAGE', `${spelled(name)} is missing`, { flag: spelled(name) });
  return value;
}

/** Every value of a repeatable flag, in order; empty where it was not given. */
export function texts(call: Call, name: string): readonly string[] {
  const value = call.options[name];
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** Whether the flag without a value was given. */
export function flag(call: Call, name: string): boolean {
  return call.options[name] === true;
}

/** The integer of flag `name`, from `min` (0) to `max` (2^53 - 1). @throws USAGE */
export function integer(call: Call, name: string, range: { min?: number; max?: number } = {}): number | undefined {
  const value = text(call, name);
  if (value === undefined) return undefined;
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = range;
  const number = INTEGER.test(value) ? Number(value) : Number.NaN;
  if (!(number >= min && number <= max)) {
    throw failure('USAGE', `${spelled(name)} is not an integer from ${min} to ${max}`, {
      flag: spelled(name),
      found: value,
    });
  }
  return number;
}

/** The seconds of a duration such as `30s`, `15m`, `12h`, `365d`. @throws USAGE */
export function durationSeconds(call: Call, name: string): number | undefined {
  const value = text(call, name);
  return value === undefined ? undefined : parseDuration(value, spelled(name));
}

/** The time of flag `name`. @throws USAGE */
export function instant(call: Call, name: string): Instant | undefined {
  const value = text(call, name);
  if (value === undefined) return undefined;
  try {
    return parseInstant(value, spelled(name));
  } catch (cause) {
    throw usage(`${spelled(name)} is not a time of the form YYYY-MM-DDTHH:MM:SSZ`, cause);
  }
}

/** "Now" for `verify` and `status`: `--at`, else the clock. @throws USAGE */
export function fixedNow(call: Call): Instant {
  return instant(call, 'at') ?? instantOf(call.io.clock.now());
}

/** Positional argument number `index`, which `configure` declared as required under the name `what`. @throws USAGE */
export function argument(call: Call, index: number, what: string): string {
  const value = call.args[index];
  if (value === undefined || value === '') throw failure('USAGE', `argument ${what} is missing`);
  return value;
}

/** Where the repository is sought and how long another process is waited for. @throws USAGE */
export function repositoryChoice(call: Call): { folder: string | undefined; lockTimeoutMs: number } {
  return { folder: text(call, 'repo'), lockTimeoutMs: 1000 * (durationSeconds(call, 'lockTimeout') ?? 30) };
}

/** Where passphrases come from: a file, or an open file descriptor. @throws USAGE where both are given */
export function passphraseChoice(call: Call): { file?: string; fd?: number } {
  const file = text(call, 'passphraseFile');
  const fd = integer(call, 'passphraseFd', { max: 1023 });
  if (file !== undefined && fd !== undefined) {
    throw failure('USAGE', '--passphrase-file and --passphrase-fd exclude each other');
  }
  return { ...(file === undefined ? {} : { file }), ...(fd === undefined ? {} : { fd }) };
}

/** The path of the pinned root: `--root`, else `SECUREEV_ROOT`. @throws USAGE */
export function pinnedRoot(call: Call): string {
  const path = text(call, 'root') ?? call.io.environment.get('SECUREEV_ROOT');
  if (path === '-') {
    throw new SecureevError('USAGE', {
      message: 'the pinned root is not read from standard input',
      hint: 'name the file: what a pipe brings may come from where the rest does',
    });
  }
  if (path !== undefined && path !== '') return path;
  throw new SecureevError('USAGE', {
    message: 'no root of trust is given',
    hint: 'name the pinned root with --root ROOT.json or SECUREEV_ROOT; it must not come from what is verified',
  });
}

/**
 * Asks a yes-or-no question of one line, below what it is about, unless `--yes` answered it.
 *
 * @throws NO_TERMINAL naming `--yes`, USAGE where the answer is not yes
 */
export async function confirm(call: Call, question: string, shown = ''): Promise<void> {
  if (flag(call, 'yes')) return;
  if (!call.io.terminal.interactive) {
    throw new SecureevError('NO_TERMINAL', {
      message: `nobody is here to answer: ${question}`,
      hint: 'answer it with --yes',
    });
  }
  const answer = await call.io.terminal.ask(`${shown === '' ? '' : `${shown}\n`}${question} [y/N] `);
  if (!/^y(es)?$/i.test(answer.trim())) throw failure('USAGE', 'not confirmed, nothing was changed');
}

function parseDuration(value: string, spelling: string): number {
  const match = DURATION.exec(value);
  const unit = match?.[2] as keyof typeof SECONDS | undefined;
  if (match === null || unit === undefined) {
    throw failure('USAGE', `${spelling} is not a duration such as 30s, 15m, 12h or 365d`, { found: value });
  }
  return Number(match[1]) * SECONDS[unit];
}

function spelled(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function usage(message: string, cause: unknown): SecureevError {
  return new SecureevError('USAGE', { message, cause });
}
