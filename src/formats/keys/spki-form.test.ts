/** The reader without a library against the one with it: the same keys are read, the same bytes written. */
import * as asn1js from 'asn1js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toHex } from '../../core/bytes.ts';
import { isFailure } from '../../core/errors.ts';
import { signerKey } from '../../testing/signer-keys.ts';
import { algorithmNode, readAlgorithm } from './algorithm-identifier.ts';
import { KEY_IDENTIFIERS } from './algorithms.ts';
import { decodeDer, derBits, derSequence, encodeDer } from './der.ts';
import { decodeSpki, encodeSpki, publicKeyBytes } from './spki.ts';
import { algorithmBytes, readSpki } from './spki-form.ts';

const FIXED = KEY_IDENTIFIERS.filter(({ algorithm }) => algorithm !== 'rsa-pss-sha256');

function byLibrary(der: Uint8Array): string {
  return outcome(() => {
    const [algorithm, bits] = derSequence(decodeDer(der, 'SPKI'), { min: 2, max: 2, what: 'SPKI' });
    const found = readAlgorithm(algorithm, 'signing');
    const bytes = derBits(bits, 'SPKI');
    if (bytes.length !== publicKeyBytes(found.algorithm)) return 'refused';
    return `${found.algorithm} ${toHex(bytes)}`;
  });
}

function byHand(der: Uint8Array): string {
  return outcome(() => {
    const { algorithm, bytes } = decodeSpki(der);
    return `${algorithm} ${toHex(bytes)}`;
  });
}

function outcome(work: () => string): string {
  try {
    return work();
  } catch (thrown) {
    // Which of two faults is named may differ.
    if (isFailure(thrown, 'KEY_MALFORMED') || isFailure(thrown, 'ALGORITHM_UNKNOWN')) return 'refused';
    throw thrown;
  }
}

describe('SPKI by hand', () => {
  test.each(KEY_IDENTIFIERS.map((entry) => [entry.algorithm, entry] as const))(
    'the identifier of %s is what the library writes',
    (algorithm, entry) => {
      expect(toHex(algorithmBytes(algorithm) ?? new Uint8Array())).toBe(toHex(encodeDer(algorithmNode(entry))));
    },
  );

  test.each(FIXED.map((entry) => [entry.algorithm, entry] as const))(
    'a key of %s likewise, and back',
    (algorithm, entry) => {
      const bytes = new Uint8Array(publicKeyBytes(algorithm)).map((_, index) => index * 7);
      const bits = new asn1js.BitString({ valueHex: Uint8Array.from(bytes) });
      const der = encodeDer(new asn1js.Sequence({ value: [algorithmNode(entry), bits] }));
      expect(toHex(encodeSpki({ algorithm, bytes }))).toBe(toHex(der));
      expect(decodeSpki(der, entry.purpose)).toEqual({ algorithm, bytes });
      expect(readSpki(der).oid).toBe(entry.oid);
    },
  );

  test('whatever byte is changed, put in or taken out, both say the same of it', () => {
    const spki = encodeSpki(signerKey('ecdsa-p256', 'one').publicKey);
    const small = encodeSpki(signerKey('ed25519', 'one').publicKey);
    const change = fc.record({
      at: fc.nat(40),
      cut: fc.nat(2),
      put: fc.uint8Array({ maxLength: 2 }),
      key: fc.boolean(),
    });
    fc.assert(
      fc.property(change, ({ at, cut, put, key }) => {
        const from = key ? spki : small;
        const der = Uint8Array.from([...from.subarray(0, at), ...put, ...from.subarray(at + cut)]);
        expect(byHand(der)).toBe(byLibrary(der));
      }),
      { numRuns: 4000 },
    );
  });
});
