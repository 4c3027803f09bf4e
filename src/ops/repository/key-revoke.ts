/** Takes a lost or stolen key out of everything it serves, as far as thresholds allow, and says what must follow. */
import { failure } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import { keyIdsOf } from '../../plan/role-definition.ts';
import { revokeVehicleKey } from '../../store/fleet.ts';
import type { Tx } from '../../store/reader.ts';
import { addRevokedKeys } from '../../store/revoked-keys.ts';
import { findSetting } from '../../store/settings.ts';
import { definitionOfRole, definitionsIn, isTopLevel } from './definitions.ts';
import { stageRoleKeys } from './delegation-stage.ts';
import { findKeyUses } from './key-uses.ts';
import type { KeyUses, RoleUse } from './key-uses.ts';
import { openChosen } from './locate.ts';
import type { RepositoryChoice } from './locate.ts';
import { lostBundlesNote } from './lost-bundles.ts';
import { recoverySteps } from './recovery-steps.ts';
import type { RecoveryStep, RevokedUse } from './recovery-steps.ts';
import { changeCommand, escrowCommand } from './revoked-listings.ts';
import { roleText } from './role-address.ts';
import { stageDefinition } from './role-set.ts';

/** The key to revoke. */
export interface KeyRevokeInput {
  readonly repository: RepositoryChoice;
  /** A key id or its first digits, at least 8. */
  readonly keyId: string;
  readonly reason: string;
  readonly dryRun?: boolean | undefined;
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
    // Whatever waits for a replacement goes on listing the key: it is known as revoked from now on.
    if (found.roles.length > 0 || found.escrow) addRevokedKeys(tx, found.keyIds);
    const words = uses.map(({ where, outcome }) => `${where}: ${outcome}`).join('; ');
    tx.summarize(`revoked key ${found.keyIds.join(' and ')} (${input.reason}): ${words}`);
    const { keyIds, holder } = found;
    const complete = uses.every(({ outcome }) => outcome !== 'replace');
    return { keyIds, holder, uses, steps: recoverySteps(tx, found, uses), notes: notesFor(tx, found), complete };
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
    return { where, outcome: 'replace', command: changeCommand(tx, address, { needs: 'replace', keyId }) };
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
    return { where, outcome: 'replace', command: changeCommand(tx, address, { needs: 'replace', keyId }) };
  }
  stageRoleKeys(tx, where, { ...before, members });
  return { where, outcome: 'removed', command: null };
}

function escrowUse({ escrow, keyIds }: KeyUses): readonly RevokedUse[] {
  if (!escrow) return [];
  return [{ where: 'escrow', outcome: 'replace', command: escrowCommand(keyIds[0] ?? '') }];
}

function notesFor(tx: Tx, found: KeyUses): readonly string[] {
  const names = new Set(found.roles.map(({ address }) => address.name));
  const notes: string[] = [];
  if (found.roles.length > 0 && findSetting(tx, 'hold') === undefined) {
    notes.push("until this is decided, nothing needs to go out: `secureev hold --reason '...'`");
  }
  if (names.has('timestamp') || names.has('snapshot')) notes.push(FAST_FORWARD);
  const ofImage = found.roles.filter(({ address }) => address.repository === 'image');
  notes.push(...lostBundlesNote(tx, new Set(ofImage.map(({ address }) => address.name))));
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
