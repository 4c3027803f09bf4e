/** Bundles that were packaged and still lack signatures, and the requests that went out for them. */
import { instantOf, parseName, parseTargetName, parseVersion } from '../core/brands.ts';
import type { Instant, Name, TargetName, Version } from '../core/brands.ts';
import type { Reader, Tx } from './reader.ts';
import { blob } from './versions.ts';

/** A bundle that waits for signatures. */
export interface PendingBundle {
  readonly target: TargetName;
  readonly release: Name;
  readonly gateway: Name;
  /** Header (signatures length zeroed) and manifest. */
  readonly parts: Uint8Array;
  readonly releaseCounter: Version;
}

interface Row {
  readonly target: string;
  readonly release: string;
  readonly gateway: string;
  readonly parts: Uint8Array;
  readonly release_counter: number;
}

/** Records a bundle that waits. */
export function addPendingBundle(tx: Tx, bundle: PendingBundle): void {
  tx.sql('INSERT INTO pending_bundles (target, release, gateway, parts, release_counter) VALUES (?, ?, ?, ?, ?)').run(
    bundle.target,
    bundle.release,
    bundle.gateway,
    blob(bundle.parts),
    bundle.releaseCounter,
  );
}

/** The waiting bundle of a target name. */
export function findPendingBundle(reader: Reader, target: string): PendingBundle | undefined {
  const row = reader.sql<Row>('SELECT * FROM pending_bundles WHERE target = ?').get(target);
  return row === undefined ? undefined : pendingOf(row);
}

/** The bundles of a release that wait, by gateway. */
export function pendingBundlesOf(reader: Reader, release: string): readonly PendingBundle[] {
  return reader
    .sql<Row>('SELECT * FROM pending_bundles WHERE release = ? ORDER BY gateway')
    .all(release)
    .map(pendingOf);
}

/** A bundle waits no more. */
export function removePendingBundle(tx: Tx, target: TargetName): void {
  tx.sql('DELETE FROM pending_bundles WHERE target = ?').run(target);
}

function pendingOf(row: Row): PendingBundle {
  return {
    target: parseTargetName(row.target),
    release: parseName(row.release),
    gateway: parseName(row.gateway),
    parts: Uint8Array.from(row.parts),
    releaseCounter: parseVersion(row.release_counter),
  };
}

/** Records a request for a bundle; the same one again changes nothing. */
export function addBundleRequest(tx: Tx, request: { digest: Uint8Array; target: TargetName }): void {
  tx.sql('INSERT OR IGNORE INTO bundle_requests (digest, target, created_at) VALUES (?, ?, ?)').run(
    blob(request.digest),
    request.target,
    tx.now,
  );
}

/** The target name that a request was for. */
export function findBundleRequest(reader: Reader, digest: Uint8Array): string | undefined {
  return reader.sql<{ target: string }>('SELECT target FROM bundle_requests WHERE digest = ?').get(blob(digest))
    ?.target;
}

/** A request for a bundle that went out. */
export interface KnownBundleRequest {
  readonly digest: Uint8Array;
  readonly target: string;
  readonly createdAt: Instant;
  readonly waiting: boolean;
}

/** Every request for a bundle, the newest first. */
export function bundleRequests(reader: Reader): readonly KnownBundleRequest[] {
  const rows = reader
    .sql<{ digest: Uint8Array; target: string; created_at: number; waiting: number }>(
      `SELECT digest, target, created_at, EXISTS (SELECT 1 FROM pending_bundles p WHERE p.target = q.target) AS waiting
       FROM bundle_requests q ORDER BY created_at DESC, digest`,
    )
    .all();
  return rows.map(({ digest, target, created_at: created, waiting }) => ({
    digest: Uint8Array.from(digest),
    target,
    createdAt: instantOf(created),
    waiting: waiting === 1,
  }));
}
