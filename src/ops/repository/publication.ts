/**
 * What a published Image repository consists of: complete versions that belong together, from Timestamp down.
 *
 * Invariant: the clear bytes of a confidential target are not among the files, whatever lies in `objects/`.
 */
import { fromHex, toHex } from '../../core/bytes.ts';
import { parseTargetName } from '../../core/brands.ts';
import type { TargetName } from '../../core/brands.ts';
import { failure, SecureevError } from '../../core/errors.ts';
import { decodeRole } from '../../formats/metadata/envelope.ts';
import { dialectOf } from '../../formats/metadata/index.ts';
import type { Dialect } from '../../formats/metadata/index.ts';
import { tuf } from '../../formats/metadata/tuf.ts';
import { TOP_LEVEL_ROLES } from '../../formats/metadata/types.ts';
import type { Snapshot, Targets } from '../../formats/metadata/types.ts';
import type { Reader } from '../../store/reader.ts';
import { findRole } from '../../store/roles.ts';
import type { StoredRole } from '../../store/roles.ts';
import { setting } from '../../store/settings.ts';
import { targetAt } from '../../store/targets.ts';
import { completeAt, completeVersions, lastComplete } from '../../store/versions.ts';

/** A metadata file of the tree. */
export interface PublishedFile {
  readonly role: string;
  readonly version: number;
  /** Within the tree, e.g. `metadata/3.targets.json`. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** A target file of the tree. */
export interface PublishedTarget {
  readonly name: TargetName;
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: Uint8Array;
}

/** A tree to publish. */
export interface Publication {
  /** Every root from the first, rising. */
  readonly roots: readonly PublishedFile[];
  /** Every Targets file that Snapshot lists. */
  readonly targets: readonly PublishedFile[];
  readonly snapshot: PublishedFile;
  readonly timestamp: PublishedFile;
  /** What may be downloaded: sealed payloads, and images and bundles that are not confidential. */
  readonly files: readonly PublishedTarget[];
}

/** Collects the tree of the last complete Timestamp. @throws ROLE_NOT_COMPLETE, SEALED_MISSING */
export function collectPublication(reader: Reader): Publication {
  const timestampRole = completeRole(reader, 'timestamp');
  const timestamp = fileAt(reader, timestampRole, timestampRole.completeVersion ?? 0);
  const snapshotVersion = decodeRole(timestamp.bytes, 'timestamp').unverified.signed.snapshot.version;
  const snapshot = fileAt(reader, completeRole(reader, 'snapshot'), snapshotVersion);
  const listed = decodeRole(snapshot.bytes, 'snapshot').unverified.signed;
  const targets = targetsFiles(reader, listed);
  const rootRole = completeRole(reader, 'root');
  const roots = completeVersions(reader, rootRole).map((version) => fileAt(reader, rootRole, version));
  return {
    roots,
    targets,
    snapshot,
    timestamp: { ...timestamp, path: TIMESTAMP_PATH },
    files: filesOf(reader, targets),
  };
}

/** Where the Timestamp of a tree lies. */
export const TIMESTAMP_PATH = 'metadata/timestamp.json';

/** Where a metadata file lies; role names are safe in paths. Roots are numbered in every dialect. */
export function metadataPath(role: string, version: number, dialect: Dialect = tuf): string {
  const isTop = TOP_LEVEL_ROLES.some((name) => name === role);
  const folder = isTop ? 'metadata/' : `metadata/${dialect.delegationsFolder}`;
  const isNumbered = role === 'root' || dialect.consistentSnapshot;
  return `${folder}${isNumbered ? `${version}.` : ''}${encodeURIComponent(role)}.json`;
}

/** Where a target lies: its hash before the last segment, where the dialect has it so. @see TUF 1.0.34 section 6.2 */
export function targetPath(dialect: Dialect, name: TargetName, sha256: Uint8Array): string {
  if (!dialect.consistentSnapshot) return `targets/${name}`;
  const at = name.lastIndexOf('/') + 1;
  return `targets/${name.slice(0, at)}${toHex(sha256)}.${name.slice(at)}`;
}

function targetsFiles(reader: Reader, snapshot: Snapshot): readonly PublishedFile[] {
  return [...snapshot.meta].map(([file, { version }]) => {
    const name = file.replace(/\.json$/, '');
    return fileAt(reader, completeRole(reader, name), version);
  });
}

/** Reads the flags of every listed target; a confidential one must have its sealed payload beside it. */
function filesOf(reader: Reader, targets: readonly PublishedFile[]): readonly PublishedTarget[] {
  const bodies = targets.map((file) => ({ file, body: decodeRole(file.bytes, 'targets').unverified.signed }));
  const names = new Set<string>(bodies.flatMap(({ body }) => [...body.targets.keys()]));
  return bodies.flatMap(({ file, body }) => filesOfRole(reader, { file, body, names }));
}

function filesOfRole(
  reader: Reader,
  listed: { file: PublishedFile; body: Targets; names: ReadonlySet<string> },
): readonly PublishedTarget[] {
  const role = completeRole(reader, listed.file.role);
  const files: PublishedTarget[] = [];
  for (const [name, { length, hashes }] of listed.body.targets) {
    const known = targetAt(reader, role, { name, version: listed.file.version });
    if (known === undefined)
      throw failure('INTERNAL', `${listed.file.path} lists ${name}, which the store does not know`);
    if (!known.confidential) {
      const sha256 = fromHex(hashes.get('sha256') ?? '');
      const target = parseTargetName(name);
      files.push({ name: target, path: targetPath(dialectIn(reader), target, sha256), sizeBytes: length, sha256 });
    } else if (!known.insideBundle && !listed.names.has(`${name}.sev`)) throw sealedMissing(name);
  }
  return files;
}

function sealedMissing(name: string): SecureevError {
  return new SecureevError('SEALED_MISSING', {
    message: `${name} is confidential, and its sealed payload ${name}.sev is not in a complete Targets file`,
    hint: 'make it with `secureev encrypt`, then sign the role that lists it, snapshot and timestamp',
    details: { target: name },
  });
}

function completeRole(reader: Reader, name: string): StoredRole {
  const role = findRole(reader, { repository: 'image', name });
  if (role !== undefined && role.completeVersion !== null) return role;
  throw new SecureevError('ROLE_NOT_COMPLETE', {
    message: `${name} has no complete version yet, so there is nothing to publish`,
    hint: `\`secureev sign ${name} --key ...\``,
  });
}

function fileAt(reader: Reader, role: StoredRole, version: number): PublishedFile {
  const complete = version === role.completeVersion ? lastComplete(reader, role) : completeAt(reader, role, version);
  if (complete === undefined) throw failure('INTERNAL', `${role.name} ${version} is listed but not complete`);
  return { role: role.name, version, path: metadataPath(role.name, version, dialectIn(reader)), bytes: complete.file };
}

function dialectIn(reader: Reader): Dialect {
  return dialectOf(setting(reader, 'dialect'));
}
