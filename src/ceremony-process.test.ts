/** A ceremony as a process that is killed and interrupted by the system, again and again. */
import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { seededRandom } from './testing/clock.ts';
import { ceremonySession } from './testing/ceremony-session.ts';

const BIN = fileURLToPath(new URL('../bin/secureev.js', import.meta.url));
const RUN = ['ceremony', 'run', 'ceremony.yaml', '--out', 'held', '--rehearsal', '--answers', 'answers.yaml'];
const RESUME = ['ceremony', 'resume', 'held', '--answers', 'answers.yaml'];
const KILLS = 12;

test('kill -9 and Ctrl-C at any moment leave a ceremony that goes on', async () => {
  await using session = await ceremonySession({ brings: false, custodians: ['AL'] });
  const random = seededRandom('kill');
  const outcomes: unknown[] = [];
  for (let kills = 0; ;) {
    const begun =
      (await session.json('ceremony verify held --rehearsal')).error?.message.includes('no ceremony') !== true;
    const child = spawn(process.execPath, [BIN, ...(begun ? RESUME : RUN)], { cwd: session.folder, stdio: 'ignore' });
    const { promise: ended, resolve } = Promise.withResolvers<number | string | null>();
    child.once('exit', (status, by) => resolve(status ?? by));
    const [byte = 0] = random.bytes(1);
    const signal = kills % 2 === 0 ? 'SIGKILL' : 'SIGINT';
    const timeMs = 250 + byte * 5;
    if (kills < KILLS && (await Promise.race([ended, delay(timeMs)])) === undefined) {
      child.kill(signal);
      kills++;
    }
    const outcome = await ended;
    outcomes.push(outcome);
    if (outcome === 0) break;
  }
  expect(new Set(outcomes)).toEqual(new Set(['SIGKILL', 130, 0]));
  await session.ok('ceremony verify held --rehearsal');
  const keys = (await readdir(session.path('media/AL'))).filter((name) => name.endsWith('.key'));
  expect(keys).toEqual(['AL-director-root.key', 'AL-image-root.key']);
  const left = (await readdir(session.folder, { recursive: true })).filter((name) => name.endsWith('.tmp'));
  expect(left).toEqual([]);
}, 120_000);
