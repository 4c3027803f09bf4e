/** What is delegated to whom, from Targets down in order of trust, as the next versions will have it. */
import type { Io } from '../../core/ports.ts';
import { binsValue, delegationValue } from '../../plan/delegations.ts';
import type { DelegatedRoleDefinition } from '../../plan/delegations.ts';
import { countCompleteBins } from '../../store/bins.ts';
import { binsItem, delegationItem } from '../../store/delegations.ts';
import type { Reader } from '../../store/reader.ts';
import { completeItem, findRole } from '../../store/roles.ts';
import type { StoredRole } from '../../store/roles.ts';
import { delegatedContent } from './definitions.ts';
import { openChosen } from './locate.ts';
import type { RepositoryChoice } from './locate.ts';
import { countMisplaced } from './move-targets.ts';
import { shownRole } from './role-set.ts';
import type { ShownRole } from './role-set.ts';

/** A delegation and who signs for it. */
export interface ListedDelegation {
  readonly name: string;
  readonly under: string;
  /** Delegations between Targets and it. */
  readonly depth: number;
  readonly paths: readonly string[];
  /** Null for any. */
  readonly hardwareIds: readonly string[] | null;
  readonly terminating: boolean;
  /** How many roles must list the same. */
  readonly agreement: number;
  readonly roles: readonly { readonly name: string; readonly version: number | null; readonly definition: ShownRole }[];
  /** For hashed bins how many there are, and how many have a version; null for other delegations. */
  readonly bins: { readonly total: number; readonly complete: number } | null;
  /** Whether the delegator's last complete version has it otherwise, or not at all. */
  readonly staged: boolean;
}

/** All delegations, and how many targets are listed above the roles that own their paths. */
export interface DelegationList {
  readonly delegations: readonly ListedDelegation[];
  readonly elsewhere: readonly { readonly role: string; readonly targets: number }[];
}

/** As deep as clients follow delegations. */
const DEPTH_MAX = 32;

/** Lists the delegations. */
export async function listDelegations(input: { repository: RepositoryChoice }, io: Io): Promise<DelegationList> {
  using repository = await openChosen(io, input.repository, { readOnly: true });
  const delegations = delegationsBelow(repository, { name: 'targets', depth: 0 });
  return { delegations, elsewhere: misplaced(repository, delegations) };
}

/** Of each delegator how many targets it lists that it delegates; only those with some. */
export function misplaced(
  reader: Reader,
  delegations: readonly Pick<ListedDelegation, 'under'>[],
): readonly { readonly role: string; readonly targets: number }[] {
  return [...new Set(delegations.map(({ under }) => under))].flatMap((name) => {
    const role = findRole(reader, { repository: 'image', name });
    const targets = role === undefined ? 0 : countMisplaced(reader, role);
    return targets === 0 ? [] : [{ role: name, targets }];
  });
}

/** The delegations of a role, each followed by those of its roles. */
export function delegationsBelow(
  reader: Reader,
  { name, depth }: { name: string; depth: number },
): readonly ListedDelegation[] {
  const role = findRole(reader, { repository: 'image', name });
  if (role === undefined || depth > DEPTH_MAX) return [];
  const { delegations, bins } = delegatedContent(reader, role, 'next');
  const own = delegations.flatMap((one) => {
    const { paths, terminating, agreement, hardwareIds = null } = one;
    const staged = isStaged(reader, role, { item: delegationItem(one.name), value: delegationValue(one) });
    const roles = one.roles.map((each) => listedRole(reader, each));
    const facts = { name: one.name, under: name, depth, paths, hardwareIds, terminating, agreement };
    const below = one.roles.flatMap((each) => delegationsBelow(reader, { name: each.name, depth: depth + 1 }));
    return [{ ...facts, roles, bins: null, staged }, ...below];
  });
  if (bins === undefined) return own;
  const { namePrefix, bitLength, definition } = bins;
  const complete = countCompleteBins(reader, namePrefix);
  const binsFacts = {
    name: namePrefix,
    under: name,
    depth,
    paths: [],
    hardwareIds: null,
    terminating: true,
    agreement: 1,
    roles: [{ name: namePrefix, version: null, definition: shownRole(definition) }],
    bins: { total: 2 ** bitLength, complete },
    staged: isStaged(reader, role, { item: binsItem(namePrefix), value: binsValue(bins) }),
  };
  return [...own, binsFacts];
}

function listedRole(reader: Reader, { name, definition }: DelegatedRoleDefinition): ListedDelegation['roles'][number] {
  const version = findRole(reader, { repository: 'image', name })?.completeVersion ?? null;
  return { name, version, definition: shownRole(definition) };
}

function isStaged(
  reader: Reader,
  role: StoredRole,
  next: { item: string; value: Readonly<Record<string, unknown>> },
): boolean {
  const complete = completeItem(reader, role, next.item);
  return complete === undefined || JSON.stringify(complete) !== JSON.stringify(next.value);
}
