/** Refusals that name the attack they stop. @see Uptane 2.1.0 section 5.4.4 and requirement U41 */
import { SecureevError } from '../core/errors.ts';
import type { ErrorCode } from '../core/errors.ts';
import { quote } from '../core/brands.ts';

/** The codes of this room, and what an attacker would be after where one is met. */
export const ATTACKS = {
  TRUST_THRESHOLD: 'arbitrary software attack',
  TRUST_HYBRID_THRESHOLD: 'arbitrary software attack with classical keys alone',
  TRUST_HYBRID_MISSING: 'hybrid downgrade attack',
  TRUST_EXPIRED: 'freeze attack',
  TRUST_ROLLBACK: 'rollback attack',
  TRUST_ROOT_GAP: 'root chain with a gap',
  TRUST_MIX_AND_MATCH: 'mix-and-match attack',
  TRUST_WRONG_REPOSITORY: 'metadata of another repository',
  TRUST_ENDLESS_DATA: 'endless data attack',
  TRUST_FILE_MISSING: 'withheld metadata',
  TRUST_LIMIT: 'resource exhaustion',
  TRUST_TARGET_NOT_FOUND: 'software that no role lists',
  TRUST_TARGET_DISAGREEMENT: 'arbitrary software attack by one of several roles',
  TRUST_ARBITRARY_SOFTWARE: 'arbitrary software attack',
  TRUST_HASH_UNKNOWN: 'arbitrary software attack',
  TRUST_WRONG_VEHICLE: "replay of another vehicle's metadata",
  TRUST_DIRECTOR_DELEGATES: 'arbitrary software attack by a delegation of the Director',
  TRUST_ECU_TWICE: 'mixed-bundles attack by two images for one ECU',
  TRUST_ECU_UNKNOWN: 'software for an ECU that the vehicle does not have',
  TRUST_NO_ENTRY: 'nothing to install',
  TRUST_HARDWARE: 'software for other hardware',
  TRUST_COUNTER: 'rollback attack by an older release',
  TRUST_DIRECTOR_MISMATCH: 'arbitrary software attack by one of the two repositories',
  TRUST_MIXED_BUNDLES: 'mixed-bundles attack',
  TRUST_CLOCK_BACK: 'freeze attack by a clock that was set back',
} as const satisfies Partial<Record<ErrorCode, string>>;

/** A code of {@link ATTACKS}. */
export type TrustCode = keyof typeof ATTACKS;

/** What is refused, why, and facts for machines. */
export interface Refused {
  /** The role, or what else is refused. */
  readonly role: string;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/** The error of `code`, with the attack's name in the message and in `details.attack`. */
export function refusal(code: TrustCode, refused: Refused): SecureevError {
  const attack = ATTACKS[code];
  return new SecureevError(code, {
    message: `${refused.message} (${attack})`,
    hint: refused.hint,
    details: { role: refused.role, attack, ...refused.details },
  });
}

/** A role's name for messages; an attacker may have chosen it. */
export function roleText(role: string): string {
  return /^[A-Za-z0-9._-]{1,64}$/.test(role) ? role : quote(role);
}
