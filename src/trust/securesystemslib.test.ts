/** Debian's python3-securesystemslib reads our files: key ids, canonical JSON and classical signatures. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { SignatureId } from '../crypto/signatures/index.ts';
import { decodeMetadata } from '../formats/metadata/envelope.ts';
import { scratchFolder } from '../testing/scratch-folder.ts';
import { simulateRepository } from '../testing/simulator.ts';
import type { Simulator } from '../testing/simulator.ts';

const SCRIPT = fileURLToPath(new URL('../../scripts/check-with-securesystemslib.py', import.meta.url));
/** Debian's own interpreter: its packages are not there for others. */
const PYTHON = '/usr/bin/python3';

interface Answer {
  readonly files: Readonly<Record<string, { canonical: string; good: number; bad: number }>>;
  /** As listed -> as securesystemslib makes it. */
  readonly keyIds: Readonly<Record<string, string>>;
}

const IS_THERE = spawnSync(PYTHON, ['-c', 'import securesystemslib']).status === 0;
if (!IS_THERE) {
  process.stderr.write('SKIPPED: python3-securesystemslib is missing (apt-get install python3-securesystemslib)\n');
}

/** What securesystemslib says of the simulator's tree. */
async function ask(simulator: Simulator): Promise<Answer> {
  await using folder = await scratchFolder();
  for (const [name, bytes] of simulator.files) await folder.files.write(name, bytes);
  const { status, stdout, stderr } = spawnSync(PYTHON, [SCRIPT, folder.path], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Answer;
}

function repository(classical: SignatureId, hybrid: boolean): Simulator {
  const simulator = simulateRepository({ classical, hybrid });
  simulator.delegate('targets', { name: 'brakes', paths: ['é "\\/*'] });
  simulator.addTarget('pads.bin', 'pads', 'brakes');
  simulator.rotate('root');
  simulator.publishRoot();
  simulator.publish();
  return simulator;
}

describe.skipIf(!IS_THERE).each([
  ['ed25519', false],
  ['ed25519', true],
  ['ecdsa-p256', false],
  ['ecdsa-p256', true],
] as const)('%s, hybrid %s', (classical, hybrid) => {
  test('every file has the same canonical form, and every classical signature is good', async () => {
    const simulator = repository(classical, hybrid);
    const { files } = await ask(simulator);
    expect(Object.keys(files).length).toBe(simulator.files.size);
    for (const [name, bytes] of simulator.files) {
      const envelope = decodeMetadata(bytes, name).unverified;
      const canonical = createHash('sha256').update(envelope.canonical).digest('hex');
      expect({ name, ...files[name] }).toEqual({ name, canonical, good: envelope.signatures.length, bad: 0 });
    }
  });

  test('every key has the same id', async () => {
    const { keyIds } = await ask(repository(classical, hybrid));
    expect(Object.keys(keyIds).length).toBeGreaterThanOrEqual(6);
    expect(Object.entries(keyIds).filter(([listed, made]) => listed !== made)).toEqual([]);
  });

  test('a changed byte is seen by it, so that good means something', async () => {
    const simulator = repository(classical, hybrid);
    const bytes = simulator.files.get('timestamp.json') ?? new Uint8Array();
    const text = Buffer.from(bytes)
      .toString('utf8')
      .replace(/"version": ?2/, '"version":3');
    simulator.files.set('timestamp.json', Buffer.from(text));
    expect((await ask(simulator)).files['timestamp.json']).toMatchObject({ good: 0, bad: 1 });
  });
});
