/** The hybrid policy: classical keys alone, however many are stolen, change nothing. */
import { describe, expect, test } from 'vitest';
import { parseVersion } from '../core/brands.ts';
import type { KeyRing } from '../formats/metadata/types.ts';
import { signBody, signBytes } from '../testing/metadata-keys.ts';
import { simulateRepository } from '../testing/simulator.ts';
import type { Simulator } from '../testing/simulator.ts';
import { outcomeOf, trustingClient } from '../testing/trusting-client.ts';
import { encodeSigned } from '../formats/metadata/envelope.ts';
import { fromUtf8, utf8 } from '../core/bytes.ts';

const TOP = ['root', 'timestamp', 'snapshot', 'targets'] as const;

/** From now on the repository signs `role` with its classical keys alone, or its post-quantum ones alone. */
function only(simulator: Simulator, role: string, family: 'classical' | 'postQuantum'): void {
  const signers = simulator.signers.get(role);
  if (signers === undefined) throw new Error(`no ${role}`);
  const none = family === 'classical' ? { postQuantum: [] } : { classical: [] };
  simulator.signers.set(role, { ...signers, ...none });
}

/** Signs the next root with changes to its hybrid section. */
function publishHybrid(simulator: Simulator, change: (hybrid: KeyRing) => KeyRing | undefined): void {
  simulator.edit('root', ({ extension }) => {
    const hybrid = extension?.hybrid;
    return { extension: extension && { ...extension, hybrid: hybrid && change(hybrid) } };
  });
  simulator.publishRoot();
}

describe('stolen keys of one family', () => {
  test.each(['timestamp', 'snapshot', 'targets'])('classical keys of %s alone do not sign it', async (role) => {
    const simulator = simulateRepository({ hybrid: true });
    const client = trustingClient(simulator);
    only(simulator, role, 'classical');
    simulator.publish();
    expect(await outcomeOf(client.update())).toBe('TRUST_HYBRID_THRESHOLD');
  });

  test.each(['timestamp', 'snapshot', 'targets'])('post-quantum keys of %s alone do not sign it', async (role) => {
    const simulator = simulateRepository({ hybrid: true });
    const client = trustingClient(simulator);
    only(simulator, role, 'postQuantum');
    simulator.publish();
    expect(await outcomeOf(client.update())).toBe('TRUST_THRESHOLD');
  });

  test('all classical keys together do not make a root, with or without the section', async () => {
    for (const strip of [false, true]) {
      const simulator = simulateRepository({ hybrid: true });
      const client = trustingClient(simulator);
      for (const role of TOP) only(simulator, role, 'classical');
      if (strip)
        simulator.edit('root', ({ extension }) => ({ extension: extension && { ...extension, hybrid: undefined } }));
      const { classical = [] } = simulator.signers.get('root') ?? {};
      const body = { ...simulator.bodies.root, version: parseVersion(2) };
      simulator.files.set('2.root.json', signBody(body, { classical, postQuantum: [] }));
      expect(await outcomeOf(client.update())).toBe('TRUST_HYBRID_THRESHOLD');
    }
  });

  test('a new root needs the post-quantum keys of the old root and its own', async () => {
    for (const missing of ['old', 'new']) {
      const simulator = simulateRepository({ hybrid: true });
      const client = trustingClient(simulator);
      const old = simulator.signers.get('root');
      simulator.rotate('root');
      const fresh = simulator.signers.get('root');
      const classical = [...(old?.classical ?? []), ...(fresh?.classical ?? [])];
      const postQuantum = (missing === 'old' ? fresh : old)?.postQuantum ?? [];
      const body = { ...simulator.bodies.root, version: parseVersion(2) };
      simulator.files.set('2.root.json', signBody(body, { classical, postQuantum }));
      expect(await outcomeOf(client.update())).toBe('TRUST_HYBRID_THRESHOLD');
    }
  });
});

describe('the section stripped or narrowed', () => {
  test('a hybrid pinned root demands it for ever, even against all keys', async () => {
    const simulator = simulateRepository({ hybrid: true });
    const client = trustingClient(simulator);
    publishHybrid(simulator, () => undefined);
    expect(await outcomeOf(client.update())).toBe('TRUST_HYBRID_MISSING');
  });

  test('where a later root brought it, leaving it again takes both families of the root before', async () => {
    const simulator = simulateRepository({ hybrid: true });
    const { extension } = simulator.bodies.root;
    const plain = { ...simulator.bodies.root, extension: extension && { ...extension, hybrid: undefined } };
    const pinned = signBody(plain, simulator.signers.get('root') ?? { classical: [], postQuantum: [] });
    simulator.publishRoot();
    const client = trustingClient(simulator, pinned);
    expect(await outcomeOf(client.update())).toBe('done');
    const body = { ...plain, version: parseVersion(3) };
    const { classical = [], postQuantum = [] } = simulator.signers.get('root') ?? {};
    simulator.files.set('3.root.json', signBody(body, { classical, postQuantum: [] }));
    expect(await outcomeOf(client.update())).toBe('TRUST_HYBRID_THRESHOLD');
    simulator.files.set('3.root.json', signBody(body, { classical, postQuantum }));
    expect(await outcomeOf(client.update())).toBe('done');
    expect(await outcomeOf(trustingClient(simulator, pinned).update({ requireHybrid: true }))).toBe(
      'TRUST_HYBRID_MISSING',
    );
  });

  test('one role dropped from it, or one more in it', async () => {
    for (const change of ['drop', 'add']) {
      const simulator = simulateRepository({ hybrid: true });
      const client = trustingClient(simulator);
      publishHybrid(simulator, (hybrid) => {
        const roles = new Map(hybrid.roles);
        const targets = roles.get('targets');
        roles.delete('targets');
        if (change === 'add' && targets !== undefined) roles.set('targets', targets).set('extra', targets);
        return { ...hybrid, roles };
      });
      expect(await outcomeOf(client.update())).toBe('METADATA_HYBRID_INCOMPLETE');
    }
  });

  test('a threshold of zero in it', async () => {
    const simulator = simulateRepository({ hybrid: true });
    const client = trustingClient(simulator);
    publishHybrid(simulator, (hybrid) => {
      const roles = new Map([...hybrid.roles].map(([role, keys]) => [role, { ...keys, threshold: 0 }] as const));
      return { ...hybrid, roles };
    });
    expect(await outcomeOf(client.update())).toBe('METADATA_MALFORMED');
  });

  test('a lower threshold in it takes both families under the root before', async () => {
    const simulator = simulateRepository({ hybrid: true });
    simulator.rotate('root', 2);
    simulator.publishRoot();
    const client = trustingClient(simulator, simulator.files.get('2.root.json'));
    simulator.edit('root', ({ extension, roles }) => {
      const lower = (ring: KeyRing['roles']): KeyRing['roles'] => {
        const root = ring.get('root');
        return root === undefined ? ring : new Map(ring).set('root', { ...root, threshold: 1 });
      };
      const hybrid = extension?.hybrid;
      return {
        roles: lower(roles),
        extension: extension && hybrid && { ...extension, hybrid: { ...hybrid, roles: lower(hybrid.roles) } },
      };
    });
    const { classical = [], postQuantum = [] } = simulator.signers.get('root') ?? {};
    const body = { ...simulator.bodies.root, version: parseVersion(3) };
    simulator.files.set('3.root.json', signBody(body, { classical, postQuantum: postQuantum.slice(0, 1) }));
    expect(await outcomeOf(client.update())).toBe('TRUST_HYBRID_THRESHOLD');
    simulator.files.set('3.root.json', signBody(body, { classical, postQuantum }));
    expect(await outcomeOf(client.update())).toBe('done');
  });

  test('a classical key in it, or a post-quantum key among the classical ones, counts for nothing', async () => {
    const simulator = simulateRepository({ hybrid: true });
    const client = trustingClient(simulator);
    const { classical = [], postQuantum = [] } = simulator.signers.get('timestamp') ?? {};
    simulator.edit('root', ({ extension, keys }) => {
      const hybrid = extension?.hybrid;
      const ids = classical.map(({ publicKey }) => publicKey.keyId);
      return {
        extension: extension &&
          hybrid && {
            ...extension,
            hybrid: {
              keys: new Map([...hybrid.keys, ...keys]),
              roles: new Map(hybrid.roles).set('timestamp', { keyIds: ids, threshold: 1 }),
            },
          },
      };
    });
    simulator.publishRoot();
    simulator.signers.set('timestamp', { classical, postQuantum: classical, threshold: 1 });
    simulator.publishTimestamp();
    expect(await outcomeOf(client.update())).toBe('TRUST_HYBRID_THRESHOLD');
    simulator.signers.set('timestamp', { classical, postQuantum, threshold: 1 });
    simulator.publishTimestamp();
    expect(await outcomeOf(client.update())).toBe('TRUST_HYBRID_THRESHOLD');
  });

  test('require-hybrid refuses a repository that is not', async () => {
    const simulator = simulateRepository();
    expect(await outcomeOf(trustingClient(simulator).update({ requireHybrid: true }))).toBe('TRUST_HYBRID_MISSING');
  });

  test('the section in a Snapshot is malformed, and so is it in Targets that delegate nothing', async () => {
    for (const role of ['snapshot', 'targets'] as const) {
      const simulator = simulateRepository({ hybrid: true });
      const client = trustingClient(simulator);
      const hybrid = simulator.bodies.root.extension?.hybrid;
      simulator.edit(role, ({ extension }) => ({ extension: extension && { ...extension, hybrid } }));
      simulator.publish();
      expect(await outcomeOf(client.update())).toBe('METADATA_MALFORMED');
    }
  });
});

describe('what a signature covers', () => {
  test('a post-quantum signature over the canonical bytes themselves is none', async () => {
    const simulator = simulateRepository({ hybrid: true });
    const client = trustingClient(simulator);
    const signers = simulator.signers.get('timestamp');
    const unlabelled = (signers?.postQuantum ?? []).map((key) => ({
      ...key,
      sign: () => key.sign(utf8('anything else')),
    }));
    simulator.signers.set('timestamp', { classical: signers?.classical ?? [], postQuantum: unlabelled, threshold: 1 });
    simulator.publishTimestamp();
    expect(await outcomeOf(client.update())).toBe('TRUST_HYBRID_THRESHOLD');
  });

  test('unknown members of signed are covered and survive', async () => {
    const simulator = simulateRepository({ hybrid: true });
    const client = trustingClient(simulator);
    const text = fromUtf8(encodeSigned(simulator.bodies.timestamp));
    const more = utf8(text.replace('{', '{"a-later-tool":{"says":["something",1]},'));
    simulator.files.set(
      'timestamp.json',
      signBytes(more, simulator.signers.get('timestamp') ?? { classical: [], postQuantum: [] }),
    );
    const set = await client.update();
    expect(set.timestamp?.verified.bytes).toEqual(simulator.files.get('timestamp.json'));
    const changed = fromUtf8(simulator.files.get('timestamp.json') ?? new Uint8Array()).replace(
      '"something"',
      '"Something"',
    );
    simulator.files.set('timestamp.json', utf8(changed));
    expect(await outcomeOf(trustingClient(simulator).update())).toBe('TRUST_THRESHOLD');
  });
});
