/** Who answers in a ceremony: the screen, or a file of answers. */
import type { Command } from 'commander';
import { SecureevError } from '../core/errors.ts';
import type { CeremonyAsker } from '../ops/keys/ceremony/asker.ts';
import { printingAsker, scriptedAsker } from '../ops/keys/ceremony/scripted.ts';
import type { Call } from './command.ts';
import { text } from './flags.ts';

/** Declares where answers come from. */
export function answersFlag(command: Command): Command {
  return command
    .option(
      '--print-to <folder>',
      'write shares there as pages to print, instead of showing them: a RAM disk, or a printer',
    )
    .option('--answers <file>', 'what the people would say, as YAML: for rehearsals without a terminal');
}

/** Runs `work` with whoever answers. @throws NO_TERMINAL naming `--answers`, CEREMONY_ANSWERS_MALFORMED */
export async function withAsker<T>(call: Call, work: (asker: CeremonyAsker) => Promise<T>): Promise<T> {
  const answers = text(call, 'answers');
  if (answers !== undefined) return await work(await scriptedAsker(answers, call.io));
  if (!call.io.terminal.interactive) {
    throw new SecureevError('NO_TERMINAL', {
      message: 'a ceremony is held by people at a terminal',
      hint: 'rehearse it without one: --rehearsal --answers FILE',
    });
  }
  const { ceremonyScreen } = await import('../tui/ceremony-screen.tsx');
  using screen = await ceremonyScreen({ signal: call.io.signal });
  const folder = text(call, 'printTo');
  return await work(folder === undefined ? screen.asker : printingAsker(screen.asker, folder, call.io));
}

/** Passphrases in a file are for rehearsals. */
export function answersAreForRehearsals(): SecureevError {
  return new SecureevError('CEREMONY_REHEARSAL', {
    message: '--answers holds passphrases, so it is for rehearsals only',
    hint: 'add --rehearsal, or hold the ceremony at a terminal',
  });
}
