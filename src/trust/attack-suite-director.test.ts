/**
 * The attacks on a vehicle that verifies the Director and the Image repository together, each beside the honest run that
 * it disturbs: the same vehicle, without the attack, verifies everything.
 *
 * @see Uptane 2.1.0 sections 5.4.4.2 and 5.4.4.6
 */
import { describe, expect, test } from 'vitest';
import { parseVersion } from '../core/brands.ts';
import { utf8 } from '../core/bytes.ts';
import type { ErrorCode } from '../core/errors.ts';
import { jsonMap } from '../formats/json/json.ts';
import { assembleEnvelope, canonicalOf, encodeSigned } from '../formats/metadata/envelope.ts';
import { dialectOf } from '../formats/metadata/index.ts';
import { simulateDirector } from '../testing/director-simulator.ts';
import type { VehicleSetup } from '../testing/director-simulator.ts';
import { simulateRepository } from '../testing/simulator.ts';
import type { Simulator } from '../testing/simulator.ts';
import { BRAKE, HARDWARE, neighbour, replay, seenScene } from '../testing/vehicle-scene.ts';
import type { Seen, VehicleScene } from '../testing/vehicle-scene.ts';

/** One attack: what is done to the trees after an honest run, and how the next run is refused. */
interface Attack {
  readonly name: string;
  readonly code: ErrorCode;
  /** The check that fails. */
  readonly check: string;
  readonly setup?: VehicleSetup;
  readonly flags?: string;
  readonly attack: (scene: VehicleScene, seen: Seen) => void;
}

/** Keys of a stranger in the place of a role's own; what lists the keys stays as it is. */
function strangers(simulator: Simulator, role: string): void {
  const other = simulateRepository({ label: 'thief' }).signers.get(role);
  if (other !== undefined) simulator.signers.set(role, other);
}

/** A role's file in dialect aktualizr, signed by the key under the id that this repository's root lists it by. */
function inOtherDialect(simulator: Simulator, role: 'timestamp'): Uint8Array {
  const dialect = dialectOf('aktualizr');
  const bytes = encodeSigned(simulator.bodies[role], dialect);
  const keys = simulator.signers.get(role)?.classical ?? [];
  const classical = keys.map((key) => ({ key: key.publicKey, signature: key.sign(canonicalOf(bytes)) }));
  const text = new TextDecoder().decode(assembleEnvelope(bytes, { classical, postQuantum: [] }, dialect));
  return utf8(text.replace(/"keyid":"[^"]+"/, `"keyid":"${keys[0]?.publicKey.keyId ?? ''}"`));
}

const HAS = '--installed has.yaml';

const ATTACKS: readonly Attack[] = [
  {
    name: "stolen Director keys: malware that the Image repository's keys never signed",
    code: 'TRUST_TARGET_NOT_FOUND',
    check: 'match',
    attack({ director }) {
      director.assign('EV-1/BRAKE/6.6/malware.bin', { BRAKE_1: HARDWARE });
      director.editTarget('EV-1/BRAKE/6.6/malware.bin', () => ({
        custom: jsonMap({ ecuIdentifiers: ecu('BRAKE_2') }),
      }));
      director.publish();
    },
  },
  {
    name: 'stolen Director keys: other bytes under a good name',
    code: 'TRUST_DIRECTOR_MISMATCH',
    check: 'match',
    attack({ director }) {
      director.editTarget(BRAKE, () => ({ hashes: new Map([['sha256', '66'.repeat(32)]]) }));
      director.publish();
    },
  },
  {
    name: 'stolen Director keys: another length under a good name',
    code: 'TRUST_DIRECTOR_MISMATCH',
    check: 'match',
    attack({ director }) {
      director.editTarget(BRAKE, ({ length }) => ({ length: length + 1 }));
      director.publish();
    },
  },
  {
    name: 'stolen Director keys: a hash that the Image repository does not list',
    code: 'TRUST_DIRECTOR_MISMATCH',
    check: 'match',
    attack({ director }) {
      director.editTarget(BRAKE, ({ hashes }) => ({ hashes: new Map(hashes).set('sha512', '66'.repeat(64)) }));
      director.publish();
    },
  },
  {
    name: 'stolen Director keys: an old release',
    code: 'TRUST_COUNTER',
    check: 'installed',
    flags: HAS,
    attack({ image, director }) {
      image.addTarget('EV-1/BRAKE/0.9/brake.bin', 'an old one');
      image.edit('targets', ({ targets }) => {
        const old = targets.get('EV-1/BRAKE/0.9/brake.bin');
        if (old === undefined) throw new Error('not listed');
        const custom = new Map([...(old.custom ?? []), ['releaseCounter', 0] as const]);
        return { targets: new Map(targets).set('EV-1/BRAKE/0.9/brake.bin', { ...old, custom }) };
      });
      image.publish();
      director.edit('targets', () => ({ targets: new Map() }));
      director.assign('EV-1/BRAKE/0.9/brake.bin', { BRAKE_1: HARDWARE });
      director.publish();
    },
  },
  {
    name: 'stolen Director keys: a release counter made higher than the Image repository says',
    code: 'TRUST_DIRECTOR_MISMATCH',
    check: 'match',
    attack({ director }) {
      director.assign(BRAKE, { BRAKE_1: HARDWARE }, { releaseCounter: 9 });
      director.publish();
    },
  },
  {
    name: 'wrong hardware id',
    code: 'TRUST_HARDWARE',
    check: 'match',
    attack({ director }) {
      director.assign(BRAKE, { BRAKE_1: 'HW-2' });
      director.publish();
    },
  },
  {
    name: 'wrong ECU: one that the vehicle does not have',
    code: 'TRUST_ECU_UNKNOWN',
    check: 'installed',
    flags: HAS,
    attack({ director }) {
      director.assign(BRAKE, { BRAKE_1: HARDWARE, BRAKE_9: HARDWARE });
      director.publish();
    },
  },
  {
    name: 'mixed bundles: two images for one ECU',
    code: 'TRUST_ECU_TWICE',
    check: 'director-targets',
    attack({ director }) {
      director.assign('bundles/1.0/ZG.otap', { BRAKE_1: HARDWARE });
      director.publish();
    },
  },
  {
    name: 'a Director that delegates',
    code: 'TRUST_DIRECTOR_DELEGATES',
    check: 'director-targets',
    attack({ director }) {
      director.delegate('targets', { name: 'supplier' });
      director.publish();
    },
  },
  {
    name: "wrong Director with the right Image repository: a stranger's keys",
    code: 'TRUST_THRESHOLD',
    check: 'director-metadata',
    attack({ image, director }) {
      const thief = simulateDirector(image, { label: 'thief' });
      for (const name of director.files.keys()) if (!name.endsWith('.root.json')) director.files.delete(name);
      replay(director, thief);
    },
  },
  {
    name: "right Director with the wrong Image repository: a stranger's keys",
    code: 'TRUST_THRESHOLD',
    check: 'metadata',
    attack({ image, director }) {
      for (const role of ['targets', 'snapshot', 'timestamp']) strangers(image, role);
      image.publish();
      director.publish();
    },
  },
  {
    name: "the Image repository's files in the place of the Director's, were the keys the same",
    code: 'TRUST_WRONG_REPOSITORY',
    check: 'director-metadata',
    attack({ director }) {
      for (const role of ['targets', 'snapshot', 'timestamp'] as const) {
        director.edit(role, ({ extension }) => ({ extension: extension && { ...extension, kind: 'image' } }));
      }
      director.publish();
    },
  },
  {
    name: 'metadata of the other dialect, signed by the same key',
    code: 'TRUST_WRONG_REPOSITORY',
    check: 'director-metadata',
    attack({ director }) {
      director.files.set('timestamp.json', inOtherDialect(director, 'timestamp'));
    },
  },
  {
    name: "replayed metadata of another vehicle, its versions higher than this one's",
    code: 'TRUST_WRONG_VEHICLE',
    check: 'vehicle',
    flags: '--vehicle-id 00112233445566778899aabbccddeeff',
    attack: (scene) => replay(scene.director, neighbour(scene)),
  },
  {
    name: 'rollback of the Director',
    code: 'TRUST_ROLLBACK',
    check: 'director-metadata',
    attack({ director }) {
      director.edit('timestamp', () => ({ version: parseVersion(1) }));
      director.publishTimestamp();
    },
  },
  {
    name: 'rollback of the Image repository beneath a new word of the Director',
    code: 'TRUST_ROLLBACK',
    check: 'metadata',
    attack({ image, director }) {
      director.publish();
      image.edit('timestamp', ({ version, snapshot }) => ({
        version: parseVersion(version + 1),
        snapshot: { ...snapshot, version: parseVersion(1) },
      }));
      image.publishTimestamp();
    },
  },
  {
    name: 'freeze of the Director: its last word until it expires',
    code: 'TRUST_EXPIRED',
    check: 'director-expiry',
    attack({ director }) {
      director.edit('timestamp', ({ version }) => ({ version: parseVersion(version + 1), expires: director.now }));
      director.publishTimestamp();
    },
  },
  {
    name: 'freeze of the Image repository beneath a new word of the Director',
    code: 'TRUST_EXPIRED',
    check: 'expiry',
    attack({ image, director }) {
      director.publish();
      image.edit('timestamp', ({ version }) => ({ version: parseVersion(version + 1), expires: image.now }));
      image.publishTimestamp();
    },
  },
  {
    name: 'freeze by a clock that is set back',
    code: 'TRUST_CLOCK_BACK',
    check: 'time',
    flags: '--at 2020-01-01T00:00:00Z',
    attack: () => undefined,
  },
  {
    name: "mix-and-match: the Director's Targets of yesterday under its Snapshot of today",
    code: 'TRUST_MIX_AND_MATCH',
    check: 'director-metadata',
    attack({ director }, seen) {
      director.publish();
      director.files.set('3.targets.json', seen.director.get('2.targets.json') ?? new Uint8Array());
    },
  },
  {
    name: "drop of requests: the Director's files are withheld",
    code: 'TRUST_FILE_MISSING',
    check: 'director-metadata',
    attack({ director }) {
      director.publish();
      director.files.delete('3.snapshot.json');
    },
  },
  {
    name: 'endless data in the place of the Director',
    code: 'TRUST_ENDLESS_DATA',
    check: 'director-metadata',
    attack: ({ director }) => void director.files.set('timestamp.json', new Uint8Array(70_000).fill(0x20)),
  },
  {
    name: 'hybrid: stolen classical keys of the Director alone',
    code: 'TRUST_HYBRID_THRESHOLD',
    check: 'director-hybrid',
    setup: { hybrid: true },
    attack({ director }) {
      const keys = director.signers.get('targets');
      if (keys !== undefined) director.signers.set('targets', { ...keys, postQuantum: [] });
      director.publish();
    },
  },
  {
    name: "hybrid: the Director's root without its post-quantum keys, signed by the classical ones",
    code: 'TRUST_HYBRID_THRESHOLD',
    check: 'director-hybrid',
    setup: { hybrid: true },
    attack({ director }) {
      director.edit('root', ({ extension }) => ({ extension: extension && { ...extension, hybrid: undefined } }));
      const keys = director.signers.get('root');
      if (keys !== undefined) {
        const next = { ...director.bodies.root, version: parseVersion(2) };
        director.files.set('2.root.json', director.sign(next, { ...keys, postQuantum: [] }));
      }
    },
  },
  {
    name: 'arbitrary text in the place of what a Director says of its ECUs',
    code: 'METADATA_MALFORMED',
    check: 'director-targets',
    attack({ director }) {
      director.editTarget(BRAKE, () => ({ custom: jsonMap({ ecuIdentifiers: 'BRAKE_1' }) }));
      director.publish();
    },
  },
];

function ecu(id: string) {
  return new Map([[id, jsonMap({ hardwareId: HARDWARE })]]);
}

describe.each(ATTACKS)('$name', ({ code, check, setup, flags, attack }) => {
  test('the honest run passes', async () => {
    const { stage } = await seenScene(setup);
    await using _ = stage;
    stage.director.publish();
    await stage.lay();
    expect((await stage.verify(flags?.startsWith('--at') ? '' : flags)).code).toBe('none');
  });

  test(`U33 U34 U41: the attack is refused as ${code}`, async () => {
    const { stage, seen } = await seenScene(setup);
    await using _ = stage;
    attack(stage, seen);
    await stage.lay();
    const { status, code: found, checks } = await stage.verify(flags);
    expect({ status, found, check: checks[check] }).toEqual({ status: 3, found: code, check: code });
  });
});
