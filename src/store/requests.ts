/** Signing requests that went out: which version each one is for. */
import { instantOf } from '../core/brands.ts';
import type { Instant } from '../core/brands.ts';
import type { Reader, Tx } from './reader.ts';
import type { RepositoryKind } from './roles.ts';
import { blob } from './versions.ts';

/** A request that was written. */
export interface KnownRequest {
  /** SHA-256 of the file, 32 bytes. */
  readonly digest: Uint8Array;
  readonly repository: RepositoryKind;
  readonly role: string;
  readonly version: number;
  readonly createdAt: Instant;
  /** Of the version it is for. */
  readonly state: 'frozen' | 'complete' | 'cancelled';
}

/** Whether a version was ever handed out for signing: its number is then not given again. */
export function wasRequested(reader: Reader, roleId: number, version: number): boolean {
  return (
    reader.sql('SELECT 1 FROM requests WHERE role_id = ? AND version = ? LIMIT 1').get(roleId, version) !== undefined
  );
}

interface Row {
  readonly digest: Uint8Array;
  readonly repository: RepositoryKind;
  readonly name: string;
  readonly version: number;
  readonly created_at: number;
  readonly state: KnownRequest['state'];
}

const SELECT = `SELECT q.digest, r.repository, r.name, q.version, q.created_at, v.state FROM requests q
  JOIN roles r ON r.id = q.role_id JOIN versions v ON v.role_id = q.role_id AND v.version = q.version`;

/** Records a request; the same one again changes nothing. */
export function addRequest(tx: Tx, request: { digest: Uint8Array; roleId: number; version: number }): void {
  tx.sql('INSERT OR IGNORE INTO requests (digest, role_id, version, created_at) VALUES (?, ?, ?, ?)').run(
    blob(request.digest),
    request.roleId,
    request.version,
    tx.now,
  );
}

/** The request of a digest. */
export function findRequest(reader: Reader, digest: Uint8Array): KnownRequest | undefined {
  const row = reader.sql<Row>(`${SELECT} WHERE q.digest = ?`).get(blob(digest));
  return row === undefined ? undefined : known(row);
}

/** Every request, the newest first. */
export function listRequests(reader: Reader): readonly KnownRequest[] {
  return reader.sql<Row>(`${SELECT} ORDER BY q.created_at DESC, q.digest`).all().map(known);
}

function known(row: Row): KnownRequest {
  const { repository, name: role, version, state } = row;
  const digest = Uint8Array.from(row.digest);
  return { digest, repository, role, version, state, createdAt: instantOf(row.created_at) };
}
