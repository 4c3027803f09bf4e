/** The signing requests that went out. */
import type { Io } from '../../core/ports.ts';
import { listRequests as stored } from '../../store/requests.ts';
import type { KnownRequest } from '../../store/requests.ts';
import { openChosen } from './locate.ts';
import type { RepositoryChoice } from './locate.ts';

/** Lists them, the newest first. */
export async function listRequests(input: { repository: RepositoryChoice }, io: Io): Promise<readonly KnownRequest[]> {
  using repository = await openChosen(io, input.repository, { readOnly: true });
  return stored(repository);
}
