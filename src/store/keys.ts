/** Which public keys serve what. Invariant: one raw key serves one kind of repository, or the escrow, and nothing else. */
import { failure } from '../core/errors.ts';
import { requireProductionKey } from '../formats/keys/rehearsal-keys.ts';
import type { Reader, Tx } from './reader.ts';
import type { RepositoryKind } from './roles.ts';
import { findSetting } from './settings.ts';

/** What a key may serve. */
export type KeyKind = RepositoryKind | 'escrow';

/** A key as it was first used. */
export interface KnownKey {
  readonly keyId: string;
  readonly algorithm: string;
  readonly kind: KeyKind;
  readonly holder: string;
}

/** Records that a key serves `kind`. @throws KEY_REHEARSAL, KEY_SERVES_ANOTHER where it serves something else, a vehicle included */
export function claimKey(tx: Tx, key: KnownKey): void {
  requireProductionKey(key, findSetting(tx, 'rehearsal') !== undefined);
  const known = findKey(tx, key.keyId);
  const served = known?.kind ?? (isVehicleKey(tx, key.keyId) ? 'vehicle' : undefined);
  if (served !== undefined && served !== key.kind) {
    throw failure('KEY_SERVES_ANOTHER', `key ${key.keyId} serves ${served} already; one key serves one purpose`, {
      keyId: key.keyId,
      found: served,
      expected: key.kind,
    });
  }
  tx.about(`key:${key.keyId}`);
  if (known !== undefined) return;
  tx.sql('INSERT INTO keys (keyid, algorithm, kind, holder, added_at) VALUES (?, ?, ?, ?, ?)').run(
    key.keyId,
    key.algorithm,
    key.kind,
    key.holder,
    tx.now,
  );
}

/** A key that serves a repository or the escrow. */
export function findKey(reader: Reader, keyId: string): KnownKey | undefined {
  return reader.sql<KnownKey>('SELECT keyid AS keyId, algorithm, kind, holder FROM keys WHERE keyid = ?').get(keyId);
}

function isVehicleKey(reader: Reader, keyId: string): boolean {
  return reader.sql('SELECT 1 FROM vehicle_keys WHERE keyid = ? LIMIT 1').get(keyId) !== undefined;
}
