import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseInstant, parseVersion, parseVin } from '../../core/brands.ts';
import { toHex, utf8 } from '../../core/bytes.ts';
import { isFailure } from '../../core/errors.ts';
import { sha256 } from '../../crypto/hash.ts';
import { SIGNATURES, signatureAlgorithm } from '../../crypto/signatures/index.ts';
import type { SignatureId } from '../../crypto/signatures/index.ts';
import { cHeader } from './c-header.ts';
import type { HeaderKey, HeaderRoot } from './c-header.ts';
import { decodeDescription, DESCRIPTION_BYTES_MAX, encodeDescription } from './description.ts';
import type { ProvisioningDescription } from './description.ts';
import { ALL_PATHS, decodeMapFile, encodeMapFile } from './map-file.ts';

function headerKey(algorithm: SignatureId, label: string): HeaderKey {
  const seed = sha256('native', utf8(label));
  const { publicKey } = signatureAlgorithm(algorithm).keygen('native', seed);
  return { algorithm, bytes: publicKey, keyId: sha256('native', publicKey) };
}

const IMAGE: HeaderRoot = {
  kind: 'image',
  repository: '01234567-89ab-4cde-8f01-23456789abcd',
  version: 3,
  sha256: sha256('native', utf8('root')),
  classical: { threshold: 2, keys: [headerKey('ecdsa-p256', 'a'), headerKey('ed25519', 'b')] },
  postQuantum: { threshold: 2, keys: [headerKey('ml-dsa-65', 'a'), headerKey('ml-dsa-87', 'b')] },
};
const DIRECTOR: HeaderRoot = {
  ...IMAGE,
  kind: 'director',
  classical: { threshold: 1, keys: [headerKey('ecdsa-p256', 'c')] },
  postQuantum: { threshold: 0, keys: [] },
};

/** Prints what the header says, one value a line. */
const PROGRAM = `#define SECUREEV_ROOTS_IMPLEMENTATION
#include "secureev_roots.h"
#include "secureev_roots.h"
#include <stdio.h>
static void hex(const uint8_t *bytes, size_t size) { size_t i; for (i = 0; i < size; i++) printf("%02x", bytes[i]); printf("\\n"); }
static void keys(const secureev_key *list, size_t count, uint32_t threshold) {
  size_t i;
  printf("%u of %u\\n", (unsigned)threshold, (unsigned)count);
  for (i = 0; i < count; i++) { printf("%u\\n", (unsigned)list[i].algorithm); hex(list[i].key_id, 32); hex(list[i].bytes, list[i].size); }
}
static void root(const secureev_root *r) {
  printf("%s %u\\n", r->repository, (unsigned)r->version);
  hex(r->sha256, 32);
  keys(r->keys, r->key_count, r->threshold);
  keys(r->post_quantum_keys, r->post_quantum_key_count, r->post_quantum_threshold);
}
int main(void) { root(&secureev_image_root); root(&secureev_director_root); return 0; }
`;
const ELSEWHERE = `#include "secureev_roots.h"
uint32_t image_version(void); uint32_t image_version(void) { return secureev_image_root.version; }
`;

function expectedLines({ repository, version, sha256: hash, classical, postQuantum }: HeaderRoot): readonly string[] {
  const numbers = { 'ecdsa-p256': 1, ed25519: 2, 'ml-dsa-44': 3, 'ml-dsa-65': 4, 'ml-dsa-87': 5, 'rsa-pss-sha256': 6 };
  const keys = [classical, postQuantum].flatMap(({ threshold, keys: list }) => [
    `${threshold} of ${list.length}`,
    ...list.flatMap(({ algorithm, keyId, bytes }) => [String(numbers[algorithm]), toHex(keyId), toHex(bytes)]),
  ]);
  return [`${repository} ${version}`, toHex(hash), ...keys];
}

describe('the C header (U25)', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'secureev-test-'));
    writeFileSync(join(folder, 'secureev_roots.h'), cHeader([IMAGE, DIRECTOR]));
    for (const extension of ['c', 'cc']) {
      writeFileSync(join(folder, `main.${extension}`), PROGRAM);
      writeFileSync(join(folder, `elsewhere.${extension}`), ELSEWHERE);
    }
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each([
    ['gcc', 'c', '-std=c99'],
    ['g++', 'cc', '-std=c++11'],
  ])('%s takes it without a warning in two files, and it says what it was given', (compiler, extension, standard) => {
    const flags = [standard, '-Wall', '-Wextra', '-Wpedantic', '-Werror', '-O1', '-o', 'roots'];
    execFileSync(compiler, [...flags, `main.${extension}`, `elsewhere.${extension}`], { cwd: folder });
    const printed = execFileSync(join(folder, 'roots'), { encoding: 'utf8' }).split('\n').slice(0, -1);
    expect(printed).toEqual([...expectedLines(IMAGE), ...expectedLines(DIRECTOR)]);
  });

  test('names every signature algorithm, and nothing from outside gets into it but numbers', () => {
    const text = cHeader([IMAGE]);
    for (const { id } of SIGNATURES)
      expect(text).toContain(`#define SECUREEV_${id.toUpperCase().replaceAll('-', '_')} `);
    for (const change of [{ repository: '"; int x' }, { version: 1.5 }, { version: 2 ** 32 }, { version: -1 }]) {
      expect(() => cHeader([{ ...IMAGE, ...change }])).toThrow(/header|UUID/);
    }
  });
});

describe('the map file (U18)', () => {
  const map = {
    repositories: [
      { name: 'image', locations: ['https://updates.example/image', 'http://10.0.0.1/image'] },
      { name: 'director', locations: ['director/'] },
    ],
  };

  test('is read back as it was written; every repository must sign for every target', () => {
    const bytes = encodeMapFile(map);
    expect(decodeMapFile(bytes).repositories.toSorted((a, b) => (a.name > b.name ? -1 : 1))).toEqual(map.repositories);
    expect(JSON.parse(new TextDecoder().decode(bytes))).toMatchObject({
      mapping: [{ paths: ALL_PATHS, repositories: ['image', 'director'], terminating: true, threshold: 2 }],
    });
    expect(ALL_PATHS).toContain('*/*/*/*');
  });

  test('that asks less, says more, or leads elsewhere is refused', () => {
    const text = new TextDecoder().decode(encodeMapFile(map));
    const changes: readonly (readonly [string | RegExp, string])[] = [
      ['"threshold":2', '"threshold":1'],
      ['"threshold":2', '"threshold":3'],
      ['"repositories":["image","director"]', '"repositories":["image"]'],
      ['"repositories":["image","director"]', '"repositories":["image","image"]'],
      ['"terminating":true', '"terminating":false'],
      ['"*/*/*",', ''],
      ['"mapping":[', '"mapping":[{"paths":["*"],"repositories":["image"],"terminating":true,"threshold":1},'],
      ['"mapping"', '"more":1,"mapping"'],
      ['https://', 'file://'],
      ['https://', 'https://user:secret@'],
      ['director/', '../'],
      ['director/', '/director/'],
      [/\["director\/"\]/, '[]'],
      ['"image":[', '"im age":['],
    ];
    for (const [from, to] of changes) {
      const changed = text.replace(from, to);
      expect(changed).not.toBe(text);
      expect(() => decodeMapFile(utf8(changed))).toThrow(
        expect.toSatisfy((thrown) => isFailure(thrown, 'MAP_MALFORMED')),
      );
    }
    for (const bytes of ['', '[]', '{}', ' '.repeat(70_000), `{"mapping":[],"repositories":{}}`]) {
      expect(() => decodeMapFile(utf8(bytes))).toThrow(
        expect.toSatisfy((thrown) => isFailure(thrown, 'MAP_MALFORMED')),
      );
    }
  });
});

describe('the description of a set', () => {
  const root = { version: parseVersion(3), sha256: new Uint8Array(32).fill(7) };
  const description: ProvisioningDescription = {
    time: parseInstant('2026-11-21T00:00:00Z'),
    repository: IMAGE.repository,
    dialect: 'tuf',
    imageRoot: root,
    directorRoot: null,
    vehicle: null,
  };
  const vehicle = { id: '0'.repeat(32), vin: parseVin('5YJ3E1EA0KF000316') };

  test('is read back as it was written', () => {
    for (const one of [description, { ...description, directorRoot: root, vehicle }]) {
      expect(decodeDescription(encodeDescription(one))).toEqual(one);
    }
  });

  test('is refused wherever it is cut, and where it says something else', () => {
    const refused = (bytes: Uint8Array): void =>
      expect(() => decodeDescription(bytes)).toThrow(
        expect.toSatisfy((thrown) => isFailure(thrown, 'PROVISIONING_MALFORMED')),
      );
    const bytes = encodeDescription({ ...description, vehicle });
    for (let length = 0; length < bytes.length - 1; length++) refused(bytes.slice(0, length));
    const text = new TextDecoder().decode(bytes);
    for (const [from, to] of [
      ['provisioning/1', 'provisioning/2'],
      ['"dialect":"tuf"', '"dialect":"t\\nuf"'],
      ['"dialect"', '"more":1,"dialect"'],
      ['"version":3', '"version":0'],
      ['"version":3', '"more":1,"version":3'],
      ['0707', '07'],
      ['2026-', '26-'],
      ['5YJ3', 'OYJ3'],
      ['"id":"0', '"id":"'],
      [IMAGE.repository, 'x'],
      ['null', '[]'],
    ] as const) {
      expect(text).toContain(from);
      refused(utf8(text.replace(from, to)));
    }
    refused(new Uint8Array(DESCRIPTION_BYTES_MAX + 1).fill(0x20));
  });
});
