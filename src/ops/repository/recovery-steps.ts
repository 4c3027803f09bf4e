/** What is left to do when a key is revoked: replacements, then roots, then the roles that follow, then publication. */
import { signingOrder } from '../../plan/next-version.ts';
import { delegatorOf } from '../../store/delegations.ts';
import { anySigned } from '../../store/director.ts';
import type { Tx } from '../../store/reader.ts';
import { findRole } from '../../store/roles.ts';
import type { RepositoryKind } from '../../store/roles.ts';
import { findSetting } from '../../store/settings.ts';
import { definitionOfRole, isTopLevel } from './definitions.ts';
import type { RootState } from './definitions.ts';
import type { KeyUses } from './key-uses.ts';
import { delegationDepth, roleText } from './role-address.ts';
import { comingRoot, quorumsOf } from './root-quorum.ts';
import type { Quorum } from './root-quorum.ts';

/** Where the key was found, and what became of it there. */
export interface RevokedUse {
  /** A role such as `director/root`, `escrow`, or `vehicle VIN`. */
  readonly where: string;
  /** `removed`: gone, for roles in the next root; `staged`: it was so already; `replace`: only with another in its place. */
  readonly outcome: 'removed' | 'staged' | 'replace';
  /** What to type where a replacement is needed. */
  readonly command: string | null;
}

/** One thing to do, in order. */
export interface RecoveryStep {
  readonly what: string;
  readonly command: string;
  /** Who must sign; empty where nobody has to. A key that is yet to be made has an empty id. */
  readonly quorums: readonly Quorum[];
}

/** A revocation as the steps after it see it. */
interface Revocation {
  readonly found: KeyUses;
  /** The ids of the key, or of the pair. */
  readonly revoked: ReadonlySet<string>;
  /** Roles that another key must come for. */
  readonly replaced: ReadonlySet<string>;
}

const AFTER_ROOT = ['targets', 'snapshot', 'timestamp'];
/** The public file in the commands that replace a key. */
const NEW_KEY = { keyId: '', holder: 'NEW.pub' };

/** The steps; per repository where a root changes. */
export function recoverySteps(tx: Tx, found: KeyUses, uses: readonly RevokedUse[]): readonly RecoveryStep[] {
  const replaced = uses.filter(({ outcome }) => outcome === 'replace').map(({ where }) => where);
  const revocation = { found, revoked: new Set(found.keyIds), replaced: new Set(replaced) };
  const replacements = uses
    .filter(({ command }) => command !== null)
    .map(({ where, command }) => ({ what: `a new key for ${where}`, command: command ?? '', quorums: [] }));
  const held = findSetting(tx, 'hold') === undefined ? [] : [liftStep()];
  const repositories = (['image', 'director'] as const).filter((kind) => changesRoot(revocation, kind));
  const delegated = repositories.includes('image') ? [] : delegatedSteps(tx, revocation);
  return [
    ...replacements,
    ...held,
    ...repositories.flatMap((kind) => signingSteps(tx, kind, revocation)),
    ...delegated,
  ];
}

function changesRoot({ found }: Revocation, repository: RepositoryKind): boolean {
  return found.roles.some(({ address }) => address.repository === repository && isTopLevel(address.name));
}

/** Where no root changes: the delegators, those they delegate to, and what lists them. */
function delegatedSteps(tx: Tx, revocation: Revocation): readonly RecoveryStep[] {
  const delegated = revocation.found.roles.map(({ address }) => address.name).filter((name) => !isTopLevel(name));
  if (delegated.length === 0) return [];
  const names = [...withDelegators(tx, delegated), 'snapshot', 'timestamp'];
  return [...resignSteps(tx, names, revocation), publishStep()];
}

function withDelegators(tx: Tx, delegated: readonly string[]): readonly string[] {
  return [...new Set(delegated.flatMap((name) => [delegatorOf(tx, name)?.role.name ?? 'targets', name]))];
}

function publishStep(): RecoveryStep {
  return { what: 'what clients read', command: 'secureev publish image DIR', quorums: [] };
}

function resignSteps(tx: Tx, names: readonly string[], revocation: Revocation): readonly RecoveryStep[] {
  const roles = signingOrder(
    names.map((name) => ({ name })),
    (name) => delegationDepth(tx, name),
  );
  return roles.map(({ name }) => {
    const { by, state } = listerOf(tx, { name, names }, revocation);
    const role = { repository: 'image', name } as const;
    const definition = definitionOfRole(tx, role, state) ?? definitionOfRole(tx, role, 'next');
    const quorums = definition === undefined ? [] : quorumsOf(by, definition);
    return { ...step(name, `sign ${name}`), quorums: quorums.map((quorum) => withNewKey(quorum, name, revocation)) };
  });
}

/** The version that says who signs for a role: the next one of its root or delegator where that changes, else the one in force. */
function listerOf(
  tx: Tx,
  { name, names }: { name: string; names: readonly string[] },
  revocation: Revocation,
): { by: string; state: RootState } {
  const delegator = isTopLevel(name) ? undefined : delegatorOf(tx, name)?.role;
  const lister = delegator ?? findRole(tx, { repository: 'image', name: 'root' });
  const changes = delegator === undefined ? changesRoot(revocation, 'image') : names.includes(delegator.name);
  const inForce = lister?.completeVersion ?? null;
  const who = delegator?.name ?? 'root';
  if (!changes && inForce !== null) return { by: `${who} ${inForce}`, state: 'complete' };
  return { by: `${who} ${(lister?.lastVersion ?? 0) + 1}`, state: 'next' };
}

/** Of a Director that has signed vehicles: new online keys sign every one of them anew. */
function directorSteps(tx: Tx, found: KeyUses): readonly RecoveryStep[] {
  if (!anySigned(tx)) return [];
  const isOnline = found.roles.some(({ address }) => address.repository === 'director' && address.name !== 'root');
  const signing = isOnline ? [step('every vehicle, by the new keys', 'sign director')] : [];
  return [...signing, { what: 'what vehicles read', command: 'secureev publish director DIR', quorums: [] }];
}

function liftStep(): RecoveryStep {
  return { what: 'the repository is on hold; end that to sign', command: 'secureev hold --lift', quorums: [] };
}

function signingSteps(tx: Tx, repository: RepositoryKind, revocation: Revocation): readonly RecoveryStep[] {
  const { found } = revocation;
  const first = rootSteps(tx, repository, revocation);
  if (repository === 'director') return [...first, ...directorSteps(tx, found)];
  const affected = found.roles.filter(({ address }) => address.repository === 'image' && address.name !== 'root');
  const delegated = withDelegators(
    tx,
    affected.map(({ address }) => address.name).filter((name) => !isTopLevel(name)),
  );
  const listed = affected.map(({ address }) => AFTER_ROOT.indexOf(address.name)).filter((index) => index !== -1);
  const lowest = Math.min(...listed, ...(delegated.length === 0 ? [] : [AFTER_ROOT.indexOf('snapshot')]));
  const names = Number.isFinite(lowest) ? [...delegated, ...AFTER_ROOT.slice(lowest)] : [];
  return [...first, ...resignSteps(tx, [...new Set(names)], revocation), publishStep()];
}

/** The root that waits, and the one after it. */
function rootSteps(tx: Tx, repository: RepositoryKind, revocation: Revocation): readonly RecoveryStep[] {
  const root = comingRoot(tx, repository);
  const waiting =
    root.after === null ? [] : [step(`complete ${root.role} ${root.after}, which waits`, `sign ${root.role}`)];
  const coming = `root ${root.version}`;
  const quorums = root.quorums.map((quorum) =>
    quorum.authority === coming
      ? withNewKey(quorum, roleText({ repository, name: 'root' }), revocation)
      : withoutKeys(quorum, revocation.revoked),
  );
  const what = `${root.role} ${root.version}, by the old keys and the new`;
  return [...waiting, { ...step(what, `sign ${root.role}`), quorums }];
}

function step(what: string, words: string): RecoveryStep {
  return { what, command: `secureev ${words} --key ...`, quorums: [] };
}

/** Whom to call under the version in force: everyone who may sign but the revoked key, unless nobody else can. */
function withoutKeys(quorum: Quorum, revoked: ReadonlySet<string>): Quorum {
  const keys = quorum.keys.filter(({ keyId }) => !revoked.has(keyId));
  return keys.length >= quorum.needed ? { ...quorum, keys } : quorum;
}

/** Whom to call under the version to come: where the revoked key must be replaced, the new one. */
function withNewKey(quorum: Quorum, role: string, { revoked, replaced }: Revocation): Quorum {
  if (!replaced.has(role)) return withoutKeys(quorum, revoked);
  return { ...quorum, keys: quorum.keys.map((key) => (revoked.has(key.keyId) ? NEW_KEY : key)) };
}
