/** Drops what is staged for roles, and cancels versions that wait for signatures. */
import { SecureevError } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import { changedBins } from '../../store/bins.ts';
import { isBinsPrefix } from '../../store/delegations.ts';
import type { Tx } from '../../store/reader.ts';
import { countStaged, dropStaged, findRole } from '../../store/roles.ts';
import type { StoredRole } from '../../store/roles.ts';
import { wasRequested } from '../../store/requests.ts';
import { cancelVersion, signaturesOn } from '../../store/versions.ts';
import { openChosen } from './locate.ts';
import type { RepositoryChoice } from './locate.ts';
import { requireKnown, roleText, signedRole } from './role-address.ts';

/** Which roles to clear. */
export interface DiscardInput {
  readonly repository: RepositoryChoice;
  readonly roles: readonly string[];
  readonly dryRun?: boolean | undefined;
}

/** What was dropped of one role. */
export interface Discarded {
  readonly role: string;
  /** Staged changes, those of the cancelled version included. */
  readonly items: number;
  readonly cancelled: number | null;
}

/** Discards. @throws ROOT_VERSION_SIGNED, ROLE_UNKNOWN */
export async function discardRoles(input: DiscardInput, io: Io): Promise<readonly Discarded[]> {
  const roles = input.roles.map(signedRole);
  using repository = await openChosen(io, input.repository);
  const change = { command: 'discard', summary: '', dryRun: input.dryRun };
  return repository.transact(change, (tx) => {
    const discarded = roles.map((address) => {
      requireKnown(tx, address);
      if (address.repository === 'image' && isBinsPrefix(tx, address.name)) return discardBins(tx, address.name);
      const role = findRole(tx, address);
      return role === undefined ? { role: roleText(address), items: 0, cancelled: null } : discard(tx, role);
    });
    const words = discarded.map(
      ({ role, items, cancelled }) => `${role}: ${items} changes, version ${cancelled ?? '-'}`,
    );
    tx.summarize(`discarded ${words.join('; ')}`);
    return discarded;
  });
}

/** All bins of a prefix; `cancelled` is not told for so many. */
function discardBins(tx: Tx, namePrefix: string): Discarded {
  const bins = changedBins(tx, namePrefix).flatMap((name) => findRole(tx, { repository: 'image', name }) ?? []);
  const items = bins.map((bin) => discard(tx, bin).items);
  return { role: namePrefix, items: items.reduce((sum, count) => sum + count, 0), cancelled: null };
}

function discard(tx: Tx, role: StoredRole): Discarded {
  const cancelled = role.frozenVersion;
  const signed =
    cancelled !== null && (signaturesOn(tx, role, cancelled).length > 0 || wasRequested(tx, role.id, cancelled));
  if (signed) refuseGap(role);
  const frozen = countStaged(tx, role, true);
  const items = dropStaged(tx, role) + frozen;
  cancelVersion(tx, role, !signed);
  tx.about(`role:${roleText(role)}`);
  return { role: roleText(role), items, cancelled };
}

/** T3: clients walk from root N to N + 1, and a number that was signed is not used again. */
function refuseGap(role: StoredRole): void {
  if (role.name !== 'root' || role.completeVersion === null) return;
  throw new SecureevError('ROOT_VERSION_SIGNED', {
    message: `${roleText(role)} ${role.frozenVersion ?? ''} has signatures, or went out in a request: its number cannot be used again, and clients do not skip one`,
    hint: 'complete it, then change it back in the next version',
  });
}
