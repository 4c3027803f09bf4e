/** A tree of ours as it was written on 2026-11-21: what is out there stays readable. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseInstant, parseTargetName } from '../core/brands.ts';
import { fromUtf8, toHex } from '../core/bytes.ts';
import { sha256 } from '../crypto/hash.ts';
import { canonicalJson } from '../formats/json/canonical.ts';
import { tufKeyObject } from '../formats/keys/public-key.ts';
import { decodeMetadata, decodeSignedBytes, encodeSigned, signatureMessage } from '../formats/metadata/envelope.ts';
import { testKey } from '../testing/metadata-keys.ts';
import { findTarget } from './find-target.ts';
import type { TrustSource } from './source.ts';
import { updateFrom } from './update.ts';

const TREE = new URL('../../fixtures/vectors/tuf/hybrid/metadata/', import.meta.url);
const TOP = ['1.root.json', '2.root.json', 'timestamp.json', '1.snapshot.json'];
const NAMES = TOP.concat('1.targets.json', '1.bundles.json', '1.bin-0.json', '1.bin-1.json');

function read(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(name, TREE)));
}

const source: TrustSource = {
  fetch: (name) => Promise.resolve(NAMES.includes(name) ? read(name) : undefined),
};

describe('the golden hybrid tree', () => {
  test.each(['noble', 'native'] as const)(
    'verifies by %s, from its first root to a target in a bin',
    async (engine) => {
      const now = parseInstant('2026-11-21T12:00:00Z');
      const set = await updateFrom(source, { engine, pinnedRoot: read('1.root.json'), now });
      const query = { name: parseTargetName('bundles/2.0/ZG.otap'), hardwareId: 'HW-1' };
      const { found } = await findTarget({ source }, set, query);
      expect(set.root.verified.signed.version).toBe(2);
      expect(set.snapshot?.verified.signed.extension?.log).toEqual({ length: 12, head: '5e'.repeat(32) });
      expect(found?.verified.chain.slice(0, 2)).toEqual(['targets', 'bundles']);
      expect(found?.verified.policies[0]?.postQuantum?.threshold).toBe(1);
    },
  );

  test.each(NAMES)('%s: what is read is written again, byte for byte', (name) => {
    const { signed } = decodeMetadata(read(name)).unverified;
    const bytes = encodeSigned(signed);
    expect(decodeSignedBytes(bytes)).toEqual(signed);
    expect(Buffer.from(read(name)).includes(Buffer.from(bytes))).toBe(true);
  });
});

describe('the worked example of FORMAT.md', () => {
  const page = readFileSync(new URL('../formats/metadata/FORMAT.md', import.meta.url), 'utf8');

  test('is what the code says', () => {
    const { canonical, hybridSignatures } = decodeMetadata(read('timestamp.json')).unverified;
    const message = toHex(signatureMessage('post-quantum', canonical));
    expect(page).toContain(`\n${fromUtf8(canonical)}\n`);
    expect(page).toContain(`${message.slice(0, 8)} ${message.slice(8)}\n`);
    expect(toHex(hybridSignatures[0]?.signature ?? new Uint8Array()).slice(0, 16)).toBe('1c47ca514823ebfb');
    const key = tufKeyObject(testKey('ed25519', 'worked example').publicKey);
    expect(page).toContain(`\n${fromUtf8(canonicalJson(key))}\n`);
    expect(page).toContain(toHex(sha256('noble', canonicalJson(key))));
  });
});
