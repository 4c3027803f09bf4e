/**
 * The names of files in a published tree: `VERSION.ROLE.json`, `HASH.FILE`. Role names are percent-encoded, so that
 * whatever a delegation is called stays one file in one folder.
 *
 * @see TUF 1.0.34 sections 5.3.3, 5.4.1 and 6.2
 */
import type { TargetFile } from '../formats/metadata/types.ts';

/** The file of a role; without a version where files are not numbered. */
export function metadataFileName(role: string, version: number | undefined): string {
  const name = `${encodeRoleName(role)}.json`;
  return version === undefined ? name : `${version}.${name}`;
}

/** A role's name for URLs and file names: all but letters, digits, `-`, `.`, `_` and `~` percent-encoded. */
export function encodeRoleName(role: string): string {
  return encodeURIComponent(role).replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** The file of a target below `targets/`: with its hash before the last segment in a tree of consistent snapshots. */
export function targetFileName(name: string, target: TargetFile, isConsistent: boolean): string {
  const hash = target.hashes.get('sha256') ?? target.hashes.values().next().value ?? '';
  const cut = name.lastIndexOf('/') + 1;
  return isConsistent ? `${name.slice(0, cut)}${hash}.${name.slice(cut)}` : name;
}
