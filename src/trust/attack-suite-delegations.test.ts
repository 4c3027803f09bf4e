/**
 * Attacks by way of delegations and hashed bins, each beside the honest run that it disturbs.
 *
 * The scene: `targets` delegates `fw/*` to `firmware`, which spreads them over four bins, and `bundles/*` to `bundles`;
 * the client has found a target of each once.
 *
 * @see TUF 1.0.34 section 5.6.7; Uptane 2.1.0 section 5.4.4.7; TAP 15
 */
import { describe, expect, test } from 'vitest';
import { parseTargetName } from '../core/brands.ts';
import type { ErrorCode } from '../core/errors.ts';
import { binOf } from '../formats/metadata/path-pattern.ts';
import type { Targets } from '../formats/metadata/types.ts';
import { simulateRepository } from '../testing/simulator.ts';
import type { Simulator } from '../testing/simulator.ts';
import { daysAfter, outcomeOf, trustingClient } from '../testing/trusting-client.ts';
import type { ClientSetup } from '../testing/trusting-client.ts';
import { sourceOf } from '../testing/trust-source.ts';

const FIRMWARE = parseTargetName('fw/brake.bin');
const BUNDLE = parseTargetName('bundles/1.0.otap');
const BINS = { namePrefix: 'bins', bitLength: 2 };
const OWN_BIN = binOf('native', BINS, FIRMWARE);

type Seen = ReadonlyMap<string, Uint8Array>;

/** One attack on the way to {@link FIRMWARE}, or where `aim` says so to {@link BUNDLE}. */
interface Attack {
  readonly name: string;
  readonly code: ErrorCode | 'not found';
  readonly aim?: typeof BUNDLE;
  readonly client?: (simulator: Simulator) => ClientSetup;
  /** Changes files, bodies or keys. */
  readonly attack: (simulator: Simulator, seen: Seen) => void;
}

function scene(hybrid: boolean): Simulator {
  const simulator = simulateRepository({ hybrid });
  simulator.delegate('targets', { name: 'firmware', paths: ['fw/*'] });
  simulator.delegate('targets', { name: 'bundles', paths: ['bundles/*'] });
  simulator.delegateBins('firmware', BINS);
  simulator.addTarget(FIRMWARE, 'brake firmware', OWN_BIN);
  simulator.addTarget(BUNDLE, 'a bundle', 'bundles');
  simulator.publish();
  return simulator;
}

/** Signs for a role from now on with other keys; what lists the keys stays as it is. */
function signAs(simulator: Simulator, role: string, by: ReturnType<Simulator['signers']['get']>): void {
  if (by !== undefined) simulator.signers.set(role, by);
}

function classicalOnly(simulator: Simulator, role: string): void {
  const keys = simulator.signers.get(role);
  signAs(simulator, role, keys && { ...keys, postQuantum: [] });
}

/** A body without the hybrid keys of its delegations. */
function withoutHybrid({ extension }: Targets): Partial<Targets> {
  return { extension: extension && { ...extension, hybrid: undefined } };
}

function stranger(role: string): ReturnType<Simulator['signers']['get']> {
  return simulateRepository({ hybrid: true, label: `thief of ${role}` }).signers.get('targets');
}

const HYBRID: readonly Attack[] = [
  ...[
    { role: 'firmware', aim: undefined },
    { role: 'bundles', aim: BUNDLE },
    { role: OWN_BIN, aim: undefined },
  ].map(({ role, aim }): Attack => {
    return {
      name: `stolen classical keys alone do not sign ${role === OWN_BIN ? 'a bin' : role}`,
      code: 'TRUST_HYBRID_THRESHOLD',
      ...(aim && { aim }),
      attack(simulator) {
        classicalOnly(simulator, role);
        simulator.addTarget(aim ?? FIRMWARE, 'malware', aim === undefined ? OWN_BIN : role);
        simulator.publish();
      },
    };
  }),
  {
    name: 'a delegator without its hybrid section, signed by all its keys',
    code: 'TRUST_HYBRID_MISSING',
    attack(simulator) {
      simulator.edit('targets', (body) => withoutHybrid(body));
      simulator.publish();
    },
  },
  {
    name: 'a nested delegator strips the hybrid section from its bins',
    code: 'TRUST_HYBRID_MISSING',
    attack(simulator) {
      simulator.editDelegated('firmware', withoutHybrid);
      simulator.publish();
    },
  },
  {
    name: 'a hybrid section narrowed to the other delegation',
    code: 'METADATA_HYBRID_INCOMPLETE',
    attack(simulator) {
      simulator.edit('targets', ({ extension }) => {
        const roles = new Map([...(extension?.hybrid?.roles ?? [])].filter(([role]) => role !== 'firmware'));
        return { extension: extension?.hybrid && { ...extension, hybrid: { ...extension.hybrid, roles } } };
      });
      simulator.publish();
    },
  },
];

const EITHER: readonly Attack[] = [
  ...['firmware', OWN_BIN].map((role): Attack => {
    return {
      name: `arbitrary software: ${role === OWN_BIN ? 'a bin' : role} signed by a stranger`,
      code: 'TRUST_THRESHOLD',
      attack(simulator) {
        signAs(simulator, role, stranger(role));
        simulator.publish();
      },
    };
  }),
  {
    name: 'a delegated role cannot sign for another one',
    code: 'TRUST_THRESHOLD',
    attack(simulator) {
      signAs(simulator, OWN_BIN, simulator.signers.get('bundles'));
      simulator.publish();
    },
  },
  {
    name: 'a delegated role lists what it was not given',
    code: 'not found',
    aim: parseTargetName('other/x.bin'),
    attack(simulator) {
      simulator.addTarget('other/x.bin', 'malware', 'bundles');
      simulator.publish();
    },
  },
  {
    name: 'a target in another bin than its own',
    code: 'not found',
    aim: parseTargetName('fw/new.bin'),
    attack(simulator) {
      const own = binOf('native', BINS, parseTargetName('fw/new.bin'));
      const other = ['bins-0', 'bins-1'].find((bin) => bin !== own) ?? '';
      simulator.addTarget('fw/new.bin', 'malware', other);
      simulator.publish();
    },
  },
  {
    name: 'rollback: an old bin under its own name in a new Snapshot',
    code: 'TRUST_MIX_AND_MATCH',
    attack(simulator, seen) {
      simulator.publish();
      const version = simulator.delegated.get(OWN_BIN)?.version ?? 0;
      simulator.files.set(`${version}.${OWN_BIN}.json`, seen.get(`${version - 1}.${OWN_BIN}.json`) ?? new Uint8Array());
    },
  },
  {
    name: 'rollback: a Snapshot that no longer lists a delegated role',
    code: 'TRUST_ROLLBACK',
    attack(simulator) {
      simulator.delegated.delete('bundles');
      simulator.publish();
    },
  },
  {
    name: 'a bin that is missing from the tree',
    code: 'TRUST_FILE_MISSING',
    client: () => ({}),
    attack(simulator) {
      simulator.publish();
      simulator.files.delete(`${simulator.delegated.get(OWN_BIN)?.version ?? 0}.${OWN_BIN}.json`);
    },
  },
  {
    name: 'freeze: a delegated role that expired',
    code: 'TRUST_EXPIRED',
    attack(simulator) {
      simulator.editDelegated(OWN_BIN, () => ({ expires: daysAfter(simulator.now, -1) }));
      simulator.publish();
    },
  },
  {
    name: 'endless data in a delegated role',
    code: 'TRUST_ENDLESS_DATA',
    client: () => ({ limits: { targetsBytesMax: 40_000 } }),
    attack(simulator) {
      simulator.publish();
      const name = `${simulator.delegated.get(OWN_BIN)?.version ?? 0}.${OWN_BIN}.json`;
      simulator.files.set(name, new Uint8Array(50_000));
    },
  },
  {
    name: 'too deep a chain',
    code: 'TRUST_LIMIT',
    aim: parseTargetName('deep/x.bin'),
    client: () => ({ limits: { delegationDepthMax: 5 } }),
    attack(simulator) {
      chain(simulator, 8);
      simulator.publish();
    },
  },
  {
    name: 'too wide a search',
    code: 'TRUST_LIMIT',
    aim: parseTargetName('wide/x.bin'),
    client: () => ({ limits: { delegationsMax: 6 } }),
    attack(simulator) {
      for (let n = 0; n < 8; n++) simulator.delegate('targets', { name: `wide-${n}`, paths: ['wide/*'] });
      simulator.publish();
    },
  },
  {
    name: 'a circle that hides that nothing is there',
    code: 'not found',
    aim: parseTargetName('deep/x.bin'),
    attack(simulator) {
      chain(simulator, 3);
      simulator.delegate('deep-2', { name: 'deep-0', paths: ['deep/*'] });
      simulator.publish();
    },
  },
  {
    name: 'a role behind a terminating delegation',
    code: 'not found',
    aim: parseTargetName('tools/x.bin'),
    attack(simulator) {
      simulator.delegate('targets', { name: 'first', paths: ['tools/*'], terminating: true });
      simulator.delegate('targets', { name: 'second', paths: ['tools/*'] });
      simulator.addTarget('tools/x.bin', 'malware', 'second');
      simulator.publish();
    },
  },
];

/** deep-0 -> deep-1 -> ... */
function chain(simulator: Simulator, length: number): void {
  for (let n = 0; n < length; n++) {
    simulator.delegate(n === 0 ? 'targets' : `deep-${n - 1}`, { name: `deep-${n}`, paths: ['deep/*'] });
  }
}

/** The code of the refusal, `not found`, or the role that lists the target. */
async function outcome(client: ReturnType<typeof trustingClient>, name: string, setup?: ClientSetup): Promise<string> {
  const search = client.find(name, setup);
  const code = await outcomeOf(search);
  return code === 'done' ? ((await search).found?.verified.role ?? 'not found') : code;
}

const SCENES = [
  ...[...EITHER, ...HYBRID].map((attack) => ({ ...attack, hybrid: true })),
  ...EITHER.map((attack) => ({ ...attack, hybrid: false })),
];

describe.each(SCENES)('$name (hybrid $hybrid)', ({ hybrid, code, aim, client: setup, attack }) => {
  test(`U41: is refused as ${code}, where the honest run beside it passes`, async () => {
    const simulator = scene(hybrid);
    const client = trustingClient(simulator);
    expect(await outcome(client, FIRMWARE)).toBe(OWN_BIN);
    expect(await outcome(client, BUNDLE)).toBe('bundles');
    const seen = new Map(simulator.files);
    simulator.publish();
    expect(await outcome(client, FIRMWARE)).toBe(OWN_BIN);
    attack(simulator, new Map([...seen, ...simulator.files]));
    expect(await outcome(client, aim ?? FIRMWARE, setup?.(simulator))).toBe(code);
  });
});

test('U29: one target out of bins takes root, timestamp, snapshot, targets, its delegator and one bin', async () => {
  const simulator = scene(true);
  const fetched: string[] = [];
  const client = trustingClient(simulator);
  const source = sourceOf(simulator.files);
  const fetch = async (name: string, maxBytes: number): Promise<Uint8Array | undefined> => {
    const bytes = await source.fetch(name, maxBytes);
    if (bytes !== undefined) fetched.push(name);
    return bytes;
  };
  const { found } = await client.find(FIRMWARE, { source: { ...source, fetch } });
  expect(found?.verified.chain).toEqual(['targets', 'firmware', OWN_BIN]);
  expect(fetched.map((name) => name.replace(/^\d+\./, ''))).toEqual([
    'timestamp.json',
    'snapshot.json',
    'targets.json',
    'firmware.json',
    `${OWN_BIN}.json`,
  ]);
});
