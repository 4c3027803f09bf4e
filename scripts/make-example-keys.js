// Makes keys.example/ anew, and with it the list of ids that the program refuses outside rehearsals. Needs `npm run build` first.
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from './scratch.js';

const FOLDER = join(PROJECT, 'keys.example');
const SIGNING = ['root-a', 'root-b', 'root-c', 'targets', 'snapshot', 'timestamp', 'director-root', 'director-online'];
const ENCRYPTION = ['escrow', 'car-1'];

for (const name of readdirSync(FOLDER)) if (/\.(?:key|pub)$/.test(name)) rmSync(join(FOLDER, name));
for (const name of SIGNING) keygen(name, 'signing');
for (const name of ENCRYPTION) keygen(name, 'encryption');

const ids = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.pub'))
  .flatMap((name) =>
    Array.from(readFileSync(join(FOLDER, name), 'utf8').matchAll(/^key id: (\S+)$/gm), ([, id]) => id),
  );
writeFileSync(
  join(PROJECT, 'src', 'formats', 'keys', 'example-keys.ts'),
  `/** The keys of keys.example/, whose secrets everyone has. Written by scripts/make-example-keys.js. */

/** Their ids. */
export const EXAMPLE_KEY_IDS: ReadonlySet<string> = new Set([
${[...new Set(ids)]
  .sort()
  .map((id) => `  '${id}',`)
  .join('\n')}
]);
`,
);

function keygen(name, purpose) {
  const args = ['keygen', name, '--purpose', purpose, '--holder', `EXAMPLE ${name}`, '--out', FOLDER, '--quiet'];
  const { status, stderr } = spawnSync(process.execPath, [join(PROJECT, 'bin', 'secureev.js'), ...args], {
    env: { ...process.env, SECUREEV_PASSPHRASE: 'example' },
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
}
