/** Who must sign a bundle. */
import { describe, expect, test } from 'vitest';
import type { SignatureId } from '../crypto/signatures/index.ts';
import { utf8 } from '../core/bytes.ts';
import { believe } from './believe.ts';
import { testKey } from '../testing/metadata-keys.ts';
import type { TestKey } from '../testing/metadata-keys.ts';
import { simulateRepository } from '../testing/simulator.ts';
import { outcomeOf, trustingClient } from '../testing/trusting-client.ts';
import { bundlePolicyOf, requireSignatures } from './bundle-policy.ts';
import type { BundlePolicy, BundleSignature } from './bundle-policy.ts';

const BUNDLE = 'bundles/1.0/ZG.otap';
const MESSAGE = utf8('header and manifest');

function signed(key: TestKey, message = MESSAGE): BundleSignature {
  const { algorithm, keyId } = key.publicKey;
  return { algorithm: algorithm as SignatureId, keyId, message: MESSAGE, signature: key.sign(message) };
}

async function policyOf(simulator: ReturnType<typeof simulateRepository>): Promise<BundlePolicy> {
  const { found } = await trustingClient(simulator).find(BUNDLE);
  return bundlePolicyOf(found ?? believe(never()));
}

function requireAll(policy: BundlePolicy, signatures: readonly BundleSignature[]): Promise<string> {
  return outcomeOf(() => requireSignatures({ engine: 'native', policy }, signatures));
}

describe('signatures of a bundle', () => {
  test('both families of the role that lists it', async () => {
    const simulator = simulateRepository({ hybrid: true });
    const policy = await policyOf(simulator);
    const { classical = [], postQuantum = [] } = simulator.signers.get('targets') ?? {};
    const both = [...classical, ...postQuantum].map((key) => signed(key));
    expect(policy.policies.map(({ role }) => role)).toEqual(['targets']);
    expect(await requireAll(policy, both)).toBe('done');
    expect(
      await requireAll(
        policy,
        classical.map((key) => signed(key)),
      ),
    ).toBe('TRUST_HYBRID_THRESHOLD');
    expect(
      await requireAll(
        policy,
        postQuantum.map((key) => signed(key)),
      ),
    ).toBe('TRUST_THRESHOLD');
    expect(await requireAll(policy, [])).toBe('TRUST_THRESHOLD');
    expect(await requireAll(policy, [...both, signed(testKey('ed25519', 'a stranger'))])).toBe('done');
  });

  test('of the delegation that lists it, not of Targets', async () => {
    const simulator = simulateRepository();
    simulator.edit('targets', () => ({ targets: new Map() }));
    simulator.delegate('targets', { name: 'bundles', paths: ['bundles/*/*'] });
    simulator.addTarget(BUNDLE, 'a bundle', 'bundles');
    simulator.publish();
    const policy = await policyOf(simulator);
    const own = (simulator.signers.get('bundles')?.classical ?? []).map((key) => signed(key));
    const above = (simulator.signers.get('targets')?.classical ?? []).map((key) => signed(key));
    expect(await requireAll(policy, own)).toBe('done');
    expect(await requireAll(policy, above)).toBe('TRUST_THRESHOLD');
  });

  test('a threshold of two counts a key once, however often it signs', async () => {
    const simulator = simulateRepository({ classical: 'ecdsa-p256' });
    simulator.rotate('targets', 2);
    simulator.publishRoot();
    simulator.publish();
    const policy = await policyOf(simulator);
    const [first, second] = simulator.signers.get('targets')?.classical ?? [];
    if (first === undefined || second === undefined) throw new Error('no keys');
    expect(await requireAll(policy, [signed(first), signed(first)])).toBe('TRUST_THRESHOLD');
    expect(await requireAll(policy, [signed(first), signed(second)])).toBe('done');
  });

  test('a wrong message, a wrong algorithm or a bad signature counts for nothing', async () => {
    const simulator = simulateRepository();
    const policy = await policyOf(simulator);
    const [key] = simulator.signers.get('targets')?.classical ?? [];
    if (key === undefined) throw new Error('no key');
    const good = signed(key);
    expect(await requireAll(policy, [signed(key, utf8('another manifest'))])).toBe('TRUST_THRESHOLD');
    expect(await requireAll(policy, [{ ...good, algorithm: 'ml-dsa-65' }])).toBe('TRUST_THRESHOLD');
    expect(await requireAll(policy, [{ ...good, signature: good.signature.slice(1) }])).toBe('TRUST_THRESHOLD');
  });

  test('nobody to vouch for it is not a policy that nobody fails', async () => {
    expect(await requireAll({ target: BUNDLE, policies: [] }, [])).toBe('TRUST_THRESHOLD');
  });
});

function never(): never {
  throw new Error('not found');
}
