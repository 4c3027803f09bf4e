// The four long commands as measures call them; each gives a command for run.js, its outputs fresh.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { secureev } from './run.js';

function environment({ repository }, place) {
  return { SECUREEV_PASSPHRASE: repository.passphrase, ...(place && { SECUREEV_REPO: join(place, 'oem') }) };
}

export function packageCommand(bench, image) {
  const { repository } = bench;
  const plan = join(repository.plan(image), 'release.yaml');
  const place = repository.before(image, 'package');
  const key = join(repository.keys(), 'targets.key');
  const argv = secureev('package', plan, '--key', key, '--out', 'bundles');
  return { argv, cwd: place, env: environment(bench, place) };
}

export function encryptCommand(bench, image) {
  const { repository } = bench;
  const bundle = repository.bundle(image);
  const place = repository.before(image, 'encrypt');
  const argv = secureev('encrypt', bundle, '--vehicle', repository.vin, '--out', 'sealed');
  return { argv, cwd: place, env: environment(bench, place) };
}

export function decryptCommand(bench, image) {
  const { repository, folder } = bench;
  const argv = secureev(
    'decrypt',
    repository.sealed(image),
    '--key',
    join(repository.keys(), 'car.key'),
    '-o',
    'opened.otap',
  );
  rmSync(join(folder, 'opened.otap'), { force: true });
  return { argv, cwd: folder, env: environment(bench) };
}

export function verifyCommand(bench, image) {
  const { repository, folder } = bench;
  const policy = ['--root', repository.root(), '--metadata', repository.metadata(image)];
  return {
    argv: secureev('verify', 'bundle', repository.bundle(image), ...policy),
    cwd: folder,
    env: environment(bench),
  };
}

/** A peer's shell line in the bench folder. */
export function peerCommand(bench, line) {
  return { argv: ['sh', '-c', line], cwd: bench.folder };
}
