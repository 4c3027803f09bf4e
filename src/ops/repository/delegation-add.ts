/** New delegations: to one role, to several that must agree (TAP 3), or to hashed bins (TAP 15); staged. */
import type { Name } from '../../core/brands.ts';
import { failure } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import { bitLengthOf, checkedDelegation, reordered } from '../../plan/delegations.ts';
import { firstDefinition } from '../../plan/role-definition.ts';
import type { PublicFile, RoleTerms } from '../../plan/role-definition.ts';
import type { Tx } from '../../store/reader.ts';
import {
  delegatingRole,
  delegators,
  keyWarnings,
  requireFreeName,
  requireNoCycle,
  stageBins,
  stageDelegation,
} from './delegation-stage.ts';
import { openChosen } from './locate.ts';
import type { RepositoryChoice } from './locate.ts';
import { countMisplaced, MISPLACED_MAX, moveMisplaced } from './move-targets.ts';
import { requireNotRevoked } from './revoked-keys.ts';
import { readPublicFile, shownRole } from './role-set.ts';
import type { ShownRole } from './role-set.ts';

/** A public file for a role of the delegation; without `role` for the delegation's own. */
export interface DelegatedKey {
  readonly role: string | undefined;
  /** Path of the public file. */
  readonly file: string;
}

/** A delegation to add. */
export interface DelegationAddInput extends RoleTerms {
  readonly repository: RepositoryChoice;
  readonly name: string;
  /** The delegator. */
  readonly under: string;
  readonly paths: readonly string[];
  readonly keys: readonly DelegatedKey[];
  readonly hardwareIds: readonly Name[];
  readonly terminating: boolean;
  /** Several roles, of which so many must list the same; all of them where it is not said. */
  readonly multiRole: boolean;
  readonly agreement?: number | undefined;
  /** The delegation that it goes before; last where it is not said. */
  readonly before?: string | undefined;
  /** Move what the delegator lists of these paths already. */
  readonly move: boolean;
  readonly dryRun?: boolean | undefined;
}

/** What was staged. */
export interface DelegationAddAnswer {
  readonly name: string;
  readonly under: string;
  readonly roles: readonly { readonly name: string; readonly definition: ShownRole }[];
  /** What is allowed but unwise. */
  readonly warnings: readonly string[];
  /** Targets that moved with it. */
  readonly moved: number;
  /** Targets of its paths that stay where they are listed, at most {@link MISPLACED_MAX}. */
  readonly elsewhere: number;
}

/** Stages a delegation. @throws DELEGATION_*, PATH_PATTERN, THRESHOLD_*, HYBRID_INCOMPLETE, KEY_* */
export async function addDelegation(input: DelegationAddInput, io: Io): Promise<DelegationAddAnswer> {
  const files = await Promise.all(
    input.keys.map(async ({ role, file }) => ({ role, file: await readPublicFile(io, file) })),
  );
  using repository = await openChosen(io, input.repository);
  const { name, under, dryRun } = input;
  const summary = `staged: ${under} delegates ${input.paths.join(' ')} to ${name}`;
  return repository.transact({ command: 'delegation add', summary, dryRun }, (tx) => {
    requireNotRevoked(
      tx,
      files.map(({ file }) => file),
    );
    const delegating = delegatingRole(tx, under);
    requireNew(tx, name);
    const roles = rolesOf(input, files);
    for (const role of roles) requireFreeName(tx, role.name);
    requireNoCycle(
      tx,
      under,
      roles.map((role) => role.name),
    );
    const { paths, terminating, agreement = roles.length } = input;
    const hardwareIds = input.hardwareIds.length === 0 ? undefined : input.hardwareIds;
    const position = 1 + Math.max(0, ...delegating.content.delegations.map((one) => one.position));
    const made = checkedDelegation({ name, position, paths, hardwareIds, terminating, roles, agreement });
    const warnings = roles.flatMap((role) => keyWarnings(tx, role.name, role.definition));
    stageDelegation(tx, delegating, made);
    if (input.before !== undefined) {
      const all = [...delegating.content.delegations, made];
      const content = { ...delegating.content, delegations: all };
      for (const one of reordered(all, name, input.before)) stageDelegation(tx, { ...delegating, content }, one);
    }
    const shown = roles.map((role) => ({ name: role.name, definition: shownRole(role.definition) }));
    return { name, under, roles: shown, warnings, ...placed(tx, under, input.move) };
  });
}

/** The roles of a new delegation with their first keys. @throws DELEGATION_FORM */
function rolesOf(
  input: DelegationAddInput,
  files: readonly { readonly role: string | undefined; readonly file: PublicFile }[],
) {
  const { name, multiRole, agreement } = input;
  const names = [...new Set(files.map(({ role }) => role ?? name))];
  const named = files.some(({ role }) => role !== undefined);
  if (multiRole && (names.length < 2 || files.some(({ role }) => role === undefined))) {
    throw failure('DELEGATION_FORM', '--multi-role takes the keys of two or more roles: --key ROLE=FILE.pub');
  }
  if (!multiRole && (named || agreement !== undefined)) {
    throw failure('DELEGATION_FORM', 'keys of several roles, and --agree, need --multi-role');
  }
  return names.map((role) => {
    const own = files.filter((one) => (one.role ?? name) === role).map(({ file }) => file);
    return { name: role, definition: firstDefinition(role, own, input) };
  });
}

function requireNew(tx: Tx, name: string): void {
  requireFreeName(tx, name);
  for (const role of delegators(tx)) {
    const { content } = delegatingRole(tx, role.name);
    if (!content.delegations.some((one) => one.name === name) && content.bins?.namePrefix !== name) continue;
    throw failure('DELEGATION_EXISTS', `${role.name} delegates to ${name} already`, { role: name });
  }
}

/** Moves what the delegator lists of delegated paths, or counts it. */
export function placed(tx: Tx, under: string, move: boolean): { moved: number; elsewhere: number } {
  const { role } = delegatingRole(tx, under);
  return move
    ? { moved: moveMisplaced(tx, role), elsewhere: 0 }
    : { moved: 0, elsewhere: Math.min(MISPLACED_MAX, countMisplaced(tx, role)) };
}

/** Bins to add. */
export interface BinsAddInput extends RoleTerms {
  readonly repository: RepositoryChoice;
  /** A power of two from 2 to 65536. */
  readonly bins: number;
  readonly namePrefix: string;
  readonly under: string;
  /** Paths of public files. */
  readonly publicFiles: readonly string[];
  readonly move: boolean;
  readonly dryRun?: boolean | undefined;
}

/** Stages hashed bins. @throws DELEGATION_*, THRESHOLD_*, HYBRID_INCOMPLETE, KEY_*, USAGE */
export async function addBins(input: BinsAddInput, io: Io): Promise<DelegationAddAnswer> {
  const bitLength = bitLengthOf(input.bins);
  const files = await Promise.all(input.publicFiles.map((path) => readPublicFile(io, path)));
  using repository = await openChosen(io, input.repository);
  const { namePrefix, under, dryRun } = input;
  const summary = `staged: ${under} delegates to ${input.bins} hashed bins ${namePrefix}`;
  return repository.transact({ command: 'delegation bins', summary, dryRun }, (tx) => {
    requireNotRevoked(tx, files);
    const delegating = delegatingRole(tx, under);
    requireNew(tx, namePrefix);
    requireNoCycle(tx, under, [namePrefix]);
    const definition = firstDefinition(namePrefix, files, input);
    const warnings = keyWarnings(tx, namePrefix, definition);
    stageBins(tx, delegating, { namePrefix, bitLength, definition });
    const roles = [{ name: namePrefix, definition: shownRole(definition) }];
    return { name: namePrefix, under, roles, warnings, ...placed(tx, under, input.move) };
  });
}
