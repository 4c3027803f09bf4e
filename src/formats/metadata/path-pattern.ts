/**
 * Which targets a delegation is for: path patterns, hash prefixes, hashed bins.
 *
 * A pattern matches segment by segment: `*` any characters of one segment, `?` exactly one, neither a `/`; every other
 * character stands for itself. Matching takes time linear in pattern times name, whatever an attacker writes.
 *
 * @see TUF 1.0.34 section 4.5 (PATHPATTERN); TAP 15
 */
import type { TargetName } from '../../core/brands.ts';
import { toHex, utf8 } from '../../core/bytes.ts';
import type { EngineName } from '../../core/ports.ts';
import { sha256 } from '../../crypto/hash.ts';
import type { DelegationScope, SuccinctRoles } from './types.ts';

/** Whether `name` matches `pattern`. */
export function matchesPattern(name: string, pattern: string): boolean {
  const segments = name.split('/');
  const patterns = pattern.split('/');
  if (segments.length !== patterns.length) return false;
  return patterns.every((part, index) => matchesSegment(segments[index] ?? '', part));
}

/** Greedy match with one place to go back to: the last `*`. */
function matchesSegment(text: string, pattern: string): boolean {
  let at = 0;
  let next = 0;
  let star = -1;
  let resume = 0;
  while (at < text.length) {
    if (pattern[next] === '*') {
      star = next++;
      resume = at;
    } else if (pattern[next] === '?' || pattern[next] === text[at]) {
      next++;
      at++;
    } else if (star === -1) {
      return false;
    } else {
      next = star + 1;
      at = ++resume;
    }
  }
  return /^\**$/.test(pattern.slice(next));
}

/** Whether a delegation is for the target `name`. */
export function isInScope(engine: EngineName, scope: DelegationScope, name: TargetName): boolean {
  if ('paths' in scope) return scope.paths.some((pattern) => matchesPattern(name, pattern));
  const hash = toHex(sha256(engine, utf8(name)));
  return scope.hashPrefixes.some((prefix) => hash.startsWith(prefix));
}

/** The bin of the target `name`: the prefix, `-`, and the first bits of SHA-256 of the name in hex. @see TAP 15 */
export function binOf(engine: EngineName, succinct: Pick<SuccinctRoles, 'bitLength' | 'namePrefix'>, name: TargetName) {
  const [a = 0, b = 0, c = 0, d = 0] = sha256(engine, utf8(name));
  const first32 = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  return binName(succinct, first32 >>> (32 - succinct.bitLength));
}

/** The name of bin number `index`, from 0 to 2^bitLength - 1. */
export function binName(succinct: Pick<SuccinctRoles, 'bitLength' | 'namePrefix'>, index: number): string {
  const digits = (2 ** succinct.bitLength - 1).toString(16).length;
  return `${succinct.namePrefix}-${index.toString(16).padStart(digits, '0')}`;
}
