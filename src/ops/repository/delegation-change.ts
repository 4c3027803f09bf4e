/** Every later change of a delegation or of bins, and their removal; staged for the delegator's next version. */
import type { Name } from '../../core/brands.ts';
import { failure } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import { changedTerms, delegationValue, reordered } from '../../plan/delegations.ts';
import type { BinsDefinition, DelegationDefinition } from '../../plan/delegations.ts';
import { changedDefinition } from '../../plan/role-definition.ts';
import type { RoleChange, RoleDefinition } from '../../plan/role-definition.ts';
import { binsItem, delegationItem } from '../../store/delegations.ts';
import type { Tx } from '../../store/reader.ts';
import { stageItem } from '../../store/roles.ts';
import { placed } from './delegation-add.ts';
import { delegationNamed, keyWarnings, stageBins, stageDelegation } from './delegation-stage.ts';
import type { Delegating } from './delegation-stage.ts';
import { lostBundlesNote } from './lost-bundles.ts';
import { openChosen } from './locate.ts';
import type { RepositoryChoice } from './locate.ts';
import { lostTargets } from './lost-targets.ts';
import type { LostTargets } from './lost-targets.ts';
import { membersGone, requireNotRevoked, restoredNotes, restoredSummary } from './revoked-keys.ts';
import { readPublicFile, shownRole } from './role-set.ts';
import type { ShownRole } from './role-set.ts';

/** A change of a delegation. */
export interface DelegationChangeInput {
  readonly repository: RepositoryChoice;
  /** A delegation, or the prefix of bins. */
  readonly name: string;
  /** Whose keys change, where several roles must agree. */
  readonly role?: string | undefined;
  /** Paths of public files. */
  readonly add: readonly string[];
  /** Key ids, or their first digits. */
  readonly remove: readonly string[];
  readonly replace: readonly { readonly old: string; readonly file: string }[];
  readonly threshold?: number | undefined;
  readonly lifetimeSeconds?: number | undefined;
  readonly addPaths: readonly string[];
  readonly removePaths: readonly string[];
  /** Undefined leaves them; empty is for any. */
  readonly hardwareIds?: readonly Name[] | undefined;
  readonly terminating?: boolean | undefined;
  readonly agreement?: number | undefined;
  /** The delegation to go before; null for the last place. */
  readonly before?: string | null | undefined;
  readonly move: boolean;
  /** Keys may come back that were revoked; they are so no more. */
  readonly allowRevoked?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
}

/** A role of the delegation before and after. */
export interface DelegationChangeAnswer {
  readonly name: string;
  readonly under: string;
  readonly roles: readonly { readonly name: string; readonly before: ShownRole; readonly after: ShownRole }[];
  readonly warnings: readonly string[];
  /** What the loss of a key means. */
  readonly notes: readonly string[];
  readonly moved: number;
  readonly elsewhere: number;
}

/** Stages the change. @throws DELEGATION_*, PATH_PATTERN, KEY_*, THRESHOLD_UNREACHABLE, HYBRID_INCOMPLETE, USAGE */
export async function changeDelegation(input: DelegationChangeInput, io: Io): Promise<DelegationChangeAnswer> {
  const change = await keyChange(input, io);
  using repository = await openChosen(io, input.repository);
  const { name, dryRun } = input;
  const meta = { command: 'delegation change', summary: `staged a change of the delegation ${name}`, dryRun };
  return repository.transact(meta, (tx) => {
    const files = [...change.add, ...change.replace.map(({ publicFile }) => publicFile)];
    const restored = requireNotRevoked(tx, files, input.allowRevoked);
    const found = delegationNamed(tx, name);
    const under = found.role.name;
    const { delegation, bins } = found;
    const roles =
      bins === undefined
        ? delegation && changeOne(tx, found, { delegation, change, input, restores: restored.length > 0 })
        : changeBins(tx, found, { bins, change, input });
    const changed = roles ?? [];
    const warnings = changed.flatMap((role) => keyWarnings(tx, role.name, role.after));
    const shown = changed.map((role) => ({
      name: role.name,
      before: shownRole(role.before),
      after: shownRole(role.after),
    }));
    if (restored.length > 0) tx.summarize(restoredSummary(name, restored));
    const losing = changed.filter(({ before, after }) => membersGone(before, after).length > 0);
    const gone = new Set(losing.map((role) => role.name));
    const notes = [...lostBundlesNote(tx, gone), ...restoredNotes(restored)];
    return { name, under, roles: shown, warnings, notes, ...placed(tx, under, input.move) };
  });
}

async function keyChange(input: DelegationChangeInput, io: Io): Promise<RoleChange> {
  const { remove, threshold, lifetimeSeconds } = input;
  const add = await Promise.all(input.add.map((path) => readPublicFile(io, path)));
  const replace = await Promise.all(
    input.replace.map(async ({ old, file }) => ({ old, publicFile: await readPublicFile(io, file) })),
  );
  return { add, remove, replace, threshold, lifetimeSeconds };
}

function changesKeys({ add, remove, replace, threshold, lifetimeSeconds }: RoleChange): boolean {
  const keys = add.length + remove.length + replace.length;
  return keys > 0 || threshold !== undefined || lifetimeSeconds !== undefined;
}

interface ChangedRole {
  readonly name: string;
  readonly before: RoleDefinition;
  readonly after: RoleDefinition;
}

function changeBins(
  tx: Tx,
  delegating: Delegating,
  { bins, change, input }: { bins: BinsDefinition; change: RoleChange; input: DelegationChangeInput },
): readonly ChangedRole[] {
  const { addPaths, removePaths, hardwareIds, terminating, agreement, before } = input;
  const terms = [hardwareIds, terminating, agreement, before].some((one) => one !== undefined);
  if (addPaths.length + removePaths.length > 0 || terms) {
    throw failure('DELEGATION_FORM', 'bins have keys, a threshold and a lifetime, and nothing else to change');
  }
  if (!changesKeys(change) && !input.move) throw failure('USAGE', 'nothing to change was given');
  const definition = changedDefinition(bins.namePrefix, bins.definition, change);
  stageBins(tx, delegating, { ...bins, definition });
  return [{ name: bins.namePrefix, before: bins.definition, after: definition }];
}

interface OneChange {
  readonly delegation: DelegationDefinition;
  readonly change: RoleChange;
  readonly input: DelegationChangeInput;
  /** A key that the role lists all along is revoked no more. */
  readonly restores: boolean;
}

function changeOne(
  tx: Tx,
  delegating: Delegating,
  { delegation, change, input, restores }: OneChange,
): readonly ChangedRole[] {
  const roleName = changesKeys(change) ? roleToChange(delegation, input.role) : undefined;
  const roles = delegation.roles.map((role) =>
    role.name === roleName ? { ...role, definition: changedDefinition(role.name, role.definition, change) } : role,
  );
  const after = changedTerms({ ...delegation, roles }, input);
  const same = JSON.stringify(delegationValue(after)) === JSON.stringify(delegationValue(delegation));
  if (same && !restores && input.before === undefined && !input.move)
    throw failure('USAGE', 'nothing to change was given');
  stageDelegation(tx, delegating, after);
  const { before } = input;
  if (before !== undefined) {
    const all = delegating.content.delegations.map((one) => (one.name === after.name ? after : one));
    const content = { ...delegating.content, delegations: all };
    for (const one of reordered(all, after.name, before ?? undefined)) {
      stageDelegation(tx, { ...delegating, content }, one);
    }
  }
  return delegation.roles.flatMap(({ name, definition }, index) => {
    const next = after.roles[index]?.definition;
    return name === roleName && next !== undefined ? [{ name, before: definition, after: next }] : [];
  });
}

/** The role whose keys change. @throws USAGE */
function roleToChange({ name, roles }: DelegationDefinition, wanted: string | undefined): string {
  const found = roles.length === 1 && wanted === undefined ? roles[0] : roles.find((role) => role.name === wanted);
  if (found !== undefined) return found.name;
  throw failure('USAGE', `say with --role whose keys change: one of ${roles.map((role) => role.name).join(', ')}`, {
    delegation: name,
  });
}

/** What the removal of a delegation means. */
export interface DelegationRemoveAnswer {
  readonly name: string;
  readonly under: string;
  readonly roles: readonly string[];
  /** What is listed, and found by no client once this is signed. */
  readonly lost: LostTargets;
}

/** Stages the removal of a delegation, or of bins. @throws DELEGATION_UNKNOWN */
export async function removeDelegation(
  input: { repository: RepositoryChoice; name: string; dryRun?: boolean | undefined },
  io: Io,
): Promise<DelegationRemoveAnswer> {
  using repository = await openChosen(io, input.repository);
  const { name, dryRun } = input;
  const summary = `staged the removal of the delegation ${name}`;
  return repository.transact({ command: 'delegation remove', summary, dryRun }, (tx) => {
    const { role, delegation, bins } = delegationNamed(tx, name);
    stageItem(tx, role, { item: bins === undefined ? delegationItem(name) : binsItem(name), value: undefined });
    const roles = delegation?.roles.map((one) => one.name) ?? [name];
    tx.about(`role:${role.name}`, ...roles.map((one) => `role:${one}`));
    return { name, under: role.name, roles, lost: lostTargets(tx, roles) };
  });
}
