/**
 * A metadata file as Timestamp or Snapshot lists it: version, length, hashes.
 *
 * @see TUF 1.0.34 sections 5.5.2 and 5.6.2
 */
import { toHex } from '../core/bytes.ts';
import type { EngineName } from '../core/ports.ts';
import type { MetaFile, Signed } from '../formats/metadata/types.ts';
import { digestOf, knownHashes } from './target-check.ts';
import { refusal, roleText } from './refusal.ts';

/** A file to check, and what it must be. */
export interface ListedFile {
  readonly engine: EngineName;
  readonly role: string;
  readonly listed: MetaFile;
  /** Who lists it, e.g. `snapshot 4`. */
  readonly by: string;
}

/** The most bytes to fetch: the listed length where there is one, never over the limit. */
export function bytesToFetch(listed: MetaFile, limit: number): number {
  return Math.min(listed.length ?? limit, limit);
}

/** Demands the listed length and every listed hash, before anything is parsed. @throws TRUST_MIX_AND_MATCH, TRUST_HASH_UNKNOWN */
export function requireListedBytes({ engine, role, listed, by }: ListedFile, bytes: Uint8Array): void {
  if (listed.length !== undefined && listed.length !== bytes.length) {
    throw mismatch({ role, by, what: 'length' }, listed.length, bytes.length);
  }
  if (listed.hashes === undefined) return;
  for (const [name, expected] of knownHashes(listed.hashes, role)) {
    const found = toHex(digestOf(engine, name, bytes));
    if (found !== expected) throw mismatch({ role, by, what: name }, expected, found);
  }
}

/** Demands exactly the listed version. @throws TRUST_MIX_AND_MATCH */
export function requireListedVersion({ role, listed, by }: ListedFile, signed: Signed): void {
  if (signed.version !== listed.version) {
    throw mismatch({ role, by, what: 'version' }, listed.version, signed.version);
  }
}

function mismatch(at: { role: string; by: string; what: string }, expected: unknown, found: unknown) {
  return refusal('TRUST_MIX_AND_MATCH', {
    role: at.role,
    message: `${roleText(at.role)} has another ${at.what} than ${at.by} lists: ${String(found)} for ${String(expected)}`,
    details: { what: at.what, expected, found },
  });
}
