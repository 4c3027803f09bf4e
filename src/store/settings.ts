/** Named settings of the repository: name, dialect, uuid, escrow key, hold. */
import { failure } from '../core/errors.ts';
import type { Reader, Tx } from './reader.ts';

/** What can be set; `escrow` is the escrow key's public file, `hold` a hold's reason, `published-image` the last Timestamp out, `director-keys` a digest of the keys that vehicles' files are signed with, `revoked-keys` the ids of revoked ones. */
export type SettingName =
  | 'name'
  | 'dialect'
  | 'uuid'
  | 'escrow'
  | 'hold'
  | 'published-image'
  | 'published-director'
  | 'director-keys'
  | 'revoked-keys'
  | 'rehearsal';

/** A setting's value, if it is set. */
export function findSetting(reader: Reader, name: SettingName): string | undefined {
  return reader.sql<{ value: string }>('SELECT value FROM settings WHERE name = ?').get(name)?.value;
}

/** A setting's value. @throws SETTING_MISSING */
export function setting(reader: Reader, name: SettingName): string {
  const value = findSetting(reader, name);
  if (value === undefined) throw failure('SETTING_MISSING', `the repository has no setting ${name}`);
  return value;
}

/** Sets `name`, replacing what was there. */
export function writeSetting(tx: Tx, name: SettingName, value: string): void {
  tx.sql(
    'INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
  ).run(name, value);
}

/** Removes a setting; no error where there is none. */
export function clearSetting(tx: Tx, name: SettingName): void {
  tx.sql('DELETE FROM settings WHERE name = ?').run(name);
}
