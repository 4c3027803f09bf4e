/** Stops sign, renew and publish in an emergency, until it is lifted. */
import { SecureevError } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import type { Reader } from '../../store/reader.ts';
import { clearSetting, findSetting, writeSetting } from '../../store/settings.ts';
import { openChosen } from './locate.ts';
import type { RepositoryChoice } from './locate.ts';

/** A hold to begin (`reason`), to lift, or, with neither, to look at. */
export interface HoldInput {
  readonly repository: RepositoryChoice;
  readonly reason?: string | undefined;
  readonly lift?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
}

/** Whether the repository is on hold now, and what changed. */
export interface HoldState {
  readonly held: boolean;
  readonly reason: string | undefined;
  readonly changed: boolean;
}

/** Begins or lifts a hold. */
export async function hold(input: HoldInput, io: Io): Promise<HoldState> {
  using repository = await openChosen(io, input.repository);
  const before = findSetting(repository, 'hold');
  const after = input.lift === true ? undefined : (input.reason ?? before);
  if (after === before) return { held: before !== undefined, reason: before, changed: false };
  const summary = after === undefined ? `lifted the hold: ${before ?? ''}` : `put on hold: ${after}`;
  repository.transact({ command: 'hold', summary, dryRun: input.dryRun }, (tx) => {
    if (after === undefined) clearSetting(tx, 'hold');
    else writeSetting(tx, 'hold', after);
  });
  return { held: after !== undefined, reason: after, changed: true };
}

/** @throws REPOSITORY_HELD */
export function refuseIfHeld(reader: Reader): void {
  const reason = findSetting(reader, 'hold');
  if (reason === undefined) return;
  throw new SecureevError('REPOSITORY_HELD', {
    message: `the repository is on hold: ${reason}`,
    hint: 'lift it with `secureev hold --lift` when the reason is gone',
    details: { reason },
  });
}
