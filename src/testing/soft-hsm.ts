/** SoftHSM2 with fresh tokens, for tests; undefined where it is not installed. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PLACES = ['/usr/lib/softhsm/libsofthsm2.so', '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so'];

/** The module's path; undefined, said loudly, where SoftHSM2 is not installed. */
export function softHsmModule(): string | undefined {
  const found = PLACES.find((path) => existsSync(path));
  if (found === undefined) {
    process.stderr.write('SoftHSM2 is not installed (apt-get install softhsm2): tests of PKCS#11 tokens DO NOT RUN\n');
  }
  return found;
}

/** Makes tokens with user PIN 1234 in a folder of their own, and points SoftHSM2 at it. */
export function makeTokens(labels: readonly string[]): void {
  const folder = mkdtempSync(join(tmpdir(), 'secureev-hsm-'));
  mkdirSync(join(folder, 'tokens'));
  const conf = `directories.tokendir = ${join(folder, 'tokens')}\nlog.level = ERROR\n`;
  writeFileSync(join(folder, 'softhsm2.conf'), conf);
  process.env['SOFTHSM2_CONF'] = join(folder, 'softhsm2.conf');
  for (const label of labels) {
    const args = ['--init-token', '--free', '--label', label, '--pin', '1234', '--so-pin', '5678'];
    execFileSync('softhsm2-util', args, { stdio: 'ignore' });
  }
}
