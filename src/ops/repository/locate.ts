/** Finds the repository a command works on: the folder named, else `SECUREEV_REPO`, else the one stood in. */
import type { Io } from '../../core/ports.ts';
import { openRepository } from '../../store/repository.ts';
import type { Repository } from '../../store/repository.ts';

/** Where the repository is, and how long to wait for it. */
export interface RepositoryChoice {
  /** `--repo`. */
  readonly folder?: string | undefined;
  readonly lockTimeoutMs?: number | undefined;
}

/** The folder of the repository. */
export function repositoryFolder(io: Io, choice: RepositoryChoice): string {
  const named = choice.folder ?? io.environment.get('SECUREEV_REPO');
  return named === undefined || named === '' ? '.' : named;
}

/** Opens the repository that `choice` names. @throws REPOSITORY_NOT_FOUND, DATABASE_* */
export async function openChosen(
  io: Io,
  choice: RepositoryChoice,
  how: { readOnly?: boolean } = {},
): Promise<Repository> {
  const { lockTimeoutMs } = choice;
  return openRepository(io, repositoryFolder(io, choice), { lockTimeoutMs, readOnly: how.readOnly });
}
