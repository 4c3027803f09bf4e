/** Releases, their images and bundles, and release counters. */
import { parseTargetName } from '../core/brands.ts';
import type { TargetName } from '../core/brands.ts';
import { failure } from '../core/errors.ts';
import type { Reader, Tx } from './reader.ts';
import { blob, bytesOf } from './versions.ts';

/** A release as it was packaged. */
export interface Release {
  readonly name: string;
  readonly model: string;
  readonly confidential: boolean;
  readonly createdAt: number;
  /** The decoded `release.yaml` as JSON. */
  readonly plan: Readonly<Record<string, unknown>>;
}

/** Which target goes on which ECU. */
export interface ReleaseImage {
  readonly ecu: string;
  readonly target: TargetName;
}

/** A bundle of a release for one gateway. */
export interface Bundle {
  readonly target: TargetName;
  readonly release: string;
  readonly gateway: string;
  /** The file's name without folders, e.g. `ZG_BODY.otap`. */
  readonly fileName: string;
  readonly length: number;
  readonly sha256: Uint8Array;
  readonly manifestSha256: Uint8Array;
  readonly releaseCounter: number;
}

/** Adds a release. @throws RELEASE_EXISTS */
export function addRelease(tx: Tx, release: Omit<Release, 'createdAt'>): void {
  if (findRelease(tx, release.name) !== undefined) {
    throw failure('RELEASE_EXISTS', `release ${release.name} was packaged already`, { release: release.name });
  }
  tx.sql('INSERT INTO releases (name, model, confidential, created_at, plan) VALUES (?, ?, ?, ?, ?)').run(
    release.name,
    release.model,
    release.confidential ? 1 : 0,
    tx.now,
    JSON.stringify(release.plan),
  );
  tx.about(`release:${release.name}`);
}

/** A release by name. */
export function findRelease(reader: Reader, name: string): Release | undefined {
  const row = reader.sql<ReleaseRow>('SELECT * FROM releases WHERE name = ?').get(name);
  return row === undefined ? undefined : releaseOf(row);
}

/** All releases, newest first. */
export function releases(reader: Reader): readonly Release[] {
  return reader.sql<ReleaseRow>('SELECT * FROM releases ORDER BY created_at DESC, name').all().map(releaseOf);
}

/** Adds an image of a release. */
export function addReleaseImage(tx: Tx, image: ReleaseImage & { release: string }): void {
  tx.sql('INSERT INTO release_images (release, ecu, target) VALUES (?, ?, ?)').run(
    image.release,
    image.ecu,
    image.target,
  );
}

/** The images of a release, by ECU. */
export function releaseImages(reader: Reader, release: string): readonly ReleaseImage[] {
  return reader
    .sql<{ ecu: string; target: string }>('SELECT ecu, target FROM release_images WHERE release = ? ORDER BY ecu')
    .all(release)
    .map((row) => ({ ecu: row.ecu, target: parseTargetName(row.target) }));
}

/** Adds a bundle, or replaces the one of the same target name (a release issued again). */
export function putBundle(tx: Tx, bundle: Bundle): void {
  tx.sql(
    `INSERT INTO bundles (target, release, gateway, file_name, length, sha256, manifest_sha256, release_counter)
     VALUES (:target, :release, :gateway, :fileName, :length, :sha256, :manifestSha256, :releaseCounter)
     ON CONFLICT (target) DO UPDATE SET length = excluded.length, sha256 = excluded.sha256,
       manifest_sha256 = excluded.manifest_sha256, release_counter = excluded.release_counter`,
  ).run({ ...bundle, sha256: blob(bundle.sha256), manifestSha256: blob(bundle.manifestSha256) });
  tx.about(`release:${bundle.release}`);
}

/** The bundles of a release, by gateway. */
export function bundlesOf(reader: Reader, release: string): readonly Bundle[] {
  return reader.sql<BundleRow>('SELECT * FROM bundles WHERE release = ? ORDER BY gateway').all(release).map(bundleOf);
}

/** The bundle whose file has this SHA-256 (32 bytes). */
export function findBundleBySha256(reader: Reader, sha256: Uint8Array): Bundle | undefined {
  const row = reader.sql<BundleRow>('SELECT * FROM bundles WHERE sha256 = ?').get(blob(sha256));
  return row === undefined ? undefined : bundleOf(row);
}

/** The bundle of a target name. */
export function findBundle(reader: Reader, target: TargetName): Bundle | undefined {
  const row = reader.sql<BundleRow>('SELECT * FROM bundles WHERE target = ?').get(target);
  return row === undefined ? undefined : bundleOf(row);
}

/** The last release counter given in `scope` (e.g. `MODEL/ECU`), 0 where none was. */
export function lastReleaseCounter(reader: Reader, scope: string): number {
  return reader.sql<{ last: number }>('SELECT last FROM counters WHERE scope = ?').get(scope)?.last ?? 0;
}

/** Takes `counter` in `scope`; it must be above the last. @throws COUNTER_TAKEN */
export function takeReleaseCounter(tx: Tx, scope: string, counter: number): void {
  const last = lastReleaseCounter(tx, scope);
  if (counter <= last) {
    throw failure('COUNTER_TAKEN', `release counter ${counter} of ${scope} is not above the last one, ${last}`, {
      scope,
      last,
      found: counter,
    });
  }
  tx.sql('INSERT INTO counters (scope, last) VALUES (?, ?) ON CONFLICT (scope) DO UPDATE SET last = excluded.last').run(
    scope,
    counter,
  );
}

interface ReleaseRow {
  readonly name: string;
  readonly model: string;
  readonly confidential: number;
  readonly created_at: number;
  readonly plan: string;
}

interface BundleRow {
  readonly target: string;
  readonly release: string;
  readonly gateway: string;
  readonly file_name: string;
  readonly length: number;
  readonly sha256: Uint8Array;
  readonly manifest_sha256: Uint8Array;
  readonly release_counter: number;
}

function releaseOf(row: ReleaseRow): Release {
  const { name, model, created_at: createdAt } = row;
  const plan = JSON.parse(row.plan) as Readonly<Record<string, unknown>>;
  return { name, model, confidential: row.confidential === 1, createdAt, plan };
}

function bundleOf(row: BundleRow): Bundle {
  const { release, gateway, length, file_name: fileName, release_counter: releaseCounter } = row;
  return {
    target: parseTargetName(row.target),
    release,
    gateway,
    fileName,
    length,
    sha256: bytesOf(row.sha256),
    manifestSha256: bytesOf(row.manifest_sha256),
    releaseCounter,
  };
}
