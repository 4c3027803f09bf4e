/** The golden trees of dialect aktualizr as they were written on 2026-11-21, read by our client and by Python alone. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parseTargetName } from '../core/brands.ts';
import { fromUtf8, utf8 } from '../core/bytes.ts';
import { readDirectorTargets } from '../formats/metadata/director-targets.ts';
import { decodeMetadata } from '../formats/metadata/envelope.ts';
import { aktualizrTrees, AKTUALIZR_TREE_ECU, AKTUALIZR_TREE_NOW } from '../testing/aktualizr-tree.ts';
import { scratchFolder } from '../testing/scratch-folder.ts';
import { outcomeOf } from '../testing/trusting-client.ts';
import { requireMatch } from './director.ts';
import { findTarget } from './find-target.ts';
import type { TrustSource } from './source.ts';
import { checkTarget } from './target-check.ts';
import { updateFrom } from './update.ts';

const TREE = fileURLToPath(new URL('../../fixtures/metadata/aktualizr/', import.meta.url));
const SCRIPT = fileURLToPath(new URL('../../scripts/check-aktualizr-tree.py', import.meta.url));
const PYTHON = '/usr/bin/python3';
const IS_THERE = spawnSync(PYTHON, ['-c', 'import cryptography']).status === 0;
if (!IS_THERE)
  process.stderr.write('SKIPPED: python3-cryptography is missing (apt-get install python3-cryptography)\n');

const FILES = readdirSync(TREE, { recursive: true, withFileTypes: true })
  .filter((one) => one.isFile() && one.name !== 'README.md')
  .map(({ parentPath, name }) => `${parentPath}/${name}`.replaceAll('//', '/').slice(TREE.length))
  .toSorted();
const METADATA = FILES.filter((name) => name.endsWith('.json'));

function read(name: string): Uint8Array {
  return new Uint8Array(readFileSync(TREE + name));
}

/** The Image tree, but for what `change` says of a file. */
function source(change: (name: string) => Uint8Array | undefined = () => undefined): TrustSource {
  return {
    fetch: (name) => {
      const path = `image/metadata/${name}`;
      return Promise.resolve(change(name) ?? (FILES.includes(path) ? read(path) : undefined));
    },
  };
}

const update = (from: TrustSource, engine: 'noble' | 'native' = 'native') =>
  updateFrom(from, { engine, pinnedRoot: read('image/metadata/1.root.json'), now: AKTUALIZR_TREE_NOW });

describe('the golden trees', () => {
  test('are made again byte for byte, and nothing else lies there', () => {
    const made = aktualizrTrees();
    expect([...made.keys()].toSorted()).toEqual(FILES);
    for (const [name, bytes] of made) expect({ name, bytes: read(name) }).toEqual({ name, bytes });
  });

  test.each(['noble', 'native'] as const)(
    'Image, by %s: from root 1 to targets, one of them delegated',
    async (engine) => {
      const set = await update(source(), engine);
      expect(set.root.verified.signed.version).toBe(2);
      expect(set.root.verified.dialect).toBe('aktualizr');
      for (const name of ['EV-1/VCU/1.1.0/vcu.bin', 'EV-1/IVI/2.0.0/ivi.img']) {
        const { found } = await findTarget({ source: source() }, set, {
          name: parseTargetName(name),
          hardwareId: undefined,
        });
        const target = found?.verified.target;
        expect(target).toBeDefined();
        if (target !== undefined) checkTarget({ engine, name, target }, read(`image/targets/${name}`));
        expect(found?.verified.policies[0]?.postQuantum?.threshold).toBe(1);
      }
    },
  );

  test('Director: its Targets give the ECU its image, and the Image repository says the same (U33)', async () => {
    const set = await update(source());
    const name = parseTargetName('EV-1/VCU/1.1.0/vcu.bin');
    const { found } = await findTarget({ source: source() }, set, { name, hardwareId: 'vcu-a' });
    const { signed, dialect } = decodeMetadata(read('director/targets.json')).unverified;
    if (signed.role !== 'targets' || found === undefined) throw new Error('not the golden tree');
    const [entry, ...more] = readDirectorTargets(signed).entries;
    if (entry === undefined) throw new Error('no entry');
    expect([entry.name, [...entry.ecus.keys()], more]).toEqual([name, [AKTUALIZR_TREE_ECU], []]);
    expect(() => requireMatch(entry, found, dialect)).not.toThrow();
  });

  const online = ['timestamp', 'snapshot', 'targets', 'delegations/fw'];

  test.each(online)('%s.json: whatever byte of it is flipped, it is not taken', async (role) => {
    const bytes = read(`image/metadata/${role}.json`);
    const query = { name: parseTargetName('EV-1/IVI/2.0.0/ivi.img'), hardwareId: undefined };
    for (let at = 0; at < bytes.length; at += 83) {
      const changed = bytes.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      const tampered = source((name) => (name === `${role}.json` ? changed : undefined));
      const outcome = await outcomeOf(update(tampered).then((set) => findTarget({ source: tampered }, set, query)));
      expect({ at, outcome }).not.toEqual({ at, outcome: 'done' });
    }
  });

  test('a tree of dialect tuf signed by the same keys is refused (T2)', async () => {
    const timestamp = fromUtf8(read('image/metadata/timestamp.json')).replace(
      '"_type":"Timestamp"',
      '"_type":"timestamp"',
    );
    const other = source((name) => (name === 'timestamp.json' ? utf8(timestamp) : undefined));
    expect(await outcomeOf(update(other))).not.toBe('done');
  });
});

describe.skipIf(!IS_THERE)('read by python3-cryptography and json alone', () => {
  const ask = (folder: string): Record<string, { canonical: boolean; keyIds: boolean; good: number; bad: number }> => {
    const { status, stdout, stderr } = spawnSync(PYTHON, [SCRIPT, folder], { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    return JSON.parse(stdout) as ReturnType<typeof ask>;
  };

  test('every file is its own canonical form, every key id is libaktualizr’s, every signature is good', () => {
    const answer = ask(TREE);
    expect(Object.keys(answer).toSorted()).toEqual(METADATA);
    for (const [name, facts] of Object.entries(answer)) {
      const good = name.startsWith('image/metadata/') && name.endsWith('root.json') ? 2 : 1;
      expect({ name, ...facts }).toEqual({ name, canonical: true, keyIds: true, good, bad: 0 });
    }
  });

  test('a changed byte is seen by it, so that good means something', async () => {
    await using folder = await scratchFolder();
    for (const name of METADATA) await folder.files.write(name, read(name));
    const text = fromUtf8(read('image/metadata/timestamp.json')).replace('"version":1}', '"version":2}');
    await folder.files.write('image/metadata/timestamp.json', utf8(text), { overwrite: true });
    expect(ask(folder.path)['image/metadata/timestamp.json']).toMatchObject({ good: 0, bad: 1 });
  });
});
