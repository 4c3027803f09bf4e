/** `secureev restore`: a repository from a backup, that never gives out again what was published. */
import type { Command } from 'commander';
import { formatInstant } from '../core/brands.ts';
import { failure, SecureevError } from '../core/errors.ts';
import { restoreRepository } from '../ops/repository/restore/restore.ts';
import type { RestoreInput } from '../ops/repository/restore/restore.ts';
import { restoreText } from '../render/backups.ts';
import type { Call, Outcome } from './command.ts';
import { argument, dryRunFlag, example, flag, rootFlag, text } from './flags.ts';

/** Declares the flags. */
export function configure(command: Command): void {
  command
    .description(
      'make a repository from a backup\n\nWhat was published after the backup was made is taken over from the published tree, verified as a client verifies it, so that no version is ever given out twice. With --root the backup must be of that root.',
    )
    .argument('<file>', 'the backup')
    .argument('<dir>', 'the folder of the repository; new, or empty')
    .option('--published <tree>', 'the tree it was published to: a folder, or an http(s) URL')
    .option('--published-director <tree>', "the Director's tree (default: director in the folder --published)")
    .option('--allow-older-tree', 'take a tree that holds less than had been published when the backup was made')
    .option('--never-published', 'nothing of it was ever published')
    .option('--director-never-published', 'nothing of the Director was ever published');
  example(
    dryRunFlag(rootFlag(command)),
    'secureev restore oem-2026-11-21.tar oem --published https://updates.example/image --root trust/root.json',
  );
}

/** Restores. */
export async function run(call: Call): Promise<Outcome> {
  const input = inputOf(call);
  const restored = await restoreRepository(input, call.io);
  const { timestampExpires, created, ...rest } = restored;
  const result = {
    ...rest,
    created: formatInstant(created),
    timestampExpires: timestampExpires === null ? null : formatInstant(timestampExpires),
    folder: input.folder,
    dryRun: input.dryRun,
  };
  const shown = { ...restored, folder: input.folder, dryRun: input.dryRun, pinned: input.root !== undefined };
  return { result, text: restoreText(shown, call.io.clock.now()) };
}

function inputOf(call: Call): RestoreInput {
  const published = text(call, 'published');
  const never = flag(call, 'neverPublished');
  if (published !== undefined && never) throw failure('USAGE', '--published and --never-published exclude each other');
  if (published === undefined && !never) {
    throw new SecureevError('USAGE', {
      message: 'a restored repository has to know what was published',
      hint: 'name the tree with --published DIR-or-URL; if nothing ever was, say so with --never-published',
    });
  }
  return {
    backup: argument(call, 0, 'FILE'),
    folder: argument(call, 1, 'DIR').replace(/(?<=.)\/+$/, ''),
    published: published?.replace(/(?<=.)\/+$/, ''),
    director: text(call, 'publishedDirector')?.replace(/(?<=.)\/+$/, ''),
    allowOlderTree: flag(call, 'allowOlderTree'),
    directorNeverPublished: flag(call, 'directorNeverPublished'),
    root: text(call, 'root') ?? call.io.environment.get('SECUREEV_ROOT'),
    dryRun: flag(call, 'dryRun'),
  };
}
