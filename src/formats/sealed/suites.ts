/**
 * The suites: which KEM carries a blob's content key, and which signatures the bundle in it must have.
 *
 * Invariants: a code, once published, never means another suite; the names are those of the design documents.
 */
import { quote } from '../../core/brands.ts';
import { SecureevError, failure } from '../../core/errors.ts';
import type { KemId } from '../../crypto/kems/index.ts';
import type { SignatureId } from '../../crypto/signatures/index.ts';

/** A suite. */
export interface Suite {
  readonly name: string;
  /** Its number in a payload's header, 1 to 65535. */
  readonly code: number;
  /** The KEM of the vehicles' envelopes. */
  readonly kem: KemId;
  /** Every algorithm that must have signed the bundle inside. */
  readonly signatures: readonly SignatureId[];
}

/** Every suite, the default one first. */
export const SUITES = [
  { name: 'hybrid', code: 0x0001, kem: 'MLKEM768-X25519', signatures: ['ecdsa-p256', 'ml-dsa-65'] },
  { name: 'x25519+ecdsa-p256', code: 0x0010, kem: 'DHKEM-X25519', signatures: ['ecdsa-p256'] },
  { name: 'ml-kem-512+ecdsa-p256', code: 0x0020, kem: 'ML-KEM-512', signatures: ['ecdsa-p256'] },
  { name: 'ml-kem-512+ml-dsa-44', code: 0x0021, kem: 'ML-KEM-512', signatures: ['ml-dsa-44'] },
  { name: 'ml-kem-512+ml-dsa-65', code: 0x0022, kem: 'ML-KEM-512', signatures: ['ml-dsa-65'] },
  { name: 'ml-kem-512+ml-dsa-87', code: 0x0023, kem: 'ML-KEM-512', signatures: ['ml-dsa-87'] },
  { name: 'ml-kem-768+ecdsa-p256', code: 0x0030, kem: 'ML-KEM-768', signatures: ['ecdsa-p256'] },
  { name: 'ml-kem-768+ml-dsa-44', code: 0x0031, kem: 'ML-KEM-768', signatures: ['ml-dsa-44'] },
  { name: 'ml-kem-768+ml-dsa-65', code: 0x0032, kem: 'ML-KEM-768', signatures: ['ml-dsa-65'] },
  { name: 'ml-kem-768+ml-dsa-87', code: 0x0033, kem: 'ML-KEM-768', signatures: ['ml-dsa-87'] },
  { name: 'ml-kem-1024+ecdsa-p256', code: 0x0040, kem: 'ML-KEM-1024', signatures: ['ecdsa-p256'] },
  { name: 'ml-kem-1024+ml-dsa-44', code: 0x0041, kem: 'ML-KEM-1024', signatures: ['ml-dsa-44'] },
  { name: 'ml-kem-1024+ml-dsa-65', code: 0x0042, kem: 'ML-KEM-1024', signatures: ['ml-dsa-65'] },
  { name: 'ml-kem-1024+ml-dsa-87', code: 0x0043, kem: 'ML-KEM-1024', signatures: ['ml-dsa-87'] },
] as const satisfies readonly Suite[];

/** The suite that is used where none is named. */
export const DEFAULT_SUITE: Suite = SUITES[0];

/** The suite of a name. @throws SEALED_SUITE_UNKNOWN */
export function suiteNamed(name: string): Suite {
  const suite = SUITES.find((known) => known.name === name);
  if (suite !== undefined) return suite;
  throw new SecureevError('SEALED_SUITE_UNKNOWN', {
    message: `unknown suite ${quote(name)}`,
    hint: `the suites are ${SUITES.map((known) => known.name).join(', ')}`,
  });
}

/** The suite of a code in a header. @throws SEALED_SUITE_UNKNOWN */
export function suiteOfCode(code: number): Suite {
  const suite = SUITES.find((known) => known.code === code);
  if (suite !== undefined) return suite;
  throw failure('SEALED_SUITE_UNKNOWN', `unknown suite 0x${code.toString(16).padStart(4, '0')} in the payload header`, {
    offset: 6,
    found: code,
  });
}
