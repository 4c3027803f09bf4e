/** Takes a lost or stolen key out of everything it serves, as far as thresholds allow, and says what must follow. */
import { failure } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import { signingOrder } from '../../plan/next-version.ts';
import { keyIdsOf } from '../../plan/role-definition.ts';
import { revokeVehicleKey } from '../../store/fleet.ts';
import type { Tx } from '../../store/reader.ts';
import type { RepositoryKind } from '../../store/roles.ts';
import { anySigned } from '../../store/director.ts';
import { findSetting } from '../../store/settings.ts';
import { delegatorOf } from '../../store/delegations.ts';
import { definitionOfRole, definitionsIn, isTopLevel } from './definitions.ts';
import { delegationOfRole, stageRoleKeys } from './delegation-stage.ts';
import { findKeyUses } from './key-uses.ts';
import type { KeyUses, RoleUse } from './key-uses.ts';
import { openChosen } from './locate.ts';
import type { RepositoryChoice } from './locate.ts';
import { delegationDepth, roleText } from './role-address.ts';
import { stageDefinition } from './role-set.ts';
import { comingRoot, quorumsOf } from './root-quorum.ts';
import type { Quorum } from './root-quorum.ts';

/** The key to revoke. */
export interface KeyRevokeInput {
  readonly repository: RepositoryChoice;
  /** A key id or its first digits, at least 8. */
  readonly keyId: string;
  readonly reason: string;
  readonly dryRun?: boolean | undefined;
}

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
  /** Who must sign; empty where nobody has to. */
  readonly quorums: readonly Quorum[];
}

/** What was found, changed, and is left to do. */
export interface KeyRevokeAnswer {
  readonly keyIds: readonly string[];
  readonly holder: string;
  readonly uses: readonly RevokedUse[];
  readonly steps: readonly RecoveryStep[];
  readonly notes: readonly string[];
  /** Whether nothing waits for a replacement. */
  readonly complete: boolean;
}

const AFTER_ROOT = ['targets', 'snapshot', 'timestamp'];
const FAST_FORWARD =
  'fast-forward recovery: clients that see the new root forget the Timestamp and Snapshot they had, however high a thief has pushed their versions; ours go on counting';

/** Revokes the key. @throws KEY_UNKNOWN, KEY_AMBIGUOUS, USAGE */
export async function revokeSigningKey(input: KeyRevokeInput, io: Io): Promise<KeyRevokeAnswer> {
  if (input.reason.trim() === '') throw failure('USAGE', '--reason is empty');
  using repository = await openChosen(io, input.repository);
  return repository.transact({ command: 'key revoke', summary: '', dryRun: input.dryRun }, (tx) => {
    const found = findKeyUses(tx, input.keyId);
    const uses = [
      ...found.roles.map((use) => removeFromRole(tx, use)),
      ...escrowUse(found),
      ...found.vehicles.map((vehicle): RevokedUse => {
        revokeVehicleKey(tx, { vehicle: vehicle.id, keyId: found.keyIds[0] ?? '', reason: input.reason });
        tx.about(`vehicle:${vehicle.vin}`);
        const command = `secureev vehicle key set ${vehicle.vin} --encryption-key NEW.pub`;
        return { where: `vehicle ${vehicle.vin}`, outcome: 'removed', command };
      }),
    ];
    for (const keyId of found.keyIds) tx.about(`key:${keyId}`);
    const words = uses.map(({ where, outcome }) => `${where}: ${outcome}`).join('; ');
    tx.summarize(`revoked key ${found.keyIds.join(' and ')} (${input.reason}): ${words}`);
    const { keyIds, holder } = found;
    const complete = uses.every(({ outcome }) => outcome !== 'replace');
    return { keyIds, holder, uses, steps: stepsFor(tx, found, uses), notes: notesFor(tx, found), complete };
  });
}

function removeFromRole(tx: Tx, use: RoleUse): RevokedUse {
  const { address, member, coming } = use;
  if (!isTopLevel(address.name)) return removeFromDelegated(tx, use);
  const where = roleText(address);
  const others = definitionsIn(tx, address.repository, 'next');
  const before = others.get(address.name);
  if (!coming || before === undefined) return { where, outcome: 'staged', command: null };
  const keyId = member.classical.keyId;
  const members = before.members.filter((one) => one.classical.keyId !== keyId);
  if (members.length < before.threshold) {
    return { where, outcome: 'replace', command: replaceCommand(where, keyId) };
  }
  stageDefinition(tx, address, { definition: { ...before, members }, others });
  return { where, outcome: 'removed', command: null };
}

/** The same for a delegated role: its delegator's next version no longer lists the key. */
function removeFromDelegated(tx: Tx, { address, member, coming }: RoleUse): RevokedUse {
  const { name: where } = address;
  const before = definitionOfRole(tx, { ...address, name: where }, 'next');
  if (!coming || before === undefined) return { where, outcome: 'staged', command: null };
  const keyId = member.classical.keyId;
  const members = before.members.filter((one) => one.classical.keyId !== keyId);
  if (members.length < before.threshold) {
    const { name, role } = delegationOfRole(tx, where);
    const which = role === undefined ? name : `${name} --role ${role}`;
    const command = `secureev delegation change ${which} --replace ${keyId.slice(0, 8)}=NEW.pub`;
    return { where, outcome: 'replace', command };
  }
  stageRoleKeys(tx, where, { ...before, members });
  return { where, outcome: 'removed', command: null };
}

function escrowUse({ escrow, keyIds }: KeyUses): readonly RevokedUse[] {
  if (!escrow) return [];
  return [{ where: 'escrow', outcome: 'replace', command: replaceCommand('escrow', keyIds[0] ?? '') }];
}

function replaceCommand(role: string, keyId: string): string {
  return `secureev role change ${role} --replace ${keyId.slice(0, 8)}=NEW.pub`;
}

/** Replacements, then root, then what the root's change asks of other roles, then publication; per repository. */
function stepsFor(tx: Tx, found: KeyUses, uses: readonly RevokedUse[]): readonly RecoveryStep[] {
  const replacements = uses
    .filter(({ command }) => command !== null)
    .map(({ where, command }) => ({ what: `a new key for ${where}`, command: command ?? '', quorums: [] }));
  const held = findSetting(tx, 'hold') === undefined ? [] : [liftStep()];
  const ofRoots = found.roles.filter(({ address }) => isTopLevel(address.name));
  const repositories = (['image', 'director'] as const).filter((kind) =>
    ofRoots.some(({ address }) => address.repository === kind),
  );
  const delegated = repositories.includes('image') ? [] : delegatedSteps(tx, found);
  return [...replacements, ...held, ...repositories.flatMap((kind) => signingSteps(tx, kind, found)), ...delegated];
}

/** Where no root changes: the delegators, those they delegate to, and what lists them. */
function delegatedSteps(tx: Tx, found: KeyUses): readonly RecoveryStep[] {
  const delegated = found.roles.map(({ address }) => address.name).filter((name) => !isTopLevel(name));
  if (delegated.length === 0) return [];
  return [
    ...resignSteps(tx, { names: [...withDelegators(tx, delegated), 'snapshot', 'timestamp'], found }),
    publishStep(),
  ];
}

function withDelegators(tx: Tx, delegated: readonly string[]): readonly string[] {
  return [...new Set(delegated.flatMap((name) => [delegatorOf(tx, name)?.role.name ?? 'targets', name]))];
}

function publishStep(): RecoveryStep {
  return { what: 'what clients read', command: 'secureev publish image DIR', quorums: [] };
}

function resignSteps(tx: Tx, { names, found }: { names: readonly string[]; found: KeyUses }): readonly RecoveryStep[] {
  const revoked = new Set(found.keyIds);
  const roles = signingOrder(
    names.map((name) => ({ name })),
    (name) => delegationDepth(tx, name),
  );
  return roles.map(({ name }) => {
    const definition = definitionOfRole(tx, { repository: 'image', name }, 'next');
    const by = isTopLevel(name) ? `root ${comingRoot(tx, 'image').version}` : (delegatorOf(tx, name)?.role.name ?? '');
    const quorums = definition === undefined ? [] : quorumsOf(by, definition);
    return { ...step(name, `sign ${name}`), quorums: quorums.map((quorum) => withoutKeys(quorum, revoked)) };
  });
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

function signingSteps(tx: Tx, repository: RepositoryKind, found: KeyUses): readonly RecoveryStep[] {
  const root = comingRoot(tx, repository);
  const revoked = new Set(found.keyIds);
  const waiting =
    root.after === null ? [] : [step(`complete ${root.role} ${root.after}, which waits`, `sign ${root.role}`)];
  const rootStep = {
    ...step(`${root.role} ${root.version}, by the old keys and the new`, `sign ${root.role}`),
    quorums: root.quorums.map((quorum) => withoutKeys(quorum, revoked)),
  };
  if (repository === 'director') return [...waiting, rootStep, ...directorSteps(tx, found)];
  const affected = found.roles.filter(({ address }) => address.repository === 'image' && address.name !== 'root');
  const delegated = withDelegators(
    tx,
    affected.map(({ address }) => address.name).filter((name) => !isTopLevel(name)),
  );
  const listed = affected.map(({ address }) => AFTER_ROOT.indexOf(address.name)).filter((index) => index !== -1);
  const lowest = Math.min(...listed, ...(delegated.length === 0 ? [] : [AFTER_ROOT.indexOf('snapshot')]));
  const names = Number.isFinite(lowest) ? [...delegated, ...AFTER_ROOT.slice(lowest)] : [];
  return [...waiting, rootStep, ...resignSteps(tx, { names: [...new Set(names)], found }), publishStep()];
}

function step(what: string, words: string): RecoveryStep {
  return { what, command: `secureev ${words} --key ...`, quorums: [] };
}

/** Whom to call: everyone who may sign but the revoked key, unless nobody else can. */
function withoutKeys(quorum: Quorum, revoked: ReadonlySet<string>): Quorum {
  const keys = quorum.keys.filter(({ keyId }) => !revoked.has(keyId));
  return keys.length >= quorum.needed ? { ...quorum, keys } : quorum;
}

function notesFor(tx: Tx, found: KeyUses): readonly string[] {
  const names = new Set(found.roles.map(({ address }) => address.name));
  const notes: string[] = [];
  if (found.roles.length > 0 && findSetting(tx, 'hold') === undefined) {
    notes.push("until this is decided, nothing needs to go out: `secureev hold --reason '...'`");
  }
  if (names.has('timestamp') || names.has('snapshot')) notes.push(FAST_FORWARD);
  if (names.has('targets')) {
    notes.push('bundles that this key signed no longer verify under the new root: package and sign them again');
  }
  const rootUse = found.roles.find(({ address }) => address.name === 'root');
  if (rootUse !== undefined && isNeeded(tx, rootUse)) {
    notes.push(
      'the root in force cannot reach its threshold without this key: it must sign once more, or vehicles need a new pinned root',
    );
  }
  if (found.escrow) notes.push('what was sealed for the escrow key stays readable with it');
  if (found.vehicles.length > 0) notes.push('envelopes that went out before stay readable with the key of the vehicle');
  return notes;
}

/** Whether the root in force needs this very key to sign its successor. */
function isNeeded(tx: Tx, { address, member }: RoleUse): boolean {
  const inForce = definitionsIn(tx, address.repository, 'complete').get('root');
  if (inForce === undefined) return false;
  const gone = new Set(keyIdsOf(member));
  return inForce.members.filter(({ classical }) => !gone.has(classical.keyId)).length < inForce.threshold;
}
