/** Ceremonies that are interrupted: at every write of every step, in every way. */
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fromUtf8 } from '../core/bytes.ts';
import { SecureevError } from '../core/errors.ts';
import type { Io } from '../core/ports.ts';
import { ceremonySession, secretOf } from '../testing/ceremony-session.ts';
import type { CliSession } from '../testing/run-cli.ts';

const RUN = 'ceremony run ceremony.yaml --out held --rehearsal --answers answers.yaml';
const RESUME = 'ceremony resume held --answers answers.yaml';
const CHANGES = new Set<string | symbol>(['write', 'create', 'link', 'remove', 'makeFolder']);

/** How a run ends at a write: the process is gone, Ctrl-C, the medium is full. */
const ENDINGS = ['killed', 'interrupted', 'full'] as const;
type Ending = (typeof ENDINGS)[number];

describe('a ceremony that is interrupted at every write of every step', () => {
  test('goes on each time, and verifies at the end', async () => {
    await using session = await ceremonySession({ custodians: ['AL'] });
    let interruptions = 0;
    for (let step = 0, at = 1; ; at++) {
      const ending = ENDINGS[(step + at) % ENDINGS.length] ?? 'killed';
      const doneBefore = await doneSteps(session);
      const line = doneBefore === 0 ? RUN : RESUME;
      const { status, stderr } = await session.run(line, { adapt: (io) => endingAt(io, at, ending) });
      if (status === 0) break;
      expect(stderr, `${ending} at write ${at} after ${doneBefore} steps`).toMatch(
        /ceremony-faults\.test|INTERRUPTED|DISK_FULL/,
      );
      interruptions++;
      if ((await doneSteps(session)) > doneBefore) [step, at] = [step + 1, 0];
    }
    expect(interruptions).toBeGreaterThan(60);
    await session.ok('ceremony verify held --rehearsal');
    const left = (await readdir(session.folder, { recursive: true })).filter((name) => name.endsWith('.tmp'));
    expect(left).toEqual([]);
    const keys = (await readdir(session.path('media/AL'))).filter((name) => name.endsWith('.key'));
    expect(keys).toEqual(['AL-director-root.key', 'AL-image-root.key']);
    await expectNoSecret(session, [secretOf('AL')]);
  }, 240_000);
});

describe('a ceremony', () => {
  test('whose medium is pulled out says so, and goes on when it is back', async () => {
    await using session = await ceremonySession({ brings: false, custodians: ['AL'] });
    const pulled = (io: Io): Io => ({ ...io, files: withoutMedium(io, 4) });
    const { status, stderr } = await session.run(RUN, { adapt: pulled });
    expect([status, stderr]).toEqual([5, expect.stringContaining('CEREMONY_MEDIUM_MISSING')]);
    const transcript = fromUtf8(await session.read('held/transcript.jsonl'));
    expect(transcript).toMatch(/"code":"CEREMONY_MEDIUM_MISSING".*"outcome":"failed"/);
    await session.ok(RESUME);
    const verified = await session.ok('ceremony verify held --rehearsal');
    expect(verified).toContain('failed first and were taken again');
  }, 60_000);

  test('will not overwrite a key that it did not make', async () => {
    await using session = await ceremonySession({ brings: false, custodians: ['AL'] });
    await session.write('media/AL/AL-image-root.key', 'the key of another year');
    const { error } = await session.json(RUN);
    expect(error?.code).toBe('FILE_EXISTS');
    expect(fromUtf8(await session.read('media/AL/AL-image-root.key'))).toBe('the key of another year');
  }, 60_000);

  test('refuses a key file that was exchanged between its steps', async () => {
    await using session = await ceremonySession({ brings: false });
    await session.run(RUN, { adapt: (io) => stopsAfter(io, 'generate:EC:image') });
    await session.write('other.key', await session.read('media/AL/AL-image-root.key'));
    const answers = fromUtf8(await session.read('answers.yaml'));
    await session.write('answers.yaml', answers.replace(secretOf('EC'), secretOf('AL')));
    await session.write('media/EC/EC-image-root.key', await session.read('other.key'));
    const { status, error } = await session.json(RESUME);
    expect([status, error?.code]).toEqual([3, 'CEREMONY_KEY_OTHER']);
  }, 60_000);

  test('that runs twice at once notices', async () => {
    await using session = await ceremonySession({ brings: false, custodians: ['AL'] });
    const again = async (io: Io): Promise<void> => {
      const transcript = await io.files.read('held/transcript.jsonl', 1 << 20);
      const line = JSON.parse(fromUtf8(transcript).split('\n')[0] ?? '') as { time: string };
      await session.run(['ceremony', 'resume', 'held', '--abort', '--reason', line.time, '--yes']);
    };
    const { error } = await session.json(RUN, { adapt: (io) => intruding(io, again) });
    expect(error?.code).toBe('CEREMONY_BUSY');
  }, 60_000);

  test('that is given up is recorded as such, and nothing follows', async () => {
    await using session = await ceremonySession({ brings: false, custodians: ['AL'] });
    await session.run(RUN, { adapt: (io) => stopsAfter(io, 'clock') });
    const unsure = await session.json('ceremony resume held --abort --reason late');
    expect(unsure.error?.code).toBe('NO_TERMINAL');
    await session.ok(['ceremony', 'resume', 'held', '--abort', '--reason', 'the medium broke', '--yes']);
    expect(fromUtf8(await session.read('held/transcript.jsonl'))).toContain('"outcome":"aborted"');
    expect((await session.json(RESUME)).error?.code).toBe('CEREMONY_OVER');
    const verdict = await session.json('ceremony verify held --rehearsal --allow-skip report');
    expect(verdict.error?.details).toMatchObject({ failed: expect.arrayContaining(['steps']) as unknown });
  }, 60_000);

  test('does not go on from a plan or a transcript that was changed', async () => {
    await using session = await ceremonySession({ brings: false, custodians: ['AL'] });
    await session.run(RUN, { adapt: (io) => stopsAfter(io, 'clock') });
    const plan = fromUtf8(await session.read('held/ceremony.yaml'));
    await session.write('held/ceremony.yaml', plan.replace('threshold: 2 }', 'threshold: 3 }'));
    expect((await session.json(RESUME)).error?.code).toBe('TRANSCRIPT_BROKEN');
    await session.write('held/ceremony.yaml', plan);
    const transcript = fromUtf8(await session.read('held/transcript.jsonl'));
    await session.write('held/transcript.jsonl', transcript.replace('"GH"', '"GG"'));
    expect((await session.json(RESUME)).error?.code).toBe('TRANSCRIPT_BROKEN');
    await session.write('held/transcript.jsonl', `${transcript}{"facts":{"a`);
    await session.ok(RESUME);
  }, 60_000);
});

async function doneSteps(session: CliSession): Promise<number> {
  const text = await readFile(session.path('held/transcript.jsonl'), 'utf8').catch(() => '');
  return text.split('"outcome":"done"').length - 1;
}

/** An Io whose change number `at` does not happen: nor does anything after it, Ctrl-C, or no room for it alone. */
function endingAt(io: Io, at: number, ending: Ending): Io {
  const controller = new AbortController();
  let changes = 0;
  const step = (name: string | symbol): void => {
    if (CHANGES.has(name)) changes++;
    if (ending === 'killed' && changes >= at) throw new Error('killed');
    if (changes !== at || !CHANGES.has(name)) return;
    if (ending === 'full') throw new SecureevError('DISK_FULL', { message: 'injected: no room' });
    controller.abort(new SecureevError('INTERRUPTED', { message: 'interrupted' }));
    throw controller.signal.reason;
  };
  return { ...io, signal: controller.signal, files: watched(io.files, step) };
}

function watched(files: Io['files'], step: (name: string | symbol, path: unknown) => void): Io['files'] {
  return new Proxy(files, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return async (...args: readonly unknown[]): Promise<unknown> => {
        step(name, args[0]);
        return (await Reflect.apply(value, target, args)) as unknown;
      };
    },
  });
}

/** The medium is not there when it is looked at for the `nth` time. */
function withoutMedium(io: Io, nth: number): Io['files'] {
  let looked = 0;
  return new Proxy(io.files, {
    get(target, name) {
      if (name !== 'status') return Reflect.get(target, name) as unknown;
      return async (path: string) => {
        if (path === 'media/AL' && ++looked === nth) return undefined;
        return await target.status(path);
      };
    },
  });
}

/** Ctrl-C right after a step was recorded. */
function stopsAfter(io: Io, step: string): Io {
  const controller = new AbortController();
  const files = new Proxy(io.files, {
    get(target, name) {
      if (name !== 'write') return Reflect.get(target, name) as unknown;
      return async (path: string, bytes: Uint8Array, options: object) => {
        await target.write(path, bytes, options);
        if (!path.endsWith('transcript.jsonl') || !fromUtf8(bytes).includes(`"step":"${step}"`)) return;
        controller.abort(new SecureevError('INTERRUPTED', { message: 'interrupted' }));
      };
    },
  });
  return { ...io, files, signal: controller.signal };
}

/** Lets someone else in once, when the first key is about to be written. */
function intruding(io: Io, intrude: (io: Io) => Promise<void>): Io {
  let done = false;
  const files = new Proxy(io.files, {
    get(target, name) {
      if (name !== 'write') return Reflect.get(target, name) as unknown;
      return async (path: string, bytes: Uint8Array, options: object) => {
        if (path.endsWith('.key') && !done) {
          done = true;
          await intrude(io);
        }
        await target.write(path, bytes, options);
      };
    },
  });
  return { ...io, files };
}

async function expectNoSecret(session: CliSession, secrets: readonly string[]): Promise<void> {
  const entries = await readdir(session.folder, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((one) => one.isFile() && one.name !== 'answers.yaml')) {
    const path = join(entry.parentPath, entry.name);
    const text = await readFile(path, 'latin1');
    for (const secret of secrets) expect(text.includes(secret), `${path} holds a secret`).toBe(false);
  }
}
