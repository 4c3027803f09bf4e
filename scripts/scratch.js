// A folder to work in, with the demo's files in it and `secureev` on the PATH, run by the pinned Node.
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const PROJECT = dirname(dirname(fileURLToPath(import.meta.url)));
const PINNED_NODE = join(PROJECT, 'node_modules', 'node', 'bin', 'node');
/** The Node that runs secureev: the pinned one, whatever runs this script, unless SECUREEV_NODE names another. */
export const NODE = process.env.SECUREEV_NODE ?? (existsSync(PINNED_NODE) ? PINNED_NODE : process.execPath);

/** Makes an empty scratch folder whose name begins with `prefix`; ends the process when there is nothing built to run. */
export function scratchFolder(prefix) {
  if (!existsSync(join(PROJECT, 'dist', 'main.js'))) {
    process.stderr.write(`${prefix}: dist/ is not built; run npm ci (or npm run build) first\n`);
    process.exit(5);
  }
  return mkdtempSync(join(tmpdir(), `${prefix}-`));
}

/** The commands of a session in scripts/, one a line. */
export function sessionLines(name) {
  return readFileSync(join(PROJECT, 'scripts', name), 'utf8')
    .trimEnd()
    .split('\n');
}

/** Lays out firmware/, registry.yaml and release.yaml in `folder`. */
export function layOutDemo(folder) {
  const fixtures = join(PROJECT, 'fixtures');
  cpSync(join(fixtures, 'firmware'), join(folder, 'firmware'), { recursive: true });
  for (const name of ['registry.yaml', 'release.yaml']) cpSync(join(fixtures, 'demo', name), join(folder, name));
}

/** The environment in which a shell finds `secureev`; nothing of the caller's SECUREEV_ settings comes along. */
export function shellEnvironment(folder) {
  const tools = join(folder, '.tools');
  mkdirSync(tools, { recursive: true });
  const program = join(tools, 'secureev');
  writeFileSync(program, `#!/bin/sh\nexec ${quoted(NODE)} ${quoted(join(PROJECT, 'bin', 'secureev.js'))} "$@"\n`);
  chmodSync(program, 0o755);
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('SECUREEV_'));
  return { ...Object.fromEntries(kept), PATH: `${tools}:${process.env.PATH}` };
}

/** Puts a script of scripts/ on the PATH of {@link shellEnvironment}. */
export function addTool(folder, name) {
  const program = join(folder, '.tools', name);
  writeFileSync(program, `#!/bin/sh\nexec ${quoted(NODE)} ${quoted(join(PROJECT, 'scripts', `${name}.js`))} "$@"\n`);
  chmodSync(program, 0o755);
}

/** `text` as one word of a shell. */
export function quoted(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
