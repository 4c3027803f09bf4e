/**
 * `secureev_roots.h`: the root keys of a repository as C, for firmware that has them built in. See `FORMAT.md`.
 *
 * Invariants: C99 and C++11, no warning at `-Wall -Wextra -pedantic`; nothing from outside gets into the text but numbers,
 * and a UUID of hex digits.
 */
import { failure } from '../../core/errors.ts';
import { SIGNATURES } from '../../crypto/signatures/index.ts';
import type { SignatureId } from '../../crypto/signatures/index.ts';

/** A root key. */
export interface HeaderKey {
  readonly algorithm: SignatureId;
  /** 32 bytes. */
  readonly keyId: Uint8Array;
  /** Raw: P-256 65 bytes uncompressed, Ed25519 32, ML-DSA as FIPS 204 has it; of RSA the SPKI as DER. */
  readonly bytes: Uint8Array;
}

/** The root of one repository. */
export interface HeaderRoot {
  readonly kind: 'image' | 'director';
  /** UUID; empty where the metadata has none. */
  readonly repository: string;
  readonly version: number;
  /** SHA-256 of the root file, 32 bytes. */
  readonly sha256: Uint8Array;
  readonly classical: { readonly threshold: number; readonly keys: readonly HeaderKey[] };
  /** No keys and threshold 0 where the repository is not hybrid. */
  readonly postQuantum: { readonly threshold: number; readonly keys: readonly HeaderKey[] };
}

/** The name of the file. */
export const HEADER_NAME = 'secureev_roots.h';

const BYTES_A_LINE = 12;
const UUID = /^(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})?$/;

/** The numbers of algorithms in the header; a number is never given another meaning. */
const ALGORITHM_NUMBERS: Readonly<Record<SignatureId, number>> = {
  'ecdsa-p256': 1,
  ed25519: 2,
  'ml-dsa-44': 3,
  'ml-dsa-65': 4,
  'ml-dsa-87': 5,
  'rsa-pss-sha256': 6,
};

/** The text of the header. @throws INTERNAL for a UUID or a number that is none */
export function cHeader(roots: readonly HeaderRoot[]): string {
  return [
    PROLOGUE,
    algorithms(),
    TYPES,
    ...roots.map(declaration),
    DEFINITIONS,
    ...roots.map(definition),
    EPILOGUE,
  ].join('\n');
}

const PROLOGUE = `/* Root keys, written by \`secureev publish provisioning\`; do not edit.
 *
 * Declarations wherever it is included; in one file define SECUREEV_ROOTS_IMPLEMENTATION first. */
#ifndef SECUREEV_ROOTS_H
#define SECUREEV_ROOTS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
`;

function algorithms(): string {
  const lines = SIGNATURES.map(({ id }) => `#define ${macro(id)} ${ALGORITHM_NUMBERS[id]}`);
  return `${lines.join('\n')}\n`;
}

function macro(id: SignatureId): string {
  return `SECUREEV_${id.toUpperCase().replaceAll('-', '_')}`;
}

const TYPES = `typedef struct {
  uint32_t algorithm;    /* one of the above */
  uint8_t key_id[32];
  const uint8_t *bytes;  /* raw public key; of RSA the SubjectPublicKeyInfo as DER */
  size_t size;
} secureev_key;

typedef struct {
  const char *repository; /* UUID */
  uint32_t version;
  uint8_t sha256[32];     /* of the root file */
  uint32_t threshold;     /* signatures of distinct keys that a root needs */
  size_t key_count;
  const secureev_key *keys;
  uint32_t post_quantum_threshold; /* as many of these beside them; 0 where there are none */
  size_t post_quantum_key_count;
  const secureev_key *post_quantum_keys;
} secureev_root;
`;

function declaration({ kind }: HeaderRoot): string {
  return `extern const secureev_root secureev_${kind}_root;`;
}

const DEFINITIONS = `
#ifdef __cplusplus
}
#endif

#endif /* SECUREEV_ROOTS_H */

#if defined(SECUREEV_ROOTS_IMPLEMENTATION) && !defined(SECUREEV_ROOTS_IMPLEMENTED)
#define SECUREEV_ROOTS_IMPLEMENTED
`;

const EPILOGUE = `#endif /* SECUREEV_ROOTS_IMPLEMENTATION */
`;

function definition(root: HeaderRoot): string {
  const { kind, classical, postQuantum } = root;
  return [
    ...keyArrays(`${kind}_root`, classical.keys),
    ...keyArrays(`${kind}_root_pq`, postQuantum.keys),
    `const secureev_root secureev_${kind}_root = {`,
    `  "${uuid(root.repository)}", ${unsigned(root.version)}u,`,
    `  {${bytesText(root.sha256, '   ')}},`,
    `  ${unsigned(classical.threshold)}u, ${classical.keys.length}u, ${listName(`${kind}_root`, classical.keys)},`,
    `  ${unsigned(postQuantum.threshold)}u, ${postQuantum.keys.length}u, ${listName(`${kind}_root_pq`, postQuantum.keys)}`,
    '};',
    '',
  ].join('\n');
}

function keyArrays(name: string, keys: readonly HeaderKey[]): readonly string[] {
  if (keys.length === 0) return [];
  const arrays = keys.map(
    ({ bytes }, i) => `static const uint8_t secureev_${name}_key_${i}[${bytes.length}] = {${bytesText(bytes, ' ')}};`,
  );
  const entries = keys.map(
    ({ algorithm, keyId, bytes }, i) =>
      `  {${macro(algorithm)}, {${bytesText(keyId, '   ')}}, secureev_${name}_key_${i}, ${bytes.length}u}`,
  );
  return [...arrays, `static const secureev_key secureev_${name}_keys[${keys.length}] = {`, entries.join(',\n'), '};'];
}

function listName(name: string, keys: readonly HeaderKey[]): string {
  return keys.length === 0 ? 'NULL' : `secureev_${name}_keys`;
}

function bytesText(bytes: Uint8Array, indent: string): string {
  const hex = Array.from(bytes, (byte) => `0x${byte.toString(16).padStart(2, '0')}`);
  const lines = Array.from({ length: Math.ceil(hex.length / BYTES_A_LINE) }, (_, i) =>
    hex.slice(i * BYTES_A_LINE, (i + 1) * BYTES_A_LINE).join(', '),
  );
  return `\n${indent} ${lines.join(`,\n${indent} `)}`;
}

function unsigned(value: number): number {
  if (Number.isInteger(value) && value >= 0 && value < 2 ** 32) return value;
  throw failure('INTERNAL', `${value} is no number for a C header`);
}

function uuid(text: string): string {
  if (UUID.test(text)) return text;
  throw failure('INTERNAL', 'a repository without a UUID');
}
