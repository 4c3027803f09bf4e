/** What follows from keys that were revoked: they do not come back unseen. */
import { utf8 } from '../../core/bytes.ts';
import { SecureevError } from '../../core/errors.ts';
import { decodePublicFile } from '../../formats/keys/public-file.ts';
import type { Member, PublicFile, RoleDefinition } from '../../plan/role-definition.ts';
import type { Tx } from '../../store/reader.ts';
import { removeRevokedKeys, revokedKeys } from '../../store/revoked-keys.ts';

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

/** The members that a change takes away. */
export function membersGone(before: RoleDefinition, after: RoleDefinition): readonly Member[] {
  const left = new Set<string>(after.members.map(({ classical }) => classical.keyId));
  return before.members.filter(({ classical }) => !left.has(classical.keyId));
}
