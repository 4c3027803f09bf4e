/**
 * A target against what Targets lists: its length and every hash that is known here. A target none of whose hashes is
 * known is refused; an unknown one beside a known one is passed over.
 *
 * @see TUF 1.0.34 section 5.7; Uptane 2.1.0 section 5.4.4.1
 */
import { toHex } from '../core/bytes.ts';
import { failure } from '../core/errors.ts';
import type { EngineName } from '../core/ports.ts';
import { sha256, sha512, startSha256, startSha512 } from '../crypto/hash.ts';
import type { StreamingHash } from '../crypto/hash.ts';
import type { TargetFile } from '../formats/metadata/types.ts';
import { refusal } from './refusal.ts';

interface HashAlgorithm {
  readonly id: string;
  readonly hexDigits: number;
  readonly digest: (engine: EngineName, bytes: Uint8Array) => Uint8Array;
  readonly start: (engine: EngineName) => StreamingHash;
}

const HASHES: readonly HashAlgorithm[] = [
  { id: 'sha256', hexDigits: 64, digest: sha256, start: startSha256 },
  { id: 'sha512', hexDigits: 128, digest: sha512, start: startSha512 },
];

/** The listed hashes that are known here. @throws TRUST_HASH_UNKNOWN where there is none */
export function knownHashes(listed: ReadonlyMap<string, string>, what: string): readonly (readonly [string, string])[] {
  const known = [...listed].filter(([name]) => HASHES.some(({ id }) => id === name));
  if (known.length > 0) return known;
  throw refusal('TRUST_HASH_UNKNOWN', {
    role: what,
    message: `none of the hashes listed for ${what} is known here`,
    details: { target: what, found: [...listed.keys()], expected: HASHES.map(({ id }) => id) },
  });
}

/** The digest of bytes by the hash named `id`. @throws INTERNAL */
export function digestOf(engine: EngineName, id: string, bytes: Uint8Array): Uint8Array {
  return hashNamed(id).digest(engine, bytes);
}

function hashNamed(id: string): HashAlgorithm {
  const found = HASHES.find((hash) => hash.id === id);
  if (found === undefined) throw failure('INTERNAL', `no hash ${id}`);
  return found;
}

/** A check that takes a target as it arrives. */
export interface TargetCheck {
  /** @throws TRUST_ENDLESS_DATA as soon as there is more than the listed length */
  update(bytes: Uint8Array): void;
  /** @throws TRUST_ARBITRARY_SOFTWARE where length or a hash differs */
  finish(): void;
}

/** What to check. */
export interface TargetCheckRequest {
  readonly engine: EngineName;
  /** For messages. */
  readonly name: string;
  readonly target: TargetFile;
}

/** Starts the check of a target. @throws TRUST_HASH_UNKNOWN */
export function startTargetCheck({ engine, name, target }: TargetCheckRequest): TargetCheck {
  const hashes = knownHashes(target.hashes, name).map(([id, expected]) => {
    return { id, expected, hash: hashNamed(id).start(engine) };
  });
  let length = 0;
  return {
    update(bytes) {
      length += bytes.length;
      if (length > target.length) throw tooLong(name, target);
      for (const { hash } of hashes) hash.update(bytes);
    },
    finish() {
      requireEqual({ name, what: 'length' }, target.length, length);
      for (const { id, expected, hash } of hashes) {
        requireEqual({ name, what: id }, expected, toHex(hash.digest()));
      }
    },
  };
}

/** Checks a target that is in memory. @throws TRUST_ENDLESS_DATA, TRUST_ARBITRARY_SOFTWARE, TRUST_HASH_UNKNOWN */
export function checkTarget(request: TargetCheckRequest, bytes: Uint8Array): void {
  const check = startTargetCheck(request);
  check.update(bytes);
  check.finish();
}

/** What someone else measured of a target: its length and digests in lower-case hex. */
export interface MeasuredTarget {
  readonly length: number;
  readonly hashes: ReadonlyMap<string, string>;
}

/**
 * Compares what was measured with what is listed; every listed hash that is known here must have been measured.
 *
 * @throws TRUST_ARBITRARY_SOFTWARE, TRUST_HASH_UNKNOWN
 */
export function compareTarget(name: string, target: TargetFile, measured: MeasuredTarget): void {
  requireEqual({ name, what: 'length' }, target.length, measured.length);
  for (const [id, expected] of knownHashes(target.hashes, name)) {
    requireEqual({ name, what: id }, expected, measured.hashes.get(id));
  }
}

function requireEqual<T>(at: { name: string; what: string }, expected: T, found: T | undefined): void {
  if (expected === found) return;
  throw refusal('TRUST_ARBITRARY_SOFTWARE', {
    role: at.name,
    message: `${at.name} has another ${at.what} than Targets lists: ${String(found)} for ${String(expected)}`,
    details: { target: at.name, what: at.what, expected, found },
  });
}

function tooLong(name: string, target: TargetFile) {
  return refusal('TRUST_ENDLESS_DATA', {
    role: name,
    message: `${name} is longer than the ${target.length} bytes that Targets lists`,
    details: { target: name, limit: target.length },
  });
}
