// Packs secureev, installs the tarball in an empty folder as a user would, and runs it there.
// Needs the npm registry (or npm's cache) and, where zstd-napi has no prebuilt binary, a compiler.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const scratch = mkdtempSync(join(tmpdir(), 'secureev-pack-'));
const REFUSED = /\.test\.js$|^dist\/testing\/|\.tsx?$|^(?:src|scripts|fixtures)\//;

try {
  run('npm', ['run', 'build'], root);
  const [{ filename, files }] = JSON.parse(
    run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', scratch], root),
  );
  const refused = files.map((file) => file.path).filter((path) => REFUSED.test(path));
  expect(refused.length === 0, `the tarball holds what is not shipped: ${refused.join(', ')}`);

  const empty = join(scratch, 'empty');
  mkdirSync(empty);
  writeFileSync(join(empty, 'package.json'), '{"private": true}\n');
  run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', join(scratch, filename)], empty);

  const secureev = join(empty, 'node_modules', '.bin', 'secureev');
  const version = run(secureev, ['--version'], empty).trim();
  expect(/^\d+\.\d+\.\d+$/.test(version), `--version says ${version}`);
  expect(run(secureev, ['--help'], empty).includes('doctor'), '--help does not list doctor');
  const { ok, result } = JSON.parse(run(secureev, ['doctor', '--json'], empty));
  expect(ok === true, `doctor: ${JSON.stringify(result)}`);
  run(secureev, ['init', 'oem', '--name', 'Example Motors'], empty);
  expect(existsSync(join(empty, 'oem', 'repo.db')), `init made ${readdirSync(empty).join(', ')}`);
  process.stdout.write(`pack-test: ${filename} (${files.length} files) installs and runs in an empty folder\n`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function run(command, args, cwd) {
  // The pinned Node first, as npm itself does for scripts.
  const path = `${dirname(process.execPath)}:${process.env.PATH}`;
  const done = spawnSync(command, args, { cwd, encoding: 'utf8', env: { ...process.env, PATH: path } });
  expect(done.status === 0, `${command} ${args.join(' ')} ended with ${done.status}\n${done.stdout}${done.stderr}`);
  return done.stdout;
}

function expect(condition, message) {
  if (!condition) throw new Error(message);
}
