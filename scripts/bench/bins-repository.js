// A repository whose targets lie in hashed bins: set up with the command line, its million targets put into the database at
// once, since no command stages so many.
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { must, output, secureev } from './run.js';

const Database = createRequire(import.meta.url)('better-sqlite3');
const ROLES = ['targets', 'snapshot', 'timestamp'];
const PREFIX = 'bins';

/**
 * A repository of `targets` targets in 2^`bits` bins, all signed.
 * - `first()`, `signBins()`, `signRelease()`: commands for measuring; what they need first is done before they are given;
 * - `run(...args)`: runs a command in it.
 */
export function startBins({ folder, bits, targets }) {
  const cwd = join(folder, `bins-${bits}`);
  mkdirSync(cwd);
  const command = (...args) => ({
    argv: secureev(...args),
    cwd,
    env: { SECUREEV_REPO: join(cwd, 'oem'), SECUREEV_PASSPHRASE: 'x' },
  });
  const run = (...args) => must(command(...args));
  setUp(run, 2 ** bits);
  if (targets > 0) fill(join(cwd, 'oem', 'repo.db'), { bits, targets });
  const keys = { now: 0, counter: 0 };
  const keyOf = (index) => `keys/${PREFIX}-${index}`;
  const online = ['--key', 'keys/snapshot.key', '--key', 'keys/timestamp.key'];
  const repository = {
    cwd,
    run,
    command,
    first: () => command('sign', PREFIX, '--key', `${keyOf(0)}.key`),
    signBins() {
      const [old, next] = [keyOf(keys.now), keyOf(1 - keys.now)];
      const ids = JSON.parse(output(command('key', 'show', `${old}.pub`, '--json'))).result.files[0].keys;
      run('delegation', 'change', PREFIX, '--replace', `${ids[0].keyId}=${next}.pub`);
      run('sign', 'targets', '--key', 'keys/targets.key');
      keys.now = 1 - keys.now;
      return command('sign', PREFIX, '--key', `${next}.key`);
    },
    signRelease() {
      const version = `${++keys.counter}.0`;
      writeFileSync(join(cwd, 'image.img'), `image ${version}`);
      const name = ['--name', `EV-1/NEW/${version}/image.img`, '--hardware', 'HW-1', '--clear'];
      run('target', 'add', 'image.img', ...name, '--version-id', version, '--release-counter', String(keys.counter));
      return command('sign', PREFIX, 'snapshot', 'timestamp', '--key', `${keyOf(keys.now)}.key`, ...online);
    },
  };
  return repository;
}

function setUp(run, bins) {
  run('init', 'oem', '--name', 'Bins');
  for (const key of ['root', ...ROLES, `${PREFIX}-0`, `${PREFIX}-1`]) run('keygen', key, '--out', 'keys');
  for (const role of ['root', ...ROLES]) run('role', 'set', role, '--key', `keys/${role}.pub`);
  run('sign', 'root', '--key', 'keys/root.key');
  run('root', 'export', '-o', 'root.json');
  run('delegation', 'bins', String(bins), '--key', `keys/${PREFIX}-0.pub`);
  run('sign', 'targets', '--key', 'keys/targets.key');
}

/** Stages the targets, each in its own bin (TAP 15). */
function fill(path, { bits, targets }) {
  const database = new Database(path);
  const digits = (2 ** bits - 1).toString(16).length;
  const sha256 = (text) => createHash('sha256').update(text).digest();
  const rows = Array.from({ length: targets }, (_, n) => {
    const name = `EV-${n % 7}/ECU-${n % 997}/1.${n}/firmware.bin`;
    return { name, bin: sha256(name).readUInt32BE(0) >>> (32 - bits), hash: sha256(String(n)).toString('hex') };
  }).sort((a, b) => a.bin - b.bin || (a.name < b.name ? -1 : 1));
  const role = database.prepare(`INSERT INTO roles (repository, name, bins) VALUES ('image', ?, '${PREFIX}')`);
  const stage = database.prepare('INSERT INTO staged (role_id, item, value) VALUES (?, ?, ?)');
  database.transaction(() => {
    let [last, id] = [-1, 0];
    for (const { name, bin, hash } of rows) {
      if (bin !== last) id = role.run(`${PREFIX}-${bin.toString(16).padStart(digits, '0')}`).lastInsertRowid;
      last = bin;
      const custom = { hardwareIds: ['HW-1'], releaseCounter: 1, version: '1.0' };
      const value = { length: 123_456, sha256: hash, custom, confidential: true, insideBundle: true };
      stage.run(id, `targets/${name}`, JSON.stringify(value));
    }
  })();
  database.close();
}
