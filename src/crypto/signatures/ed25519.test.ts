import { ed25519 as noble, ED25519_TORSION_SUBGROUP } from '@noble/curves/ed25519.js';
import { describe, expect, test } from 'vitest';
import { concatBytes, fromHex, toHex } from '../../core/bytes.ts';
import { codeOf, cryptoVectors, hex } from '../../testing/crypto-vectors.ts';
import { ENGINES } from '../engine.ts';
import { sha512 } from '../hash.ts';
import { ed25519 } from './ed25519.ts';

interface Rfc8032Case {
  readonly name: string;
  readonly seed: string;
  readonly publicKey: string;
  readonly msg: string;
  readonly sig: string;
}

interface SignatureCase {
  readonly tcId: number;
  readonly publicKey: string;
  readonly msg: string;
  readonly sig: string;
  readonly result: 'valid' | 'invalid';
}

const littleEndian = (bytes: Uint8Array) => BigInt(`0x${toHex(bytes.slice().reverse())}`);
const scalarBytes = (value: bigint) => fromHex(value.toString(16).padStart(64, '0')).reverse();

/**
 * A signature under a key with a part of order 8 that the cofactored equation accepts; `k` is the challenge.
 * The plain equation holds only where 8 divides k.
 */
function mixedOrderSignature(message: Uint8Array) {
  const { Point } = noble;
  const order = Point.Fn.ORDER;
  const torsion = Point.fromHex(ED25519_TORSION_SUBGROUP[1] ?? '');
  const [a, r] = [1234567n, 7654321n];
  const publicKey = Point.BASE.multiply(a).add(torsion).toBytes();
  const nonce = Point.BASE.multiply(r).toBytes();
  const k = littleEndian(sha512('noble', concatBytes(nonce, publicKey, message))) % order;
  return { publicKey, k, signature: concatBytes(nonce, scalarBytes((r + k * a) % order)) };
}

describe.each(ENGINES)('Ed25519 with engine %s', (engine) => {
  test('gives the keys and signatures of RFC 8032 and of its authors', () => {
    for (const vector of cryptoVectors<Rfc8032Case>('rfc8032-ed25519').cases) {
      const [secret, message] = [hex(vector.seed), hex(vector.msg)];
      const pair = ed25519.keygen(engine, secret);
      expect(toHex(pair.publicKey), `for ${vector.name}`).toBe(vector.publicKey);
      const signature = ed25519.sign({ engine, secret, message });
      expect(toHex(signature), `for ${vector.name}`).toBe(vector.sig);
      ed25519.verify({ engine, publicKey: pair.publicKey, message, signature });
    }
  });

  test('passes Wycheproof', () => {
    for (const vector of cryptoVectors<SignatureCase>('wycheproof-ed25519').cases) {
      const request = { publicKey: hex(vector.publicKey), message: hex(vector.msg), signature: hex(vector.sig) };
      const expected = vector.result === 'valid' ? undefined : 'SIGNATURE_INVALID';
      expect(
        codeOf(() => ed25519.verify({ ...request, engine })),
        `${vector.tcId}`,
      ).toBe(expected);
    }
  });

  test('refuses keys of small order, keys that are not canonical and keys that are no points', () => {
    const signature = new Uint8Array(64);
    signature[0] = 1;
    const top = 'ff'.repeat(30);
    const wrong = [
      ...ED25519_TORSION_SUBGROUP,
      // The same points with the sign bit that their encoding does not have, or with y + p.
      `01${'00'.repeat(30)}80`,
      `ec${top}ff`,
      `ed${top}7f`,
      `ee${top}7f`,
      `ed${top}ff`,
      // y = p + 2 is a point under another name, y = 2 with x off the curve is none.
      `f0${top}7f`,
      `02${'00'.repeat(31)}`,
      'ff'.repeat(32),
    ];
    for (const text of wrong) {
      const publicKey = fromHex(text);
      expect(
        codeOf(() => ed25519.checkPublicKey(engine, publicKey)),
        `key ${text}`,
      ).toBe('KEY_MALFORMED');
      const verify = () => ed25519.verify({ engine, publicKey, message: signature, signature });
      expect(codeOf(verify), `key ${text}`).toBe('KEY_MALFORMED');
    }
  });

  test('never depends on the cofactor: a signature of mixed order holds only where the plain equation does', () => {
    let accepted = 0;
    for (let i = 0; i < 32; i++) {
      const message = Uint8Array.of(i);
      const { publicKey, k, signature } = mixedOrderSignature(message);
      expect(noble.verify(signature, message, publicKey, { zip215: false })).toBe(true);
      const expected = k % 8n === 0n ? undefined : 'SIGNATURE_INVALID';
      expect(codeOf(() => ed25519.verify({ engine, publicKey, message, signature }))).toBe(expected);
      if (expected === undefined) accepted += 1;
    }
    expect(accepted).toBeGreaterThan(0);
    expect(accepted).toBeLessThan(32);
  });
});
