/** Signs again what has under half its life left, or what is no longer signed as the root in force demands. */
import type { Io } from '../../core/ports.ts';
import { reasonsFor, signingOrder } from '../../plan/next-version.ts';
import type { PassphraseChoice, SignerKey } from '../../signers/signer.ts';
import { isBinsPrefix } from '../../store/delegations.ts';
import type { Tx } from '../../store/reader.ts';
import type { Repository } from '../../store/repository.ts';
import { countStaged, findRole } from '../../store/roles.ts';
import type { RoleAddress, StoredRole } from '../../store/roles.ts';
import { advanceBins } from './advance-bins.ts';
import { advanceRole } from './advance-role.ts';
import type { RoleOutcome, Signing } from './advance-role.ts';
import { refuseIfHeld } from './hold.ts';
import { openChosen } from './locate.ts';
import type { RepositoryChoice } from './locate.ts';
import { revokedSignersOf } from './revoked-keys.ts';
import { delegationDepth, requireKnown, roleText, signedRole } from './role-address.ts';
import { openSigners, summaryOf } from './sign.ts';
import { signedRoles } from './signed-roles.ts';
import { situationOf } from './situation.ts';

/** What to renew with which signers. */
export interface RenewInput {
  readonly repository: RepositoryChoice;
  /** All roles where this is empty. */
  readonly roles: readonly string[];
  readonly signers: readonly string[];
  readonly passphrases: PassphraseChoice;
  readonly withinSeconds?: number | undefined;
  readonly dryRun?: boolean | undefined;
}

/** What was renewed, and what is due but could not be. */
export interface RenewAnswer {
  readonly outcomes: readonly RoleOutcome[];
  /** Roles that revoked keys signed. */
  readonly warnings: readonly string[];
  readonly due: readonly string[];
}

/** Renews what is due; staged changes are left alone. @throws REPOSITORY_HELD, and what signers throw */
export async function renewRoles(input: RenewInput, io: Io): Promise<RenewAnswer> {
  const roles = input.roles.map(signedRole);
  using repository = await openChosen(io, input.repository);
  refuseIfHeld(repository);
  using signers = await openSigners(repository, input);
  const { withinSeconds, dryRun } = input;
  return await renewWithKeys(repository, { roles, keys: signers.keys, withinSeconds, dryRun });
}

/** What to renew with keys that are open. */
export interface RenewRequest {
  /** All roles where this is empty. */
  readonly roles: readonly RoleAddress[];
  readonly keys: readonly SignerKey[];
  readonly withinSeconds?: number | undefined;
  readonly dryRun?: boolean | undefined;
}

/** Renews in one transaction. @throws REPOSITORY_HELD, SIGNATURE_INVALID */
export async function renewWithKeys(repository: Repository, request: RenewRequest): Promise<RenewAnswer> {
  const { keys, withinSeconds, dryRun } = request;
  const { identity } = repository;
  const signing: Signing = { identity, keys, purpose: 'renew', withinSeconds, pretend: dryRun === true };
  return await repository.transactAsync({ command: 'renew', summary: '', dryRun }, async (tx) => {
    refuseIfHeld(tx);
    const outcomes: RoleOutcome[] = [];
    const roles = request.roles.length === 0 ? signedRoles(tx) : request.roles;
    for (const address of signingOrder(roles, (name) => delegationDepth(tx, name))) {
      const outcome = await renewRole(tx, address, signing);
      if (outcome !== undefined) outcomes.push(outcome);
    }
    tx.summarize(summaryOf(outcomes));
    const due = outcomes.filter(({ state }) => state !== 'complete').map(({ role }) => role);
    return { outcomes, warnings: revokedSignersOf(tx, outcomes), due };
  });
}

async function renewRole(tx: Tx, address: RoleAddress, signing: Signing): Promise<RoleOutcome | undefined> {
  requireKnown(tx, address);
  if (address.repository === 'image' && isBinsPrefix(tx, address.name)) {
    const bins = await advanceBins(tx, address.name, signing);
    return bins.state === 'unchanged' ? undefined : bins;
  }
  const role = findRole(tx, address);
  if (role === undefined) return undefined;
  const situation = situationOf(tx, role, { now: tx.now, withinSeconds: signing.withinSeconds });
  if (reasonsFor(situation, 'renew').length === 0) return undefined;
  // A frozen version that changes items is for `sign`: renewing must not approve it in passing.
  if (countStaged(tx, role, true) > 0) return awaitingApproval(role);
  return await advanceRole(tx, address, signing);
}

function awaitingApproval(role: StoredRole): RoleOutcome {
  const reason = `version ${role.frozenVersion ?? ''} with changes waits for signatures: \`secureev sign ${roleText(role)}\``;
  return {
    role: roleText(role),
    version: role.frozenVersion,
    state: 'blocked',
    expires: null,
    made: false,
    added: [],
    thresholds: [],
    reason,
  };
}
