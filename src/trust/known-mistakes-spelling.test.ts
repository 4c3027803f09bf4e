/**
 * Mistakes that known TUF and Uptane clients have made in reading files: versions, hex, dates, signatures. The other ones
 * are in `known-mistakes.test.ts`.
 */
import { describe, expect, test } from 'vitest';
import { utf8 } from '../core/bytes.ts';
import { encodeSigned } from '../formats/metadata/envelope.ts';
import { signBody, signBytes } from '../testing/metadata-keys.ts';
import { simulateRepository } from '../testing/simulator.ts';
import { respell, tamper, updated } from '../testing/tampered-files.ts';
import { outcomeOf, trustingClient } from '../testing/trusting-client.ts';

describe('T10: spec_version', () => {
  test.each([
    ['"1.0.34"', 'done'],
    ['"1.0.99"', 'done'],
    ['"1.1.0"', 'done'],
    ['"2.0.0"', 'METADATA_MALFORMED'],
    ['"0.9.0"', 'METADATA_MALFORMED'],
    ['"1"', 'METADATA_MALFORMED'],
    ['"1.0.34; later"', 'METADATA_MALFORMED'],
    ['""', 'METADATA_MALFORMED'],
    ['1', 'METADATA_MALFORMED'],
    [undefined, 'METADATA_MALFORMED'],
  ])('%s: %s', async (version, expected) => {
    for (const role of ['timestamp', 'snapshot', 'targets'] as const) {
      const simulator = simulateRepository();
      respell(simulator, role, (text) => {
        const own = /"spec_version":"[^"]*",/;
        return text.replace(own, version === undefined ? '' : `"spec_version":${version},`);
      });
      expect(await updated(simulator)).toBe(expected);
    }
  });
});

describe('T10: strict hex', () => {
  const SIG = /"sig":"([0-9a-f]+)"/;
  test.each([
    ['as it is', (hex: string) => hex, 'done'],
    ['with a tail that a lax reader stops before', (hex: string) => `${hex}zz`, 'TRUST_THRESHOLD'],
    ['with an odd digit', (hex: string) => `${hex}0`, 'TRUST_THRESHOLD'],
    ['in capitals', (hex: string) => hex.toUpperCase(), 'TRUST_THRESHOLD'],
    ['with a space', (hex: string) => ` ${hex}`, 'TRUST_THRESHOLD'],
    ['with 0x', (hex: string) => `0x${hex}`, 'TRUST_THRESHOLD'],
  ])('a signature %s: %s', async (_, change, expected) => {
    const simulator = simulateRepository();
    tamper(simulator, 'timestamp.json', (text) => text.replace(SIG, (_all, hex: string) => `"sig":"${change(hex)}"`));
    expect(await updated(simulator)).toBe(expected);
  });

  test('a hash with a tail, of odd length, in capitals or of another length than its algorithm has', async () => {
    for (const change of [
      (hex: string) => `${hex}zz`,
      (hex: string) => hex.slice(1),
      (hex: string) => hex.toUpperCase(),
      (hex: string) => hex.slice(2),
    ]) {
      const simulator = simulateRepository();
      const own = /"sha256":"([0-9a-f]*[a-f][0-9a-f]*)"/;
      respell(simulator, 'targets', (text) => text.replace(own, (_all, hex: string) => `"sha256":"${change(hex)}"`));
      expect(await updated(simulator)).toBe('METADATA_MALFORMED');
    }
  });

  test('a public key with a tail', async () => {
    const simulator = simulateRepository();
    const client = trustingClient(simulator);
    simulator.publishRoot();
    const body = simulator.bodies.root;
    const text = new TextDecoder().decode(encodeSigned(body)).replace(/("public":"[0-9a-f]{64})"/, '$1zz"');
    const signers = simulator.signers.get('root');
    if (signers === undefined) throw new Error('no root keys');
    simulator.files.set('2.root.json', signBytes(utf8(text), signers));
    expect(await outcomeOf(client.update())).toBe('METADATA_MALFORMED');
  });
});

describe('T10: strict dates', () => {
  test.each([
    ['2099-12-31T23:59:59Z', 'done'],
    ['garbage', 'METADATA_MALFORMED'],
    ['', 'METADATA_MALFORMED'],
    ['2099-12-31', 'METADATA_MALFORMED'],
    ['2099-12-31T23:59:59', 'METADATA_MALFORMED'],
    ['2099-12-31T23:59:59.000Z', 'METADATA_MALFORMED'],
    ['2099-12-31T23:59:59+02:00', 'METADATA_MALFORMED'],
    ['2099-13-01T00:00:00Z', 'METADATA_MALFORMED'],
    ['2099-02-30T00:00:00Z', 'METADATA_MALFORMED'],
    ['2099-12-31T24:00:00Z', 'METADATA_MALFORMED'],
    ['+002099-12-31T23:59:59Z', 'METADATA_MALFORMED'],
    ['Thu, 31 Dec 2099 23:59:59 GMT', 'METADATA_MALFORMED'],
  ])('expires %s: %s', async (expires, expected) => {
    const simulator = simulateRepository();
    respell(simulator, 'timestamp', (text) => text.replace(/"expires":"[^"]*"/, `"expires":"${expires}"`));
    expect(await updated(simulator)).toBe(expected);
  });
});

describe('T10: signatures', () => {
  /** Timestamp with its list of signatures changed. */
  async function withSignatures(change: (list: { keyid: string; sig: string }[]) => unknown[]): Promise<string> {
    const simulator = simulateRepository();
    tamper(simulator, 'timestamp.json', (text) => {
      const file = JSON.parse(text) as { signatures: { keyid: string; sig: string }[]; signed: unknown };
      return JSON.stringify({ ...file, signatures: change(file.signatures) });
    });
    return await updated(simulator);
  }

  test('a key id twice among the signatures is refused', async () => {
    expect(await withSignatures((list) => list)).toBe('done');
    expect(await withSignatures((list) => [...list, ...list])).toBe('METADATA_MALFORMED');
  });

  test('one key under two ids is counted once', async () => {
    const simulator = simulateRepository();
    const client = trustingClient(simulator);
    const [key] = simulator.signers.get('timestamp')?.classical ?? [];
    if (key === undefined) throw new Error('no key');
    const alias = { ...key, publicKey: { ...key.publicKey, keyId: 'alias' as typeof key.publicKey.keyId } };
    const ids = [key, alias].map(({ publicKey }) => publicKey);
    simulator.edit('root', ({ keys, roles }) => ({
      keys: new Map([
        ...keys,
        ...ids.map((publicKey) => [publicKey.keyId, { keyId: publicKey.keyId, publicKey }] as const),
      ]),
      roles: new Map(roles).set('timestamp', { keyIds: ids.map(({ keyId }) => keyId), threshold: 2 }),
    }));
    simulator.publishRoot();
    const keys = { classical: [key, alias], postQuantum: [], threshold: 2 };
    simulator.files.set('timestamp.json', signBody(simulator.bodies.timestamp, keys));
    expect(await outcomeOf(client.update())).toBe('TRUST_THRESHOLD');
  });

  test('a signature that does not belong to the role is ignored, good or garbage', async () => {
    const simulator = simulateRepository();
    const stranger = simulator.signers.get('targets')?.classical[0];
    if (stranger === undefined) throw new Error('no key');
    const own = simulator.signers.get('timestamp')?.classical ?? [];
    const { timestamp } = simulator.bodies;
    simulator.files.set('timestamp.json', signBody(timestamp, { classical: [stranger, ...own], postQuantum: [] }));
    expect(await updated(simulator)).toBe('done');
    simulator.files.set('timestamp.json', signBody(timestamp, { classical: [stranger], postQuantum: [] }));
    expect(await updated(simulator)).toBe('TRUST_THRESHOLD');
    const garbage = { keyid: 'f'.repeat(64), sig: 'not hex at all' };
    expect(await withSignatures((list) => [garbage, ...list])).toBe('done');
  });
});
