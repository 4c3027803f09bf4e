/** What follows from keys that were revoked: they do not come back unseen, and whatever they go on signing is told. */
import { utf8 } from '../../core/bytes.ts';
import { SecureevError } from '../../core/errors.ts';
import { decodePublicFile } from '../../formats/keys/public-file.ts';
import type { Member, PublicFile, RoleDefinition } from '../../plan/role-definition.ts';
import type { Reader, Tx } from '../../store/reader.ts';
import { removeRevokedKeys, revokedKeys } from '../../store/revoked-keys.ts';
import type { NamedKey, RoleOutcome } from './advance-role.ts';

/**
 * Demands that no key in these files was revoked; with `allowed` their revocations are taken back, and the ids of those
 * keys given.
 *
 * @throws KEY_REVOKED
 */
export function requireNotRevoked(tx: Tx, files: readonly PublicFile[], allowed = false): readonly string[] {
  const revoked = revokedKeys(tx);
  if (revoked.size === 0) return [];
  const keys = files.flatMap(({ name, text }) =>
    decodePublicFile(utf8(text)).keys.map(({ keyId }) => ({ keyId: String(keyId), name })),
  );
  const found = keys.filter(({ keyId }) => revoked.has(keyId));
  const [first] = found;
  if (first === undefined) return [];
  if (!allowed) {
    throw new SecureevError('KEY_REVOKED', {
      message: `${first.name} (${first.keyId}) was revoked in this repository`,
      hint: 'make another key with `secureev keygen NAME`; what was revoked by mistake comes back with --allow-revoked of `role change` and `delegation change`',
      details: { keyId: first.keyId },
    });
  }
  const keyIds = found.map(({ keyId }) => keyId);
  removeRevokedKeys(tx, keyIds);
  return keyIds;
}

/** For the log: which keys a change brought back. */
export function restoredSummary(role: string, keyIds: readonly string[]): string {
  return `staged keys of ${role}: ${keyIds.join(' and ')} came back and no longer counts as revoked`;
}

/** For the one who made the change: what came back counts again at once, whatever becomes of the change. */
export function restoredNotes(keyIds: readonly string[]): readonly string[] {
  return keyIds.map((keyId) => `${keyId.slice(0, 12)} no longer counts as revoked anywhere, also if this is discarded`);
}

/** One line for each role but a root that revoked keys signed now: a root may have to be signed by its old keys. */
export function revokedSignersOf(reader: Reader, outcomes: readonly RoleOutcome[]): readonly string[] {
  const signed = outcomes.filter(({ role }) => role !== 'root' && role !== 'director/root');
  return signed.flatMap(({ role, added }) => revokedSigners(reader, role, added));
}

/** The same for one role, or several, and the keys that sign. */
export function revokedSigners(reader: Reader, role: string, keys: readonly NamedKey[]): readonly string[] {
  const revoked = revokedKeys(reader);
  const names = keys
    .filter(({ keyId }) => revoked.has(keyId))
    .map(({ keyId, holder }) => (holder === '' ? keyId.slice(0, 12) : `${holder} (${keyId.slice(0, 12)})`));
  if (names.length === 0) return [];
  const which = names.length === 1 ? 'a revoked key' : 'revoked keys';
  return [`${role}: signed by ${which}, ${names.join(', ')}: see \`secureev status\``];
}

/** The members that a change takes away. */
export function membersGone(before: RoleDefinition, after: RoleDefinition): readonly Member[] {
  const left = new Set<string>(after.members.map(({ classical }) => classical.keyId));
  return before.members.filter(({ classical }) => !left.has(classical.keyId));
}
