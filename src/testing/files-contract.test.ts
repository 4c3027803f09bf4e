/** What tests rely on in memory must be what the real file system does. */
import { describe, expect, test } from 'vitest';
import { utf8 } from '../core/bytes.ts';
import { failure, isFailure } from '../core/errors.ts';
import type { Files, Io } from '../core/ports.ts';
import { fakeIo } from './fake-io.ts';
import { failEachCall } from './faults.ts';
import { memoryFiles } from './memory-files.ts';
import { scratchFolder } from './scratch-folder.ts';

interface Place extends AsyncDisposable {
  readonly files: Files;
}

const PLACES: readonly (readonly [string, () => Promise<Place>])[] = [
  ['on disk', () => scratchFolder()],
  ['in memory', async () => ({ files: memoryFiles(), [Symbol.asyncDispose]: async () => undefined })],
];

async function outcome(work: Promise<unknown>): Promise<unknown> {
  try {
    return await work;
  } catch (thrown) {
    if (isFailure(thrown)) return thrown.code;
    throw thrown;
  }
}

describe.each(PLACES)('files %s', (_, place) => {
  test('appear by commit only', async () => {
    await using at = await place();
    {
      await using file = await at.files.create('a/out');
      await file.write(utf8('12345'));
      await file.writeAt(1, utf8('xx'));
      expect(await at.files.status('a/out')).toBeUndefined();
      await file.commit();
    }
    {
      await using file = await at.files.create('a/never');
      await file.write(utf8('1'));
    }
    expect(await at.files.list('a')).toEqual(['out']);
    expect(await at.files.read('a/out', 5)).toEqual(utf8('1xx45'));
  });

  test('answer with the same codes', async () => {
    await using at = await place();
    await at.files.write('a/file', utf8('12345'), { mode: 0o600 });
    const work: Readonly<Record<string, Promise<unknown>>> = {
      missing: at.files.read('nothing', 5),
      folder: at.files.read('a', 5),
      large: at.files.read('a/file', 4),
      exists: at.files.create('a/file'),
      linked: at.files.link('a/file', 'a/file'),
      unlinkable: at.files.link('nothing', 'b'),
      unopenable: at.files.open('nothing'),
      unreal: at.files.realPath('nothing'),
      empty: at.files.list('nothing'),
      status: at.files.status('a/file'),
      removed: at.files.remove('nothing'),
    };
    const answers = await Promise.all(
      Object.entries(work).map(async ([name, one]) => [name, await outcome(one)] as const),
    );
    expect(Object.fromEntries(answers)).toEqual({
      missing: 'FILE_NOT_FOUND',
      folder: 'FILE_ACCESS',
      large: 'FILE_TOO_LARGE',
      exists: 'FILE_EXISTS',
      linked: 'FILE_EXISTS',
      unlinkable: 'FILE_NOT_FOUND',
      unopenable: 'FILE_NOT_FOUND',
      unreal: 'FILE_NOT_FOUND',
      empty: [],
      status: { kind: 'file', sizeBytes: 5, mode: 0o600 },
      removed: undefined,
    });
  });

  test('are read by position and in chunks', async () => {
    await using at = await place();
    await at.files.write('in', utf8('abcdefg'));
    await using file = await at.files.open('in');
    expect([file.sizeBytes, await file.read(5, 9)]).toEqual([7, utf8('fg')]);
    const chunks: number[] = [];
    for await (const chunk of file.stream({ from: 1, length: 5, chunkBytes: 2 })) chunks.push(chunk.length);
    expect(chunks).toEqual([2, 2, 1]);
  });

  test('removes a folder only when it is empty', async () => {
    await using at = await place();
    const { files } = at;
    await files.write('a/b/file', utf8('x'));
    await files.removeFolder('a/b');
    expect((await files.status('a/b'))?.kind).toBe('folder');
    await files.remove('a/b/file');
    await files.makeFolder('a/b');
    await files.removeFolder('a/b');
    await files.removeFolder('a/b');
    expect(await files.status('a/b')).toBeUndefined();
  });
});

describe('fault injection', () => {
  test('fails each call in turn, and an atomic write leaves the old or the new, never half', async () => {
    const copy = async ({ files }: Io): Promise<void> => {
      const bytes = await files.read('in', 100);
      await using file = await files.create('out', { overwrite: true });
      for (const byte of bytes) await file.write(Uint8Array.of(byte));
      await file.commit();
    };
    const failed: number[] = [];
    const calls = await failEachCall(async () => {
      const io = fakeIo({ files: { in: 'abc', out: 'old' } });
      const check = async (failedAt: number, thrown: unknown): Promise<void> => {
        failed.push(failedAt);
        expect(isFailure(thrown, 'DISK_FULL')).toBe(true);
        expect(await io.files.read('out', 10)).toEqual(utf8('old'));
      };
      return { io, check };
    }, copy);
    expect(calls).toBe(6);
    expect(failed).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('reaches chunks of streams', async () => {
    const failed: number[] = [];
    const read = async (io: Io): Promise<void> => {
      await using file = await io.files.open('in');
      for await (const chunk of file.stream({ chunkBytes: 1 }))
        if (chunk.length !== 1) throw failure('INTERNAL', 'chunk');
    };
    const start = async (): ReturnType<Parameters<typeof failEachCall>[0]> => ({
      io: fakeIo({ files: { in: 'abc' } }),
      check: async (failedAt) => void failed.push(failedAt),
    });
    expect(await failEachCall(start, read)).toBe(4);
    expect(failed).toHaveLength(4);
  });
});
