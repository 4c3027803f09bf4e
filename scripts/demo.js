// The main job from firmware to a verified release: runs scripts/reference-session.sh, word for word, in a real shell,
// in a scratch folder, and shows each step with its result.
//
//   npm run demo -- [--shell sh|bash] [--folder DIR] [--transcript FILE] [--keys] [--fleet]
//
// With --keys it goes on with scripts/keys-session.sh: a key is lost, another is rotated. With --fleet it goes on with
// scripts/fleet-session.sh: a Director, a campaign for 2,000 cars, what they report, and the release taken back.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { addTool, layOutDemo, quoted, scratchFolder, sessionLines, shellEnvironment } from './scratch.js';

/** What each line of the reference session is for. */
const TITLES = [
  'Where the repository is, and the passphrase of every key here',
  'A repository: Image and Director in one folder',
  'Signing keys: ECDSA P-256 and ML-DSA-65 together, encrypted on disk',
  'Encryption keys: one for escrow, one for a car',
  'Root of trust: two of three keys must sign',
  'The other roles, and the escrow key',
  'The root is signed by two of its keys',
  'The root of trust that verifiers pin',
  'Gateways and ECUs of the model',
  'A vehicle and its encryption key',
  'The release: one signed bundle per zonal gateway',
  'Bundles sealed for the vehicle',
  'Targets, snapshot and timestamp are signed',
  'The static tree for a server or CDN',
  'In the vehicle: the blob is opened',
  'In the vehicle: the bundle is verified, offline, against the pinned root',
];

/** What lies where in the end. */
const PLACES = [
  ['oem', 'the repository: database and audit log'],
  ['keys', 'private keys (encrypted) and public halves'],
  ['trust/root.json', 'the root of trust to pin'],
  ['bundles', 'signed OTAP bundles, clear'],
  ['sealed', 'sealed payloads (.sev) and their envelopes (.sevk)'],
  ['public', 'what a server or CDN gets'],
  ['received.otap', 'what the vehicle decrypted and verified'],
];

function main() {
  const { values } = parseArgs({
    options: {
      shell: { type: 'string' },
      folder: { type: 'string' },
      transcript: { type: 'string' },
      keys: { type: 'boolean' },
      fleet: { type: 'boolean' },
    },
  });
  const folder = workFolder(values.folder);
  layOutDemo(folder);
  const lines = sessionLines('reference-session.sh');
  if (lines.length !== TITLES.length) throw new Error(`${lines.length} steps, ${TITLES.length} titles`);
  const session = {
    shell: values.shell ?? 'bash',
    folder,
    environment: shellEnvironment(folder),
    done: [],
    transcript: [],
  };
  process.stdout.write(`secureev demo in ${folder}\n`);
  for (const [index, line] of lines.entries())
    step(session, { line, title: `${index + 1}/${lines.length} ${TITLES[index]}` });
  refusal(session);
  if (values.keys) for (const line of sessionLines('keys-session.sh')) step(session, { line, title: 'Keys' });
  if (values.fleet) {
    addTool(folder, 'fleet-cars');
    for (const line of sessionLines('fleet-session.sh')) step(session, { line, title: 'Fleet' });
  }
  if (values.transcript !== undefined) writeFileSync(values.transcript, JSON.stringify(session.transcript));
  process.stdout.write(`\n== Done: the release is verified. In ${folder}:\n${places(folder)}`);
}

function workFolder(chosen) {
  if (chosen === undefined) return scratchFolder('secureev-demo');
  mkdirSync(chosen, { recursive: true });
  if (readdirSync(chosen).length > 0) fail(`${chosen} is not empty`);
  return resolve(chosen);
}

/** Runs one line in a shell that has first seen the session's exports; ends the demo where it fails. */
function step(session, { line, title }) {
  const started = performance.now();
  process.stdout.write(`\n== ${title}\n$ ${line}\n`);
  const { status, output } = inShell(session, line);
  if (line.startsWith('export ')) session.done.push(line);
  process.stdout.write(output);
  session.transcript.push({ line, output: output.replaceAll(session.folder, '~/demo') });
  if (status !== 0) fail(`step failed with exit status ${status}; its files are in ${session.folder}`);
  process.stdout.write(`   [${((performance.now() - started) / 1000).toFixed(1)} s]\n`);
}

/** Shows that one flipped byte is refused. */
function refusal(session) {
  const received = readFileSync(join(session.folder, 'received.otap'));
  received[received.length >> 1] ^= 1;
  writeFileSync(join(session.folder, 'tampered.otap'), received);
  const line = 'secureev verify bundle tampered.otap --root trust/root.json --metadata public/metadata';
  process.stdout.write(`\n== And the same bundle with one bit flipped\n$ ${line}\n`);
  const { status, output } = inShell(session, line);
  process.stdout.write(`${output}   [exit status ${status}]\n`);
  if (status !== 3) fail(`a tampered bundle must be refused with exit status 3, not ${status}`);
}

function inShell({ shell, folder, environment, done }, line) {
  // -e: a failure inside a `for` ends it. Standard error joins standard output, in order, as on a terminal.
  const script = ['exec 2>&1', ...done, line].join('\n');
  const run = spawnSync(shell, ['-e', '-c', script], {
    cwd: folder,
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (run.error !== undefined) fail(`cannot start ${quoted(shell)}: ${run.error.message}`);
  return { status: run.status ?? 1, output: run.stdout.toString() };
}

function places(folder) {
  return PLACES.map(
    ([name, what]) => `   ${name.padEnd(16)}${sizeOf(join(folder, name)).padStart(10)}  ${what}\n`,
  ).join('');
}

function sizeOf(path) {
  const bytes = statSync(path).isDirectory()
    ? readdirSync(path, { recursive: true }).reduce((sum, name) => sum + fileBytes(join(path, name)), 0)
    : fileBytes(path);
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function fileBytes(path) {
  const status = statSync(path);
  return status.isFile() ? status.size : 0;
}

function fail(message) {
  process.stderr.write(`demo: ${message}\n`);
  process.exit(1);
}

main();
