/** A repository that is lost after its backup, and what comes back: for tests of `backup` and `restore`. */
import { cp, rm } from 'node:fs/promises';
import { parseTargetName } from '../core/brands.ts';
import { isFailure } from '../core/errors.ts';
import type { Io } from '../core/ports.ts';
import { backUp } from '../ops/repository/backup.ts';
import type { BackupAnswer } from '../ops/repository/backup.ts';
import { publishImage } from '../ops/repository/publish-image.ts';
import { restoreRepository } from '../ops/repository/restore/restore.ts';
import type { RestoreAnswer, RestoreInput } from '../ops/repository/restore/restore.ts';
import { changeRole } from '../ops/repository/role-change.ts';
import { exportRoot } from '../ops/repository/root-export.ts';
import { verifyRepository } from '../ops/repository/verify-repository.ts';
import { ONLINE, repositoryWithRoot } from './signed-repository.ts';
import type { TestRepository, TestRepositorySetup } from './signed-repository.ts';

/** In the backup. */
export const BMS = 'EV-1/BMS/1.0/bms.bin';
/** Published after the backup. */
export const MCU = 'EV-1/MCU/1.0/mcu.bin';
/** Added after the restore. */
export const GW = 'EV-1/GW/1.0/gw.bin';

/** The code that `work` fails with, or `nothing thrown`. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (thrown) {
    if (isFailure(thrown)) return thrown.code;
    throw thrown;
  }
  return 'nothing thrown';
}

/** `publish image`; gives the paths that were written. */
export async function publish(repository: TestRepository, folder = 'public'): Promise<readonly string[]> {
  return (await publishImage({ repository: repository.choice, folder }, repository.io)).written;
}

/** `backup oem.tar`. */
export function backup(repository: TestRepository, out = 'oem.tar', io: Io = repository.io): Promise<BackupAnswer> {
  return backUp({ repository: repository.choice, out, overwrite: false }, io);
}

/** `restore oem.tar new --published public`. */
export function restore(
  repository: TestRepository,
  given: Partial<RestoreInput> = {},
  io: Io = repository.io,
): Promise<RestoreAnswer> {
  const input = { backup: 'oem.tar', folder: 'new', published: 'public', root: undefined, dryRun: false };
  return restoreRepository({ ...input, ...given }, io);
}

/** One release in the backup, its root in `pinned.json`, and what comes after it, published too. */
export async function lostAfterBackup(
  after: (repository: TestRepository) => Promise<void>,
  setup: TestRepositorySetup = {},
): Promise<TestRepository> {
  const repository = await repositoryWithRoot(setup);
  await repository.addImage(BMS, 1);
  await repository.sign(ONLINE, ONLINE);
  await publish(repository);
  await pin(repository);
  await verifyAsCar(repository);
  await backup(repository);
  await after(repository);
  return repository;
}

/** Exports the root to `pinned.json`. */
export async function pin({ choice, io }: TestRepository): Promise<void> {
  await exportRoot({ repository: choice, role: 'root', out: 'pinned.json', overwrite: true }, io);
}

/** Puts the restored repository where the lost one was. */
export async function takeItsPlace({ folder }: TestRepository): Promise<void> {
  await rm(`${folder}/oem`, { recursive: true });
  await cp(`${folder}/new`, `${folder}/oem`, { recursive: true });
}

/** Verifies the tree as a vehicle that keeps what it trusts from call to call: `good`, or the code of the refusal. */
export async function verifyAsCar({ io }: TestRepository, target = BMS): Promise<string> {
  const asked = { tree: 'public', root: 'pinned.json', state: 'car', target: parseTargetName(target), out: undefined };
  const terms = { now: io.clock.now(), requireHybrid: true, allTargets: false, lint: false, allowSkip: [] };
  const { refusal } = await verifyRepository({ ...asked, ...terms }, io);
  return refusal === undefined ? 'good' : refusal.code;
}

/** A second image, signed and published. */
export async function secondRelease(repository: TestRepository): Promise<void> {
  await repository.addImage(MCU, 7);
  await repository.sign(ONLINE, ONLINE);
  await publish(repository);
}

/** Stages `next` in the place of the key of a role (`root-a` of root). */
export async function replaceKey(repository: TestRepository, role: string, next: string): Promise<void> {
  await repository.key(next);
  const old = (await repository.key(role === 'root' ? 'root-a' : role)).keys[0]?.publicKey.keyId ?? '';
  const change = { repository: repository.choice, role, add: [], remove: [], replace: [{ old, file: `${next}.pub` }] };
  await changeRole(change, repository.io);
}
