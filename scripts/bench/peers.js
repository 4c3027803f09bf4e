// The tools that secureev is measured against, from Debian's packages.
import { spawnSync } from 'node:child_process';

/** Installs what is missing of `packages` (each has a command of its name) or ends the process saying what to do. */
export function requirePeers(packages) {
  const missing = packages.filter((name) => !isThere(name));
  if (missing.length === 0) return;
  if (process.getuid?.() === 0 && isThere('apt-get')) {
    process.stderr.write(`bench: installing ${missing.join(' ')}\n`);
    const options = {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    };
    spawnSync('apt-get', ['-q', 'update'], options);
    spawnSync('apt-get', ['-q', '-y', 'install', '--no-install-recommends', ...missing], options);
  }
  const still = missing.filter((name) => !isThere(name));
  if (still.length > 0) {
    process.stderr.write(`bench: install ${still.join(', ')} first\n`);
    process.exit(5);
  }
}

function isThere(command) {
  return spawnSync('sh', ['-c', `command -v ${command === 'time' ? '/usr/bin/time' : command}`]).status === 0;
}
