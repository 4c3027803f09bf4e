/**
 * What a published Image repository consists of: complete versions that belong together, from Timestamp down.
 *
 * Invariant: the clear bytes of a confidential target are not among the files, whatever lies in `objects/`.
 */
import { toHex } from '../../core/bytes.ts';
import type { TargetName } from '../../core/brands.ts';
import { failure, SecureevError } from '../../core/errors.ts';
import { decodeRole } from '../../formats/metadata/envelope.ts';
import { dialectOf } from '../../formats/metadata/index.ts';
import type { Dialect } from '../../formats/metadata/index.ts';
import { TOP_LEVEL_ROLES } from '../../formats/metadata/types.ts';
import type { Snapshot } from '../../formats/metadata/types.ts';
import { binsPrefixOf, delegatorOf } from '../../store/delegations.ts';
import type { Reader } from '../../store/reader.ts';
import { completeItem, findRole } from '../../store/roles.ts';
import type { StoredRole } from '../../store/roles.ts';
import { setting } from '../../store/settings.ts';
import { completeTargets, targetAt } from '../../store/targets.ts';
import type { Target } from '../../store/targets.ts';
import { completeAt, completeVersions } from '../../store/versions.ts';

/** A metadata file of the tree. */
export interface PublishedFile {
  readonly role: string;
  readonly version: number;
  /** Within the tree, e.g. `metadata/3.targets.json`. */
  readonly path: string;
  /** Read from the database each time it is asked for: there may be very many. */
  readonly bytes: Uint8Array;
  /** The prefix of the hashed bins that it is one of. */
  readonly bins?: string | undefined;
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
export function metadataPath(role: string, version: number, dialect: Dialect): string {
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
    const role = completeRole(reader, name);
    const bins = binsPrefixOf(reader, name);
    // A getter does not outlive a spread, so this is made last.
    return withBytes(reader, role, { ...fileFacts(reader, role, version), bins });
  });
}

/** The files that may be downloaded; a confidential one must have its sealed payload beside it. */
function filesOf(reader: Reader, targets: readonly PublishedFile[]): readonly PublishedTarget[] {
  const files: PublishedTarget[] = [];
  const sealed = new Set<string>();
  const needed: string[] = [];
  const isDelegated = delegationCheck(reader);
  for (const file of targets.filter(({ role }) => isDelegated(role))) {
    for (const target of listedBy(reader, file)) {
      if (target.name.endsWith('.sev')) sealed.add(target.name);
      if (!target.confidential) files.push(publishedTarget(reader, target));
      else if (!target.insideBundle) needed.push(target.name);
    }
  }
  const missing = needed.find((name) => !sealed.has(`${name}.sev`));
  if (missing !== undefined) throw sealedMissing(missing);
  return files;
}

/** Whether somebody delegates to a role: what one lists that nobody is sent to any more is not published. */
function delegationCheck(reader: Reader): (role: string) => boolean {
  const known = new Map<string, boolean>();
  return (role) => {
    const delegator = role === 'targets' ? undefined : delegatorOf(reader, role);
    if (delegator === undefined) return role === 'targets';
    const place = `${delegator.role.id}/${delegator.item}`;
    const found = known.get(place) ?? completeItem(reader, delegator.role, delegator.item) !== undefined;
    known.set(place, found);
    return found;
  };
}

/** What a file lists; as the store has it where that is the last complete version. */
function* listedBy(reader: Reader, file: PublishedFile): Iterable<Target> {
  const role = completeRole(reader, file.role);
  if (role.completeVersion === file.version) {
    yield* completeTargets(reader, role);
    return;
  }
  for (const name of decodeRole(file.bytes, 'targets').unverified.signed.targets.keys()) {
    const known = targetAt(reader, role, { name, version: file.version });
    if (known === undefined) throw failure('INTERNAL', `${file.path} lists ${name}, which the store does not know`);
    yield known;
  }
}

function publishedTarget(reader: Reader, { name, length, sha256 }: Target): PublishedTarget {
  return { name, path: targetPath(dialectIn(reader), name, sha256), sizeBytes: length, sha256 };
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
  return withBytes(reader, role, fileFacts(reader, role, version));
}

function fileFacts(reader: Reader, { name }: StoredRole, version: number): Omit<PublishedFile, 'bytes'> {
  return { role: name, version, path: metadataPath(name, version, dialectIn(reader)) };
}

function withBytes(reader: Reader, role: StoredRole, facts: Omit<PublishedFile, 'bytes'>): PublishedFile {
  return {
    ...facts,
    get bytes() {
      const complete = completeAt(reader, role, facts.version);
      if (complete === undefined) throw failure('INTERNAL', `${role.name} ${facts.version} is listed but not complete`);
      return complete.file;
    },
  };
}

function dialectIn(reader: Reader): Dialect {
  return dialectOf(setting(reader, 'dialect'));
}
