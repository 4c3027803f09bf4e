/**
 * The attacks on a client of the Image repository, each beside the honest run that it disturbs.
 *
 * Each row begins with a client that has updated once. The same client, without the attack, updates to the end; with it,
 * it refuses by the attack's own code.
 *
 * @see Uptane 2.1.0 section 5.4.4; TUF 1.0.34 section 1.5.2
 */
import { describe, expect, test } from 'vitest';
import { parseVersion } from '../core/brands.ts';
import { fromUtf8, utf8 } from '../core/bytes.ts';
import type { ErrorCode } from '../core/errors.ts';
import { DIALECTS, dialectOf } from '../formats/metadata/index.ts';
import { signBody } from '../testing/metadata-keys.ts';
import { simulateRepository } from '../testing/simulator.ts';
import type { Simulator, SimulatorSetup } from '../testing/simulator.ts';
import { outcomeOf, trustingClient } from '../testing/trusting-client.ts';
import { checkTarget } from './target-check.ts';

const BRAKE = 'EV-1/BRAKE/1.0/brake.bin';
const CONTENT = utf8('brake firmware 1.0');

/** One attack. */
interface Attack {
  readonly name: string;
  readonly code: ErrorCode;
  readonly setup?: SimulatorSetup;
  /** What the repository has honestly done before and the client has seen. */
  readonly before?: (simulator: Simulator) => void;
  /** What it does honestly next; the attack is on top of it. */
  readonly next?: (simulator: Simulator) => void;
  readonly attack: (simulator: Simulator, seen: ReadonlyMap<string, Uint8Array>) => void;
}

const HYBRID = { hybrid: true };

function keep(simulator: Simulator, seen: ReadonlyMap<string, Uint8Array>, name: string): void {
  simulator.files.set(name, seen.get(name) ?? new Uint8Array());
}

/** The classical keys of a role alone, as one who broke them would sign. */
function classicalOnly(simulator: Simulator, role: string): void {
  const keys = simulator.signers.get(role);
  if (keys !== undefined) simulator.signers.set(role, { ...keys, postQuantum: [] });
}

/** Keys of another repository in the place of a role's own; what lists the keys stays as it is. */
function strangers(simulator: Simulator, role: string): void {
  const other = simulateRepository({ label: 'thief' }).signers.get(role);
  if (other !== undefined) simulator.signers.set(role, other);
}

const ATTACKS: readonly Attack[] = [
  ...(['targets', 'snapshot', 'timestamp'] as const).map((role) => ({
    name: `arbitrary software: ${role} signed by a stranger`,
    code: 'TRUST_THRESHOLD' as const,
    attack: (simulator: Simulator) => {
      strangers(simulator, role);
      simulator.publish();
    },
  })),
  {
    name: 'stolen online keys: Timestamp and Snapshot cannot bring in Targets of theirs',
    code: 'TRUST_THRESHOLD',
    attack(simulator) {
      const stolen = simulator.signers.get('snapshot');
      if (stolen !== undefined) simulator.signers.set('targets', stolen);
      simulator.addTarget(BRAKE, 'malware');
      simulator.publish();
    },
  },
  {
    name: 'rollback of Timestamp',
    code: 'TRUST_ROLLBACK',
    before: (simulator) => simulator.publish(),
    attack(simulator) {
      simulator.edit('timestamp', () => ({ version: parseVersion(1) }));
      simulator.publishTimestamp();
    },
  },
  {
    name: 'rollback of Snapshot by a stolen Timestamp key',
    code: 'TRUST_ROLLBACK',
    before: (simulator) => simulator.publish(),
    attack(simulator) {
      simulator.edit('timestamp', ({ snapshot }) => ({
        version: parseVersion(9),
        snapshot: { ...snapshot, version: parseVersion(1) },
      }));
      simulator.publishTimestamp();
    },
  },
  {
    name: 'rollback of Targets by stolen online keys',
    code: 'TRUST_ROLLBACK',
    before: (simulator) => simulator.publish(),
    attack(simulator) {
      const one = { version: parseVersion(1), length: undefined, hashes: undefined };
      simulator.edit('snapshot', () => ({ version: parseVersion(9), meta: new Map([['targets.json', one]]) }));
      simulator.edit('timestamp', () => ({ version: parseVersion(9) }));
      simulator.publishSnapshot();
    },
  },
  {
    name: 'rollback of the root: an old one under the next number',
    code: 'TRUST_ROLLBACK',
    attack: (simulator, seen) => {
      simulator.files.set('2.root.json', seen.get('1.root.json') ?? new Uint8Array());
    },
  },
  {
    name: 'a gap in the root chain',
    code: 'TRUST_ROOT_GAP',
    next: (simulator) => void simulator.publishRoot(),
    attack(simulator) {
      simulator.files.set('2.root.json', simulator.publishRoot());
    },
  },
  {
    name: 'indefinite freeze: nothing new is let through until it expires',
    code: 'TRUST_EXPIRED',
    attack(simulator, seen) {
      for (const name of seen.keys()) keep(simulator, seen, name);
      simulator.edit('timestamp', () => ({ version: parseVersion(7), expires: simulator.now }));
      simulator.publishTimestamp();
    },
  },
  {
    name: 'mix-and-match: Targets of yesterday under the Snapshot of today',
    code: 'TRUST_MIX_AND_MATCH',
    next: (simulator) => simulator.publish(),
    attack: (simulator, seen) => {
      const [old, current] = [2, 3].map((version) => simulator.fileName('targets', version));
      simulator.files.set(current ?? '', seen.get(old ?? '') ?? new Uint8Array());
    },
  },
  {
    name: 'mix-and-match: a Snapshot other than Timestamp lists',
    code: 'TRUST_MIX_AND_MATCH',
    next: (simulator) => simulator.publish(),
    attack: (simulator, seen) => {
      const [old, current] = [2, 3].map((version) => simulator.fileName('snapshot', version));
      simulator.files.set(current ?? '', seen.get(old ?? '') ?? new Uint8Array());
    },
  },
  {
    name: 'metadata of the Director, signed by the same keys',
    code: 'TRUST_WRONG_REPOSITORY',
    attack(simulator) {
      simulator.edit('targets', ({ extension }) => ({ extension: extension && { ...extension, kind: 'director' } }));
      simulator.publish();
    },
  },
  {
    name: 'one role in the place of another, signed by its own key',
    code: 'METADATA_WRONG_ROLE',
    next: (simulator) => simulator.publish(),
    attack: (simulator) => {
      simulator.files.set('timestamp.json', simulator.sign(simulator.bodies.targets, 'timestamp'));
    },
  },
  {
    name: 'withheld metadata',
    code: 'TRUST_FILE_MISSING',
    next: (simulator) => simulator.publish(),
    attack: (simulator) => void simulator.files.delete(simulator.fileName('targets', 3)),
  },
  {
    name: 'endless data',
    code: 'TRUST_ENDLESS_DATA',
    attack: (simulator) => void simulator.files.set('timestamp.json', new Uint8Array(70_000).fill(0x20)),
  },
  {
    name: 'hybrid: stolen classical keys of Targets alone',
    code: 'TRUST_HYBRID_THRESHOLD',
    setup: HYBRID,
    next: (simulator) => simulator.publish(),
    attack(simulator) {
      classicalOnly(simulator, 'targets');
      simulator.publish();
    },
  },
  {
    name: 'hybrid: stolen classical keys of a delegated role alone',
    code: 'TRUST_HYBRID_THRESHOLD',
    setup: HYBRID,
    before: (simulator) => simulator.delegate('targets', { name: 'brakes' }),
    next: (simulator) => simulator.publish(),
    attack(simulator) {
      classicalOnly(simulator, 'brakes');
      simulator.publish();
    },
  },
  {
    name: 'hybrid: a delegation whose section was stripped',
    code: 'TRUST_HYBRID_MISSING',
    setup: HYBRID,
    before: (simulator) => simulator.delegate('targets', { name: 'brakes' }),
    next: (simulator) => simulator.publish(),
    attack(simulator) {
      simulator.edit('targets', ({ extension }) => ({ extension: extension && { ...extension, hybrid: undefined } }));
      simulator.publish();
    },
  },
  {
    name: 'a delegation chain too deep',
    code: 'TRUST_LIMIT',
    next: (simulator) => simulator.publish(),
    attack(simulator) {
      for (let depth = 0; depth < 40; depth++) {
        simulator.delegate(depth === 0 ? 'targets' : `deep-${depth - 1}`, { name: `deep-${depth}` });
      }
      simulator.publish();
    },
  },
  {
    name: 'a delegated role signed by a stranger',
    code: 'TRUST_THRESHOLD',
    before: (simulator) => simulator.delegate('targets', { name: 'brakes' }),
    next: (simulator) => simulator.publish(),
    attack(simulator) {
      const other = simulateRepository({ label: 'thief' }).signers.get('targets');
      if (other !== undefined) simulator.signers.set('brakes', other);
      simulator.publish();
    },
  },
];

const CASES = DIALECTS.flatMap(({ id: dialect }) => ATTACKS.map((attack) => ({ dialect, ...attack })));

describe.each(CASES)('$dialect: $name', ({ dialect, code, setup, before, next, attack }) => {
  const scene = async () => {
    const simulator = simulateRepository({ ...setup, dialect });
    const client = trustingClient(simulator);
    before?.(simulator);
    simulator.publish();
    await client.find('missing.bin');
    return { simulator, client, seen: new Map(simulator.files) };
  };

  test('the honest run passes', async () => {
    const { simulator, client } = await scene();
    next?.(simulator);
    expect(await outcomeOf(client.find('missing.bin'))).toBe('done');
    expect((await client.find(BRAKE)).found?.verified.role).toBe('targets');
  });

  test(`U41: the attack is refused as ${code}`, async () => {
    const { simulator, client, seen } = await scene();
    next?.(simulator);
    attack(simulator, seen);
    expect(await outcomeOf(client.find('missing.bin'))).toBe(code);
  });
});

test.each([
  ['tuf', 'aktualizr'],
  ['aktualizr', 'tuf'],
] as const)('dialect %s: a Timestamp of dialect %s, signed by the same key, is refused', async (dialect, other) => {
  const simulator = simulateRepository({ dialect });
  const client = trustingClient(simulator);
  const keys = simulator.signers.get('timestamp');
  const [key] = keys?.classical ?? [];
  if (keys === undefined || key === undefined) throw new Error('no key');
  const { publicKey } = key;
  const file = fromUtf8(signBody(simulator.bodies.timestamp, keys, dialectOf(other)));
  const [listed, wrong] = [dialect, other].map((id) => dialectOf(id).listedId(publicKey.keyId, publicKey));
  simulator.files.set('timestamp.json', utf8(file.replace(wrong ?? '', listed ?? '')));
  expect(await outcomeOf(client.update())).toBe('TRUST_WRONG_REPOSITORY');
});

describe('fast-forward', () => {
  test('of a stolen online key is recovered from by a rotation of that key', async () => {
    const simulator = simulateRepository();
    const client = trustingClient(simulator);
    simulator.edit('timestamp', () => ({ version: parseVersion(1_000_000) }));
    simulator.edit('snapshot', () => ({ version: parseVersion(1_000_000) }));
    simulator.publishSnapshot();
    await client.update();
    for (const role of ['timestamp', 'snapshot'] as const) {
      simulator.edit(role, () => ({ version: parseVersion(2) }));
    }
    simulator.publishSnapshot();
    expect(await outcomeOf(client.update())).toBe('TRUST_ROLLBACK');
    for (const role of ['timestamp', 'snapshot']) simulator.rotate(role);
    simulator.publishRoot();
    simulator.publishSnapshot();
    expect(await outcomeOf(client.update())).toBe('done');
  });
});

describe('arbitrary software in the place of a target', () => {
  test.each([
    ['the listed bytes', CONTENT, 'done'],
    ['others of that length', utf8('brake firmware 6.6'), 'TRUST_ARBITRARY_SOFTWARE'],
    ['without an end', new Uint8Array(100_000), 'TRUST_ENDLESS_DATA'],
  ])('%s', async (_, content, expected) => {
    const { found } = await trustingClient(simulateRepository()).find(BRAKE);
    if (found === undefined) throw new Error('not found');
    const { name, target } = found.verified;
    expect(await outcomeOf(() => checkTarget({ engine: 'native', name, target }, content))).toBe(expected);
  });
});

test('cyclic delegations end, and a terminating one hides what comes after it', async () => {
  const simulator = simulateRepository();
  simulator.delegate('targets', { name: 'one', paths: ['x/*'], terminating: true });
  simulator.delegate('targets', { name: 'two', paths: ['x/*', 'y/*'] });
  simulator.delegate('one', { name: 'one', paths: ['x/*'] });
  simulator.addTarget('x/a.bin', 'a', 'two');
  simulator.addTarget('y/b.bin', 'b', 'two');
  simulator.publish();
  const client = trustingClient(simulator);
  expect((await client.find('x/a.bin')).found).toBeUndefined();
  expect((await client.find('y/b.bin')).found?.verified.role).toBe('two');
});
