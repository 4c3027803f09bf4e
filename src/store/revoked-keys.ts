/** Which signing and escrow keys were revoked here, in use or not; what vehicles hold is told by `fleet.ts`. */
import type { Reader, Tx } from './reader.ts';
import { findSetting, writeSetting } from './settings.ts';

/** The ids of all keys that `key revoke` was told of. */
export function revokedKeys(reader: Reader): ReadonlySet<string> {
  const text = findSetting(reader, 'revoked-keys');
  return new Set(text === undefined ? [] : (JSON.parse(text) as readonly unknown[]).map(String));
}

/** Records revoked keys; nothing is written where all of them are known. */
export function addRevokedKeys(tx: Tx, keyIds: readonly string[]): void {
  const known = revokedKeys(tx);
  if (keyIds.every((keyId) => known.has(keyId))) return;
  write(tx, [...known, ...keyIds]);
}

/** Takes revocations back. */
export function removeRevokedKeys(tx: Tx, keyIds: readonly string[]): void {
  write(
    tx,
    [...revokedKeys(tx)].filter((keyId) => !keyIds.includes(keyId)),
  );
}

function write(tx: Tx, keyIds: readonly string[]): void {
  writeSetting(tx, 'revoked-keys', JSON.stringify([...new Set(keyIds)].sort()));
}
