/** A session with a repository, its keys, a model of two gateways and a release plan; small, hybrid, real. */
import { cliSession } from './run-cli.ts';
import type { CliSession } from './run-cli.ts';

/** The registry of the model. */
export const TEST_REGISTRY = `model: EV-1
zonal_gateways:
  - id: ZG_BODY
    name: Body
    ecus:
      - { id: BCM, name: Body control, type: BCM, hardware: bcm-a, current_version: 1.0.0 }
      - { id: DOOR_L, name: Left door, type: DOOR, hardware: door-b, current_version: 1.0.0 }
  - id: ZG_DRIVE
    name: Drive
    ecus:
      - { id: DOOR_R, name: Right door, type: DOOR, hardware: door-c, current_version: 1.0.0 }
      - { id: MCU, name: Motor, type: MCU, hardware: mcu-d, current_version: 1.0.0 }
`;

/** A release for both gateways; `door.bin` serves two ECUs. */
export const TEST_PLAN = `release: r1
model: EV-1
images:
  - { type: BCM, version: 1.1.0, file: fw/bcm.bin, requires: [{ type: DOOR, version: 1.1.0 }] }
  - { type: DOOR, version: 1.1.0, file: fw/door.bin }
  - { ecu: MCU, version: 2.0.0, file: fw/mcu.bin }
`;

/** Firmware: text that compresses, and bytes that do not. */
export function testFirmware(sizeBytes: number, seed: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length: sizeBytes }, (_, i) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return seed === 0 || i % 5 < 3 ? 0x41 + (i % 17) : state >>> 24;
  });
}

/** What a session is to begin with. */
export interface ReleaseSetup {
  /** Of the signing keys; `hybrid` by default. */
  readonly scheme?: string;
  /** `YYYY-MM-DDTHH:MM:SSZ`; `TEST_NOW` by default. */
  readonly now?: string;
}

/** Begins a session: root signed and exported, registry imported, plan and firmware laid out. */
export async function releaseSession({ scheme = 'hybrid', ...setup }: ReleaseSetup = {}): Promise<CliSession> {
  const env = { SECUREEV_REPO: 'oem', SECUREEV_PASSPHRASE: 'correct horse' };
  const session = await cliSession({ env, ...setup });
  await session.write('registry.yaml', TEST_REGISTRY);
  await session.write('release.yaml', TEST_PLAN);
  await session.write('fw/bcm.bin', testFirmware(150_000, 1));
  await session.write('fw/door.bin', testFirmware(20_000, 2));
  await session.write('fw/mcu.bin', testFirmware(9000, 3));
  await session.ok('init oem --name Test');
  for (const role of ['root', 'targets', 'snapshot', 'timestamp']) {
    await session.ok(`keygen ${role} --out keys --scheme ${scheme}`);
    await session.ok(`role set ${role} --key keys/${role}.pub`);
  }
  await session.ok('sign root --key keys/root.key');
  await session.ok('root export -o trust/root.json');
  await session.ok('ecu import registry.yaml');
  return session;
}

/** Signs what is staged and publishes the tree. The release must not be confidential, or its bundles encrypted. */
export async function publishRelease(session: CliSession): Promise<void> {
  const keys = ['targets', 'snapshot', 'timestamp'].map((role) => `--key keys/${role}.key`).join(' ');
  await session.ok(`sign targets snapshot timestamp ${keys}`);
  await session.ok('publish image public');
}
