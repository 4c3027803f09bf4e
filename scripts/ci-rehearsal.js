// Runs the commands of both pipelines in scripts/ci/ as their runners would, word for word, in a scratch folder: nights with 20 ECUs,
// approval by request, jobs that race, jobs that are killed half-way. In the end nothing may be lost, and no secret may have been
// shown or passed as an argument.
//
//   node scripts/ci-rehearsal.js [gitlab-ci.yml|github-workflow.yml]
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { PROJECT, quoted, scratchFolder, shellEnvironment } from './scratch.js';

const SECRET = 'a passphrase that nobody may see';
const VIN = '5YJ3E1EA0KF000316';
const ECUS = 20;

/** How each provider's file says what a job runs, and what it gives a job to tell it from others. */
const PROVIDERS = {
  'gitlab-ci.yml': {
    variables: ({ variables }) => variables,
    script: (pipeline, job) => pipeline[job].script.join('\n'),
    numbered: (run) => ({ CI_PIPELINE_ID: '7', CI_JOB_ID: String(run) }),
    release: (run) => `nightly-7-${run}`,
  },
  'github-workflow.yml': {
    variables: ({ env }) => env,
    script: (pipeline, job) => pipeline.jobs[job].steps.flatMap(({ run }) => run ?? []).join('\n'),
    numbered: (run) => ({ GITHUB_RUN_ID: String(run), GITHUB_RUN_ATTEMPT: '1' }),
    release: (run) => `nightly-${run}-1`,
  },
};

const folder = scratchFolder('secureev-pipelines');

/** A repository with a delegation to the packaging key, its Targets and root keys apart from the runner's. */
function layOut(place) {
  const setup = [
    'export SECUREEV_REPO=$PWD/srv/oem',
    "secureev init srv/oem --name 'Example Motors'",
    'for k in root targets; do secureev keygen $k --out offline; done',
    'for k in snapshot timestamp packaging; do secureev keygen $k --out srv/keys; done',
    'for k in escrow car; do secureev keygen $k --purpose encryption --out offline; done',
    'for r in root targets escrow; do secureev role set $r --key offline/$r.pub; done',
    'for r in snapshot timestamp; do secureev role set $r --key srv/keys/$r.pub; done',
    'secureev sign root --key offline/root.key',
    'secureev root export -o offline/root.json',
    'secureev ecu import registry.yaml',
    `secureev vehicle add ${VIN} --model EV-1 --encryption-key offline/car.pub`,
    `echo ${VIN} >srv/test-fleet.txt`,
    "secureev delegation add bundles --path 'bundles/*/*' --key srv/keys/packaging.pub",
    'secureev sign targets bundles --key offline/targets.key --key srv/keys/packaging.key',
    'secureev sign snapshot timestamp --key srv/keys/snapshot.key --key srv/keys/timestamp.key',
  ];
  mkdirSync(join(place, 'checkout', 'images'), { recursive: true });
  writeFileSync(join(place, 'registry.yaml'), registry());
  for (let i = 0; i < ECUS; i++) writeFileSync(join(place, 'checkout', 'images', `ecu-${i}.bin`), image(i));
  cpSync(join(PROJECT, 'scripts', 'ci'), join(place, 'checkout', 'scripts', 'ci'), { recursive: true });
  const made = spawnSync('bash', ['-euc', setup.join('\n')], {
    cwd: place,
    env: environmentOf(place, {}),
    encoding: 'utf8',
  });
  if (made.status !== 0) fail(`cannot lay out a repository: ${made.stdout}${made.stderr}`);
}

function registry() {
  const ecu = (i) => `      - { id: ECU_${i}, name: ECU ${i}, type: T${i}, hardware: hw-${i}, current_version: 1.0.0 }`;
  const zone = (z) => [`  - id: ZG_${z}`, `    name: Zone ${z}`, '    ecus:', ...range(5).map((i) => ecu(5 * z + i))];
  return ['model: EV-1', 'zonal_gateways:', ...range(ECUS / 5).flatMap(zone), ''].join('\n');
}

/** Five ECUs get something new each time that it is so. */
function plan(news) {
  const version = (i) => (i < 5 ? `1.1.${news}` : '1.1.0');
  const images = range(ECUS).map((i) => `  - { ecu: ECU_${i}, version: ${version(i)}, file: images/ecu-${i}.bin }`);
  return ['release: nightly', 'model: EV-1', 'confidential: true', 'images:', ...images, ''].join('\n');
}

/** Half of it compresses. */
function image(seed) {
  let state = seed + 1;
  return Buffer.from(
    range(200_000).map((i) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return i % 2 === 0 ? 0x41 : state >>> 24;
    }),
  );
}

function range(count) {
  return Array.from({ length: count }, (_, i) => i);
}

const environments = new Map();

/** The program on the PATH notes the arguments of each call; it is written once, for it may be running. */
function environmentOf(place, more) {
  if (!environments.has(place)) {
    const environment = shellEnvironment(place);
    const program = join(place, '.tools', 'secureev');
    const log = quoted(join(place, 'arguments.log'));
    writeFileSync(program, readFileSync(program, 'utf8').replace('\n', `\nprintf '%s\\n' "$*" >>${log}\n`));
    chmodSync(program, 0o755);
    environments.set(place, environment);
  }
  return { ...environments.get(place), SECUREEV_PASSPHRASE: SECRET, ...more };
}

async function rehearse(file, { provider, kills }) {
  const started = performance.now();
  const place = join(folder, file);
  mkdirSync(place);
  for (const part of ['srv', 'offline']) cpSync(join(folder, part), join(place, part), { recursive: true });
  const text = readFileSync(join(PROJECT, 'scripts', 'ci', file), 'utf8');
  const runner = { file, place, provider, pipeline: parse(text), run: 0, news: 0, isQuiet: false, kills, shown: '' };
  requireNoSecretInCommands(runner);
  await firstNight(runner);
  await race(runner);
  await killed(runner);
  await verifyAll(runner);
  requireSecretsKept(runner);
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  process.stdout.write(
    `ci-rehearsal: ${file}: ${runner.run} jobs, three of them at once, ${kills.length + 1} killed half-way, nothing lost, in ${seconds} s\n`,
  );
}

/** Starts a job in a process group and a checkout of its own; gives how it ends and a way to kill it. */
function start(runner, job) {
  const { provider, pipeline, place } = runner;
  const run = (runner.run += 1);
  if (job === 'package' && !runner.isQuiet) runner.news += 1;
  const checkout = join(place, `checkout-${run}`);
  cpSync(join(folder, 'checkout'), checkout, { recursive: true });
  writeFileSync(join(checkout, 'release.yaml'), plan(runner.news));
  const values = Object.keys(provider.variables(pipeline)).map((name) => [name, scratchValue(place, name)]);
  const env = environmentOf(place, { ...Object.fromEntries(values), ...provider.numbered(run) });
  const script = `set -eo pipefail\n${provider.script(pipeline, job)}`;
  const child = spawn('bash', ['-c', script], { cwd: checkout, env, detached: true });
  const said = { text: '' };
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes) => {
      said.text += bytes;
      runner.shown += bytes;
    });
  }
  const ended = new Promise((resolve) => {
    child.once('close', (status) => resolve({ status, text: said.text }));
  });
  return {
    release: provider.release(run),
    request: join(checkout, 'targets.sigreq'),
    child,
    said,
    ended,
    kill: () => child.pid !== undefined && process.kill(-child.pid, 'SIGKILL'),
  };
}

/** What stands under /srv on the runner stands in the scratch folder here. */
function scratchValue(place, name) {
  const known = {
    SECUREEV_REPO: 'srv/oem',
    WORK: 'srv/work',
    APPROVALS: 'srv/approvals',
    PUBLIC: 'srv/public',
    CDN: 'cdn',
    TEST_FLEET: 'srv/test-fleet.txt',
    PACKAGING_KEY: 'srv/keys/packaging.key',
    SNAPSHOT_KEY: 'srv/keys/snapshot.key',
    TIMESTAMP_KEY: 'srv/keys/timestamp.key',
  };
  if (known[name] === undefined) fail(`the rehearsal has no value for ${name}`);
  return join(place, known[name]);
}

async function finish(runner, job) {
  const running = start(runner, job);
  const { status, text } = await running.ended;
  if (status !== 0) fail(`${runner.file}: job ${job} ended with ${status}:\n${text}`);
  return { ...running, text };
}

async function firstNight(runner) {
  const first = await finish(runner, 'package');
  approve(runner, first);
  await finish(runner, 'approve');
  await finish(runner, 'renew');
  requirePublished(runner, first.release);
}

/** Two nights and the hourly renewal at once; then a night in which nothing is new. */
async function race(runner) {
  const jobs = ['package', 'renew', 'package'].map((job) => start(runner, job));
  for (const { ended } of jobs) {
    const { status, text } = await ended;
    if (status !== 0) fail(`${runner.file}: a racing job ended with ${status}:\n${text}`);
  }
  const nights = [jobs[0], jobs[2]];
  for (const night of nights) approve(runner, night);
  await finish(runner, 'approve');
  runner.isQuiet = true;
  // What was staged while an earlier version waited for its approval is in a request of its own.
  const rest = await finish(runner, 'package');
  approve(runner, rest);
  await finish(runner, 'approve');
  const quiet = await finish(runner, 'package');
  if (existsSync(quiet.request)) fail(`${runner.file}: a night without news asks for an approval`);
  runner.isQuiet = false;
  await finish(runner, 'renew');
  for (const { release } of [...nights, rest]) requirePublished(runner, release);
}

/** When to kill the packaging job: as soon as this is so. */
const KILLS = [
  ({ place }, { release }) => existsSync(join(place, 'srv/work/bundles', release)),
  (_, { said, release }) => said.text.includes(`release ${release}`),
  ({ place }) => sealing(place).some((name) => name.endsWith('.sev')),
  (_, { said }) => /^bundles \d+: complete/m.test(said.text),
];

function sealing(place) {
  const work = join(place, 'srv/work');
  const folders = listed(work).filter((name) => name.startsWith('sealing.'));
  return folders.flatMap((name) => listed(join(work, name)));
}

async function killed(runner) {
  const recorded = [];
  for (const isTime of runner.kills) {
    const running = start(runner, 'package');
    await killWhen(running, () => isTime(runner, running));
    if (running.said.text.includes(`release ${running.release}`)) recorded.push(running.release);
  }
  const next = await finish(runner, 'package');
  approve(runner, next);
  await killWhen(start(runner, 'approve'), () => existsSync(join(runner.place, 'srv/work/upload.txt.unfinished')));
  await finish(runner, 'approve');
  for (const release of [...recorded, next.release]) requirePublished(runner, release);
}

async function killWhen({ child, ended, kill }, isTime) {
  while (child.exitCode === null && !isTime()) {
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
  if (child.exitCode === null) kill();
  await ended;
}

/** The offline side: signs a request with the Targets key. */
function approve(runner, { release, request }) {
  const approvals = join(runner.place, 'srv/approvals');
  mkdirSync(approvals, { recursive: true });
  const out = join(approvals, `${release}.sig`);
  const args = ['--root', 'offline/root.json', '--key', 'offline/targets.key', '--yes', '-o', out];
  const signed = secureev(runner, ['request', 'sign', request, ...args]);
  if (signed.status !== 0) fail(`the request of ${release} was not signed: ${signed.stderr}`);
}

function secureev(runner, args) {
  const env = environmentOf(runner.place, {});
  const program = join(runner.place, '.tools', 'secureev');
  return spawnSync(program, args, { cwd: runner.place, env, encoding: 'utf8' });
}

/** The car finds the sealed bundles of the release on the CDN, and in it what Targets lists. */
function requirePublished(runner, release) {
  for (const zone of [0, 3]) {
    const target = `bundles/${release}/ZG_${zone}.otap.sev`;
    const common = ['--root', 'offline/root.json', '--state', 'state', '--target', target, '--out', 'got'];
    const got = secureev(runner, ['verify', 'repository', 'cdn', ...common]);
    if (got.status !== 0) fail(`${target} is not on the CDN: ${got.stdout}${got.stderr}`);
  }
  const sealed = join('got/bundles', release, 'ZG_0.otap.sev');
  const envelope = `${release}.sevk`;
  const opened = ['--key', 'offline/car.key', '--envelopes', envelope, '-o', `${release}.otap`];
  const steps = [
    ['envelope', 'extract', sealed, '--repo', 'srv/oem', '--vehicle', VIN, '-o', envelope],
    ['decrypt', sealed, ...opened],
    ['verify', 'bundle', `${release}.otap`, '--root', 'offline/root.json', '--metadata', 'cdn/metadata'],
  ];
  for (const args of steps) {
    const { status, stdout, stderr } = secureev(runner, args);
    if (status !== 0) fail(`${release}: secureev ${args.join(' ')}: ${stdout}${stderr}`);
  }
}

async function verifyAll(runner) {
  const env = ['--repo', 'srv/oem', '--root', 'offline/root.json', '--anchor', 'cdn'];
  const { status, stdout, stderr } = secureev(runner, ['verify', 'log', ...env]);
  if (status !== 0) fail(`the audit log does not verify: ${stdout}${stderr}`);
  const all = ['--root', 'offline/root.json', '--all-targets', '--allow-skip', 'targets-there'];
  const tree = secureev(runner, ['verify', 'repository', 'cdn', ...all]);
  if (tree.status !== 0) fail(`the CDN does not verify: ${tree.stdout}${tree.stderr}`);
  const left = listed(join(runner.place, 'srv/work/bundles'));
  if (left.length > 0) fail(`clear bundles were left behind: ${left.join(', ')}`);
  if (existsSync(join(runner.place, 'srv/work/upload.txt'))) fail('an upload was left unfinished');
}

/** No command of a pipeline may hold a secret, nor print its environment. */
function requireNoSecretInCommands({ file, pipeline, provider }) {
  for (const job of ['package', 'approve', 'renew']) {
    const script = provider.script(pipeline, job);
    if (/PASSPHRASE|secrets\.|set -x|printenv/.test(script))
      fail(`${file}: job ${job} handles a secret in its commands`);
  }
}

function requireSecretsKept({ file, place, shown }) {
  const passed = readFileSync(join(place, 'arguments.log'), 'utf8');
  if (passed.length === 0 || passed.includes(SECRET)) fail(`${file}: the passphrase was an argument`);
  if (shown.includes(SECRET) || shown.includes('PRIVATE KEY')) fail(`${file}: a secret was shown`);
}

function listed(path) {
  return existsSync(path) ? readdirSync(path) : [];
}

function fail(message) {
  rmSync(folder, { recursive: true, force: true });
  process.stderr.write(`ci-rehearsal: ${message}\n`);
  process.exit(1);
}

try {
  const chosen = process.argv.slice(2);
  layOut(folder);
  // The second file calls the same scripts: there the packaging job is killed once.
  let kills = KILLS;
  for (const [file, provider] of Object.entries(PROVIDERS)) {
    if (chosen.length > 0 && !chosen.includes(file)) continue;
    await rehearse(file, { provider, kills });
    kills = KILLS.slice(2, 3);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
