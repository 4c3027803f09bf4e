/** A session with a sealed release for two vehicles and a kit of it for the first. */
import { chmod, readdir } from 'node:fs/promises';
import { encryptionKey } from './encryption-keys.ts';
import { releaseSession } from './release-session.ts';
import type { CliSession } from './run-cli.ts';

/** The vehicle that the kit is for. */
export const CAR_1 = '5YJ3E1EA0KF000316';
/** One with envelopes in the repository. */
export const CAR_2 = '1HGCM82633A004352';
/** The signers of the online roles. */
export const ROLE_KEYS = '--key keys/targets.key --key keys/snapshot.key --key keys/timestamp.key';

/** Begins the session; the kit is in `kit`. */
export async function kitSession(): Promise<CliSession> {
  const session = await releaseSession();
  for (const name of ['escrow', 'car-1', 'car-2']) {
    const { publicFile, keyFile } = encryptionKey(name);
    await session.write(`keys/${name}.pub`, publicFile);
    await session.write(`keys/${name}.key`, keyFile);
    await chmod(session.path(`keys/${name}.key`), 0o600);
  }
  await session.ok('role set escrow --key keys/escrow.pub');
  await session.ok(`vehicle add ${CAR_1} --model EV-1 --encryption-key keys/car-1.pub`);
  await session.ok(`vehicle add ${CAR_2} --model EV-1 --encryption-key keys/car-2.pub`);
  await session.ok('package release.yaml --key keys/targets.key --out bundles');
  const bundles = 'bundles/ZG_BODY.otap bundles/ZG_DRIVE.otap';
  await session.ok(`encrypt ${bundles} --vehicle ${CAR_1} --vehicle ${CAR_2} --out sealed`);
  await session.ok(`sign targets snapshot timestamp ${ROLE_KEYS}`);
  await session.ok(`publish kit kit --release r1 --vehicle ${CAR_1}`);
  return session;
}

/** The files below a folder, sorted, as paths from there. */
export async function filesIn(session: CliSession, folder: string): Promise<readonly string[]> {
  const entries = await readdir(session.path(folder), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory());
  return files.map((entry) => `${entry.parentPath}/${entry.name}`.slice(session.path(folder).length + 1)).toSorted();
}

/** The outcome of `verify kit`: the exit status, and the checks that failed with their codes. */
export async function kitVerdict(session: CliSession, line: string): Promise<readonly unknown[]> {
  const { status, result } = await session.json(`verify kit ${line} --root trust/root.json`);
  const checks = (result?.['checks'] ?? []) as readonly { id: string; status: string; code?: string }[];
  return [status, ...checks.filter((check) => check.status === 'fail').map(({ id, code }) => `${id} ${code ?? ''}`)];
}
