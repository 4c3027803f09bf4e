/** Both repositories of a simulated OEM as trees in a session's folder, and a vehicle that verifies them. */
import { rm } from 'node:fs/promises';
import { OTHER_CAR, simulateDirector } from './director-simulator.ts';
import type { VehicleSetup, VehicleSimulator } from './director-simulator.ts';
import { cliSession } from './run-cli.ts';
import type { CliSession } from './run-cli.ts';
import { simulateRepository } from './simulator.ts';
import type { Simulator } from './simulator.ts';

/** The image that the brake's ECU is to run, its content, and the ECU's hardware. */
export const BRAKE = 'EV-1/BRAKE/1.0/brake.bin';
export const BRAKE_CONTENT = 'brake firmware 1.0';
export const HARDWARE = 'HW-1';

/** What a run answered: exit status, code, the outcome of each check. */
export interface SceneVerdict {
  readonly status: number;
  readonly code: string;
  readonly checks: Readonly<Record<string, string>>;
  readonly result: Readonly<Record<string, unknown>> | undefined;
}

/** The scene. */
export interface VehicleScene extends AsyncDisposable {
  readonly session: CliSession;
  readonly image: Simulator;
  readonly director: VehicleSimulator;
  /** Writes both trees as they are now; further vehicles beside the first. */
  lay(...others: readonly VehicleSimulator[]): Promise<void>;
  /** Full verification of the vehicle, flags added. */
  verify(flags?: string): Promise<SceneVerdict>;
  /** Partial verification by the ECU `BRAKE_1`, flags added. */
  verifyPartly(flags?: string): Promise<SceneVerdict>;
  run(line: string): Promise<SceneVerdict>;
}

/** Sets up both repositories: the Director gives the brake's image to ECU `BRAKE_1`; both trees are laid. */
export async function vehicleScene(setup: VehicleSetup = {}): Promise<VehicleScene> {
  const session = await cliSession();
  const image = simulateRepository({ hybrid: setup.hybrid ?? false });
  const director = simulateDirector(image, setup);
  director.assign(BRAKE, { BRAKE_1: HARDWARE });
  director.publish();
  const scene: VehicleScene = {
    session,
    image,
    director,
    async lay(...others) {
      for (const tree of ['image', 'director'])
        await rm(session.path(`tree/${tree}`), { recursive: true, force: true });
      for (const [name, bytes] of image.files) await session.write(`tree/image/metadata/${name}`, bytes);
      for (const one of [director, ...others]) await layVehicle(session, one);
    },
    verify: (flags = '') => scene.run(`${FULL} --vehicle ${director.vehicle.vin} ${flags}`),
    verifyPartly: (flags = '') => scene.run(`${PARTIAL} --vehicle ${director.vehicle.vin} ${flags}`),
    async run(line) {
      const { status, error, result } = await session.json(line);
      const checks = (result?.['checks'] ?? []) as { id: string; status: string; code?: string }[];
      const outcomes = Object.fromEntries(checks.map((check) => [check.id, check.code ?? check.status]));
      return { status, code: error?.code ?? 'none', checks: outcomes, result };
    },
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
  await session.write('root.json', image.files.get('1.root.json') ?? '');
  await session.write('director.json', director.files.get('1.root.json') ?? '');
  await scene.lay();
  return scene;
}

const FULL = 'verify repository tree --root root.json --director-root director.json --state car';
const PARTIAL = 'verify repository tree --director-root director.json --state ecu --partial --ecu BRAKE_1';

async function layVehicle(session: CliSession, { files, vehicle }: VehicleSimulator): Promise<void> {
  for (const [name, bytes] of files) {
    const folder = name.endsWith('.root.json') ? 'metadata' : `vehicles/${vehicle.id}/metadata`;
    await session.write(`tree/director/${folder}/${name}`, bytes);
  }
}

/** The files of both repositories at the honest run. */
export interface Seen {
  readonly image: ReadonlyMap<string, Uint8Array>;
  readonly director: ReadonlyMap<string, Uint8Array>;
}

/** Replaces the files of a vehicle, roots aside, by another vehicle's. */
export function replay(director: VehicleSimulator, from: VehicleSimulator): void {
  for (const [name, bytes] of from.files) if (!name.endsWith('.root.json')) director.files.set(name, bytes);
}

/** Another vehicle of the same Director, with higher versions. */
export function neighbour({ image }: VehicleScene): VehicleSimulator {
  const other = simulateDirector(image, { vehicle: OTHER_CAR });
  other.assign(BRAKE, { BRAKE_1: HARDWARE });
  for (let version = 1; version < 5; version++) other.publish();
  return other;
}

/** A vehicle that has verified everything once, and sees something new next. */
export async function seenScene(setup: VehicleSetup = {}): Promise<{ stage: VehicleScene; seen: Seen }> {
  const made = await vehicleScene(setup);
  await made.session.write('has.yaml', 'ecus:\n  - { id: BRAKE_1, version: 1.0, release_counter: 1 }\n');
  made.image.publish();
  await made.lay();
  const { status, code } = await made.verify();
  if (status !== 0) throw new Error(`the first run was refused: ${code}`);
  return { stage: made, seen: { image: new Map(made.image.files), director: new Map(made.director.files) } };
}
