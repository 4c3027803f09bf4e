// Compiles src/ to dist/, whole: what no longer has a source does not survive.
// Runs on whatever Node npm runs on; the compiler is a native program.
import { spawnSync } from 'node:child_process';
import { rmSync, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { dirname, join } from 'node:path';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');

if (!existsSync(compiler)) {
  process.stderr.write('build: typescript is not installed; run npm ci first\n');
  process.exit(5);
}
rmSync(join(root, 'dist'), { recursive: true, force: true });
const run = spawnSync(process.execPath, [compiler, '-p', join(root, 'tsconfig.build.json')], { stdio: 'inherit' });
process.exit(run.status ?? 1);
