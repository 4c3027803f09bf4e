/** Signs roles: the next version of what has changed, and the signatures that the signers at hand can add. */
import { SecureevError } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import { maySign } from '../../plan/quorum.ts';
import { signingOrder } from '../../plan/next-version.ts';
import { openSigners as openAll } from '../../signers/index.ts';
import type { PassphraseChoice, SignerKey } from '../../signers/signer.ts';
import { isBinsPrefix } from '../../store/delegations.ts';
import type { Reader, Tx } from '../../store/reader.ts';
import type { Repository } from '../../store/repository.ts';
import type { RoleAddress } from '../../store/roles.ts';
import { advanceBins } from './advance-bins.ts';
import { advanceRole, anyMaySign } from './advance-role.ts';
import type { RoleOutcome, Signing } from './advance-role.ts';
import { sectionOf } from './collect-signatures.ts';
import { authoritiesFor, authorityOf, previousDefinitions } from './definitions.ts';
import { refuseIfHeld } from './hold.ts';
import { openChosen } from './locate.ts';
import { isRehearsal } from './rehearsal.ts';
import type { RepositoryChoice } from './locate.ts';
import { revokedSignersOf } from './revoked-keys.ts';
import { delegationDepth, roleText, signedRole } from './role-address.ts';
import { signedRoles } from './signed-roles.ts';

/** Which roles to sign with which signers. */
export interface SignInput {
  readonly repository: RepositoryChoice;
  readonly roles: readonly string[];
  /** Signer URIs. */
  readonly signers: readonly string[];
  readonly passphrases: PassphraseChoice;
  readonly dryRun?: boolean | undefined;
}

/** What became of each role. */
export interface SignAnswer {
  readonly outcomes: readonly RoleOutcome[];
  /** Roles that revoked keys signed. */
  readonly warnings: readonly string[];
  /** Whether nothing is missing any more. */
  readonly complete: boolean;
}

/**
 * Signs; without roles all that have changed and that a key at hand may sign.
 *
 * @throws REPOSITORY_HELD, KEY_NOT_OF_ROLE, ROLE_UNKNOWN, and what signers throw
 */
export async function signRoles(input: SignInput, io: Io): Promise<SignAnswer> {
  const roles = input.roles.map(signedRole);
  using repository = await openChosen(io, input.repository);
  refuseIfHeld(repository);
  using signers = await openSigners(repository, input);
  return await signWithKeys(repository, { roles, keys: signers.keys, dryRun: input.dryRun });
}

/** Signs with keys that are open, in one transaction. @throws REPOSITORY_HELD, KEY_NOT_OF_ROLE, SIGNATURE_INVALID */
export async function signWithKeys(
  repository: Repository,
  request: { roles: readonly RoleAddress[]; keys: readonly SignerKey[]; dryRun?: boolean | undefined },
): Promise<SignAnswer> {
  const { keys, dryRun } = request;
  const signing: Signing = { identity: repository.identity, keys, purpose: 'sign', pretend: dryRun === true };
  return await repository.transactAsync({ command: 'sign', summary: '', dryRun }, async (tx) => {
    refuseIfHeld(tx);
    const all = request.roles.length === 0;
    const roles = signingOrder(distinct(all ? signedRoles(tx) : request.roles), (name) => delegationDepth(tx, name));
    const outcomes: RoleOutcome[] = [];
    for (const address of roles) {
      if (all && !anyMaySign(authoritiesFor(tx, address, 'next'), keys)) continue;
      const outcome = await advance(tx, address, signing);
      if (!all || outcome.state !== 'unchanged') outcomes.push(outcome);
    }
    if (!outcomes.some(({ state }) => state === 'blocked')) refuseStrangers(tx, roles, keys);
    tx.summarize(summaryOf(outcomes));
    const warnings = revokedSignersOf(tx, outcomes);
    return {
      outcomes,
      warnings,
      complete: outcomes.every(({ state }) => state === 'complete' || state === 'unchanged'),
    };
  });
}

/** Takes a role one step further, or all bins of a prefix. @throws as {@link advanceRole} */
export async function advance(tx: Tx, address: RoleAddress, signing: Signing): Promise<RoleOutcome> {
  const isBins = address.repository === 'image' && isBinsPrefix(tx, address.name);
  return isBins ? await advanceBins(tx, address.name, signing) : await advanceRole(tx, address, signing);
}

/** Opens every signer before anything is locked: they may ask for passphrases. */
export async function openSigners(
  repository: Reader,
  input: { signers: readonly string[]; passphrases: PassphraseChoice },
): Promise<Disposable & { readonly keys: readonly SignerKey[] }> {
  const { io } = repository;
  const rehearsal = isRehearsal(repository);
  const open = await openAll(input.signers, { io, passphrases: input.passphrases, rehearsal });
  const keys = open.signers.flatMap((signer) => signer.keys);
  return { keys, [Symbol.dispose]: () => open[Symbol.dispose]() };
}

/** One line for the audit log. */
export function summaryOf(outcomes: readonly RoleOutcome[]): string {
  const words = outcomes
    .filter(({ made, added }) => made || added.length > 0)
    .map(({ role, version, state, added, bins }) => {
      const what = bins === undefined ? String(version ?? '') : `${bins.signed} of ${bins.total} bins`;
      return `${role} ${what}: ${state}, ${added.length} signatures added`;
    });
  return words.length === 0 ? 'nothing signed' : words.join('; ');
}

/** A key that belongs to none of the roles asked for was given by mistake. */
function refuseStrangers(reader: Reader, roles: readonly RoleAddress[], keys: readonly SignerKey[]): void {
  const authorities = roles.flatMap((role) => {
    const before = previousDefinitions(reader, role.repository).get(role.name);
    const previous = before === undefined ? [] : [authorityOf('the root before', before)];
    return [...authoritiesFor(reader, role, 'frozen'), ...authoritiesFor(reader, role, 'next'), ...previous];
  });
  const classical = keys.map(({ publicKey }) => sectionOf(publicKey)).filter(({ section }) => section === 'classical');
  const stranger = classical.find((by) => !maySign(authorities, by));
  if (stranger === undefined) return;
  throw new SecureevError('KEY_NOT_OF_ROLE', {
    message: `key ${stranger.keyId} belongs to none of: ${roles.map(roleText).join(', ')}`,
    hint: '`secureev role list` shows which keys do',
    details: { keyId: stranger.keyId },
  });
}

function distinct(roles: readonly RoleAddress[]): readonly RoleAddress[] {
  const seen = new Map(roles.map((role) => [roleText(role), role]));
  return [...seen.values()];
}
