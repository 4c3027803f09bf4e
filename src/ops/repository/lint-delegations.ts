/**
 * What should not be so about delegations: targets that a role lists although it delegates their paths, targets that
 * clients are never sent to, delegations that are never asked.
 *
 * @see TUF 1.0.34 section 5.6.7
 */
import { parseTargetName } from '../../core/brands.ts';
import { isFailure } from '../../core/errors.ts';
import type { EngineName } from '../../core/ports.ts';
import { binOf, isInScope } from '../../formats/metadata/path-pattern.ts';
import type { Delegation, Targets } from '../../formats/metadata/types.ts';
import type { TrustedSet } from '../../trust/state.ts';

/** One thing that should not be so. */
export interface DelegationFinding {
  readonly id: 'lint-delegations';
  readonly role: string;
  readonly detail: string;
}

/** Looks through every Targets file of a verified tree that was loaded. */
export function lintDelegations(set: TrustedSet): readonly DelegationFinding[] {
  const { engine } = set.terms;
  const bodies = new Map([...set.targets].map(([role, { file }]) => [role, file.verified.signed]));
  const told = [...bodies].flatMap(([role, signed]) => [
    ...kept(engine, role, signed),
    ...neverAsked(role, signed),
    ...outOfReach(engine, role, { signed, bodies }),
  ]);
  return told.map(({ role, detail }) => ({ id: 'lint-delegations', role, detail }));
}

interface Told {
  readonly role: string;
  readonly detail: string;
}

/** A target stays with the delegator until it is moved; clients find it there. */
function kept(engine: EngineName, role: string, signed: Targets): readonly Told[] {
  return [...signed.targets.keys()].flatMap((name) => {
    const to = delegateOf(engine, signed, name);
    return to === undefined ? [] : [{ role, detail: `lists ${name}, whose path it delegates to ${to}` }];
  });
}

function delegateOf(engine: EngineName, { delegations }: Targets, name: string): string | undefined {
  const target = safeName(name);
  if (delegations === undefined || target === undefined) return undefined;
  if (delegations.succinct !== undefined) return binOf(engine, delegations.succinct, target);
  return delegations.roles.find(({ scope }) => isInScope(engine, scope, target))?.name;
}

/** Unsafe names are told by another check. */
function safeName(name: string): ReturnType<typeof parseTargetName> | undefined {
  try {
    return parseTargetName(name);
  } catch (thrown) {
    if (isFailure(thrown, 'VALUE_MALFORMED')) return undefined;
    throw thrown;
  }
}

/** A delegation whose every path an earlier terminating one has, for any hardware. */
function neverAsked(role: string, { delegations }: Targets): readonly Told[] {
  const roles = delegations?.roles ?? [];
  return roles.flatMap((one, index) => {
    const paths = pathsOf(one);
    const before = roles
      .slice(0, index)
      .filter(({ terminating, hardwareIds }) => terminating && hardwareIds === undefined)
      .flatMap(pathsOf);
    const isHidden = paths.length > 0 && paths.every((path) => before.includes(path));
    return isHidden ? [{ role, detail: `never asks ${one.name}: a terminating delegation has its paths` }] : [];
  });
}

function pathsOf({ scope }: Delegation): readonly string[] {
  return 'paths' in scope ? scope.paths : [];
}

/** What a delegated role lists outside the paths it was given; nobody finds that. */
function outOfReach(
  engine: EngineName,
  role: string,
  { signed, bodies }: { signed: Targets; bodies: ReadonlyMap<string, Targets> },
): readonly Told[] {
  const delegators = [...bodies.values()].flatMap(({ delegations }) => delegations?.roles ?? []);
  const scopes = delegators.filter(({ roles }) => roles.some(({ name }) => name === role)).map(({ scope }) => scope);
  if (scopes.length === 0) return [];
  return [...signed.targets.keys()].flatMap((name) => {
    const target = safeName(name);
    if (target === undefined || scopes.some((scope) => isInScope(engine, scope, target))) return [];
    return [{ role, detail: `lists ${name}, which is not delegated to it` }];
  });
}
