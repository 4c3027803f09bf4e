/** Keys for trying things out: the example keys and those of rehearsed ceremonies. */
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, afterAll, describe, expect, test } from 'vitest';
import { chmod } from 'node:fs/promises';
import { fromUtf8 } from '../core/bytes.ts';
import { EXAMPLE_KEY_IDS } from '../formats/keys/example-keys.ts';
import { decodePublicFile } from '../formats/keys/public-file.ts';
import { ceremonySession } from '../testing/ceremony-session.ts';
import { cliSession } from '../testing/run-cli.ts';
import type { CliSession } from '../testing/run-cli.ts';
import { shellLines } from '../testing/shell-lines.ts';

const FOLDER = fileURLToPath(new URL('../../keys.example/', import.meta.url));
const ENV = { SECUREEV_PASSPHRASE: 'example', SECUREEV_REPO: 'try' };

describe('the example keys', () => {
  let session: CliSession;
  beforeAll(async () => {
    session = await cliSession({ env: ENV });
    for (const name of readdirSync(FOLDER).filter((file) => /\.(?:key|pub)$/.test(file))) {
      await session.write(`trykeys/${name}`, readFileSync(FOLDER + name));
      await chmod(session.path(`trykeys/${name}`), 0o600);
    }
  });
  afterAll(async () => session[Symbol.asyncDispose]());

  test('are all on the list of the program, and nothing else is', () => {
    const files = readdirSync(FOLDER).filter((name) => name.endsWith('.pub'));
    const ids = files.flatMap((name) => decodePublicFile(readFileSync(FOLDER + name)).keys.map(({ keyId }) => keyId));
    expect(new Set(ids)).toEqual(EXAMPLE_KEY_IDS);
    expect(readdirSync(FOLDER).filter((name) => name.endsWith('.key'))).toHaveLength(files.length);
  });

  test('do what their README says, word for word, in a repository for rehearsals', async () => {
    const lines = shellLines(readFileSync(`${FOLDER}README.md`, 'utf8')).filter((line) => line.startsWith('secureev '));
    expect(lines).toHaveLength(9);
    for (const line of lines) await session.ok(line.replace(/^secureev /, ''));
    await session.ok('root export -o root.json');
    expect(fromUtf8(await session.read('public/metadata/1.root.json'))).toBe(fromUtf8(await session.read('root.json')));
  }, 60_000);

  test('are refused everywhere else: as keys of a role, as escrow, as signers, for decryption', async () => {
    await session.ok('init oem --name OEM');
    const codeOf = async (line: string): Promise<unknown> => {
      const { status, error } = await session.json(line, { env: { SECUREEV_REPO: 'oem' } });
      return [status, error?.code];
    };
    const refused = [6, 'KEY_REHEARSAL'];
    expect(await codeOf('role set targets --key trykeys/targets.pub')).toEqual(refused);
    expect(await codeOf('role set escrow --key trykeys/escrow.pub')).toEqual(refused);
    expect(await codeOf('sign root --key trykeys/root-a.key')).toEqual(refused);
    expect(await codeOf('renew --key trykeys/root-a.key')).toEqual(refused);
    expect((await session.json('key public trykeys/root-a.key')).ok).toBe(true);
  }, 60_000);
});

test('a rehearsed ceremony begins a repository for rehearsals alone, with its roots byte for byte', async () => {
  await using session = await ceremonySession({
    custodians: ['AL', 'EC', 'JC'],
    threshold: 2,
    scheme: 'hybrid-ed25519',
  });
  await session.ok('ceremony run ceremony.yaml --out held --rehearsal --answers answers.yaml');
  const refused = await session.json('init oem --from-ceremony held');
  expect([refused.status, refused.error?.message]).toEqual([3, expect.stringContaining('CEREMONY_REHEARSAL')]);
  await session.ok('init oem --from-ceremony held --rehearsal');
  const env = { SECUREEV_REPO: 'oem', SECUREEV_PASSPHRASE: 'brought by others' };
  for (const [role, kind] of [
    ['root', 'image'],
    ['director/root', 'director'],
  ]) {
    await session.ok(`root export --role ${role} -o ${kind}.json`, { env });
    expect(await session.read(`${kind}.json`)).toEqual(await session.read(`held/metadata/${kind}/1.root.json`));
  }
  const keys = ['targets', 'snapshot', 'timestamp'].map((name) => `--key keys/${name}.key`).join(' ');
  await session.ok(`sign targets snapshot timestamp ${keys}`, { env });
  await session.ok('publish image public', { env });
  expect(await session.read('public/metadata/1.root.json')).toEqual(await session.read('image.json'));
  const production = { env: { SECUREEV_REPO: 'real' } };
  await session.ok('init real --name Real', production);
  const { error } = await session.json('role set root --key held/public/AL-image-root.pub', production);
  expect(error?.code).toBe('KEY_REHEARSAL');
}, 120_000);

test('a ceremony that brings no keys begins a repository with its root keys staged', async () => {
  await using session = await ceremonySession({ custodians: ['AL'], brings: false });
  await session.ok('ceremony run ceremony.yaml --out held --rehearsal --answers answers.yaml');
  await session.ok('init oem --from-ceremony held --rehearsal --name Renamed');
  const env = { SECUREEV_REPO: 'oem' };
  const listed = await session.ok('role list', { env });
  expect(listed).toMatch(/^director\/root \(staged\): 1 of 1/m);
  expect((await session.json('root export -o root.json', { env })).error?.code).toBe('ROLE_NOT_COMPLETE');
}, 60_000);
