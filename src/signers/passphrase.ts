/**
 * Where passphrases come from: `--passphrase-file`, `--passphrase-fd`, `SECUREEV_PASSPHRASE`, or a person at the
 * terminal; never an argument.
 *
 * Of a file or descriptor each line is one passphrase, in the order in which keys are opened; one line serves them all.
 */
import { fromUtf8 } from '../core/bytes.ts';
import { SecureevError, failure } from '../core/errors.ts';
import type { Io } from '../core/ports.ts';
import type { PassphraseChoice, PassphraseSource, SignerOptions, SignerSetting } from './signer.ts';

const FILE_BYTES_MAX = 16 * 1024;
const PASSPHRASE_CHARS_MAX = 1024;

/** The source that the flags and the environment say; `environment: false` where SECUREEV_PASSPHRASE must not count. */
export function passphraseSource(
  io: Io,
  choice: PassphraseChoice,
  rules: { readonly environment?: boolean } = {},
): PassphraseSource {
  const path = pathOf(choice);
  if (path !== undefined) return fromLines(io, path);
  const variable = rules.environment === false ? undefined : io.environment.get('SECUREEV_PASSPHRASE');
  if (variable !== undefined) return { next: async (what) => checked(variable, what) };
  return { next: (what) => fromTerminal(io, what) };
}

/** What the flags say, as one source; a source stays what it is. */
export function settled(options: SignerOptions): SignerSetting {
  const { io, passphrases } = options;
  return { ...options, passphrases: 'next' in passphrases ? passphrases : passphraseSource(io, passphrases) };
}

function pathOf({ file, fd }: PassphraseChoice): string | undefined {
  if (fd === undefined) return file;
  return fd === 0 ? '-' : `/dev/fd/${fd}`;
}

function fromLines(io: Io, path: string): PassphraseSource {
  let lines: readonly string[] | undefined;
  let used = 0;
  return {
    next: async (what) => {
      lines ??= await readLines(io, path);
      const line = lines.length === 1 ? lines[0] : lines[used++];
      if (line === undefined) throw failure('PASSPHRASE_MISSING', `${path} has no line for the passphrase of ${what}`);
      return checked(line, what);
    },
  };
}

async function readLines(io: Io, path: string): Promise<readonly string[]> {
  const text = fromUtf8(await io.files.read(path, FILE_BYTES_MAX), 'the passphrase file');
  return text.replace(/\r?\n$/, '').split(/\r?\n/);
}

async function fromTerminal(io: Io, what: string): Promise<string> {
  requireTerminal(io, what);
  return checked(await io.terminal.askSecret(`passphrase of ${what}: `), what);
}

const SOURCES = '--passphrase-file, --passphrase-fd or SECUREEV_PASSPHRASE';

function requireTerminal(io: Io, what: string, flags = SOURCES): void {
  if (io.terminal.interactive) return;
  throw new SecureevError('PASSPHRASE_MISSING', {
    message: `the passphrase of ${what} is needed and there is no terminal to ask at`,
    hint: `give it with ${flags}`,
  });
}

/** A new passphrase: typed twice at a terminal, else from the source. @throws PASSPHRASE_MISSING, PASSPHRASE_MISMATCH */
export async function newPassphrase(io: Io, choice: PassphraseChoice, what: string): Promise<string> {
  const variable = io.environment.get('SECUREEV_PASSPHRASE');
  if (choice.file !== undefined || choice.fd !== undefined || variable !== undefined) {
    return await passphraseSource(io, choice).next(what);
  }
  return await typedTwice(io, what);
}

/**
 * A new passphrase typed twice at the terminal; `flags` are those that would give it where there is none.
 * @throws PASSPHRASE_MISSING, PASSPHRASE_MISMATCH
 */
export async function typedTwice(io: Io, what: string, flags?: string): Promise<string> {
  requireTerminal(io, what, flags);
  const first = checked(await io.terminal.askSecret(`new passphrase of ${what}: `), what);
  const second = await io.terminal.askSecret(`again: `);
  if (first !== second) throw failure('PASSPHRASE_MISMATCH', `the two passphrases of ${what} are not the same`);
  return first;
}

function checked(passphrase: string, what: string): string {
  if (passphrase === '') throw failure('PASSPHRASE_EMPTY', `the passphrase of ${what} is empty`);
  if (passphrase.length > PASSPHRASE_CHARS_MAX) {
    throw failure('PASSPHRASE_TOO_LONG', `the passphrase of ${what} is over ${PASSPHRASE_CHARS_MAX} characters`);
  }
  return passphrase;
}
