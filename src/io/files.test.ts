import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes, utf8 } from '../core/bytes.ts';
import { failure, isFailure } from '../core/errors.ts';
import type { ErrorCode } from '../core/errors.ts';
import { scratchFolder } from '../testing/scratch-folder.ts';
import { fileFailure } from './system-errors.ts';
import { temporaryFiles } from './temporary-files.ts';

async function codeOf(work: Promise<unknown>): Promise<ErrorCode | 'nothing was thrown'> {
  try {
    await work;
  } catch (thrown) {
    if (isFailure(thrown)) return thrown.code;
    throw thrown;
  }
  return 'nothing was thrown';
}

async function sha256Of(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
}

async function gathered(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return concatBytes(...parts);
}

describe('output files', () => {
  test('appear under their name only by commit, whole, with their mode', async () => {
    await using folder = await scratchFolder();
    {
      await using file = await folder.files.create('deep/er/out.bin', { mode: 0o600 });
      await file.write(utf8('....world'));
      await file.writeAt(0, utf8('hi, '));
      expect(readdirSync(join(folder.path, 'deep/er'))).not.toContain('out.bin');
      await file.commit();
    }
    expect(readdirSync(join(folder.path, 'deep/er'))).toEqual(['out.bin']);
    expect(readFileSync(join(folder.path, 'deep/er/out.bin'), 'utf8')).toBe('hi, world');
    expect(statSync(join(folder.path, 'deep/er/out.bin')).mode & 0o777).toBe(0o600);
  });

  test('leave nothing behind when they are disposed before', async () => {
    await using folder = await scratchFolder();
    {
      await using file = await folder.files.create('out.bin');
      await file.write(new Uint8Array(100));
    }
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test('keep the order of writes that are under way at once', async () => {
    await using folder = await scratchFolder();
    await using file = await folder.files.create('out.bin');
    await Promise.all([file.write(utf8('one ')), file.write(utf8('two ')), file.write(utf8('three'))]);
    await file.commit();
    expect(readFileSync(join(folder.path, 'out.bin'), 'utf8')).toBe('one two three');
  });

  test('never replace an existing file unless asked', async () => {
    await using folder = await scratchFolder({});
    await folder.files.write('out', utf8('old'));
    expect(await codeOf(folder.files.create('out'))).toBe('FILE_EXISTS');
    expect(await codeOf(folder.files.write('out', utf8('new')))).toBe('FILE_EXISTS');
    await folder.files.write('out', utf8('new'), { overwrite: true });
    expect(readFileSync(join(folder.path, 'out'), 'utf8')).toBe('new');
  });

  test('never replace a file that was made meanwhile', async () => {
    await using folder = await scratchFolder();
    await using file = await folder.files.create('out');
    await file.write(utf8('ours'));
    writeFileSync(join(folder.path, 'out'), 'theirs');
    expect(await codeOf(file.commit())).toBe('FILE_EXISTS');
    expect(readFileSync(join(folder.path, 'out'), 'utf8')).toBe('theirs');
  });

  test('count a dangling link as an existing file, and replace a link, not what it points at', async () => {
    await using folder = await scratchFolder();
    symlinkSync('nowhere', join(folder.path, 'link'));
    expect(await codeOf(folder.files.create('link'))).toBe('FILE_EXISTS');
    writeFileSync(join(folder.path, 'precious'), 'precious');
    symlinkSync('precious', join(folder.path, 'to-precious'));
    await folder.files.write('to-precious', utf8('new'), { overwrite: true });
    expect(readFileSync(join(folder.path, 'precious'), 'utf8')).toBe('precious');
  });

  test('do not replace a folder', async () => {
    await using folder = await scratchFolder();
    mkdirSync(join(folder.path, 'out'));
    expect(await codeOf(folder.files.create('out', { overwrite: true }))).toBe('FILE_ACCESS');
  });

  test('leave nothing behind when the process is about to end', async () => {
    const temporary = temporaryFiles();
    await using folder = await scratchFolder({ temporary });
    await using file = await folder.files.create('out');
    await file.write(utf8('half'));
    temporary.removeAll();
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test('stop at the next chunk once interrupted', async () => {
    const controller = new AbortController();
    await using folder = await scratchFolder({ signal: controller.signal });
    {
      await using file = await folder.files.create('out');
      await file.write(utf8('half'));
      controller.abort(failure('INTERRUPTED', 'interrupted'));
      expect(await codeOf(file.write(utf8('more')))).toBe('INTERRUPTED');
      expect(await codeOf(file.commit())).toBe('INTERRUPTED');
    }
    expect(readdirSync(folder.path)).toEqual([]);
    expect(await codeOf(folder.files.read('-', 1))).toBe('nothing was thrown');
  });
});

describe('reading', () => {
  test('streams any range in any chunks as it is', async () => {
    await using folder = await scratchFolder();
    const bytes = Uint8Array.from({ length: 5000 }, (_, i) => i % 251);
    await folder.files.write('in', bytes);
    await using file = await folder.files.open('in');
    const range = fc.record({
      from: fc.nat(5200),
      length: fc.nat(5200),
      chunkBytes: fc.integer({ min: 1, max: 6000 }),
    });
    await fc.assert(
      fc.asyncProperty(range, async (choice) => {
        const expected = bytes.subarray(choice.from, choice.from + choice.length);
        expect(await gathered(file.stream(choice))).toEqual(expected);
        expect(await file.read(choice.from, choice.length)).toEqual(expected);
      }),
      { numRuns: 60 },
    );
    expect(await gathered(file.stream())).toEqual(bytes);
  });

  test('a stream may be left early, and the file closed', async () => {
    await using folder = await scratchFolder();
    await folder.files.write('in', new Uint8Array(1000));
    await using file = await folder.files.open('in');
    for await (const chunk of file.stream({ chunkBytes: 10 })) {
      expect(chunk).toHaveLength(10);
      break;
    }
  });

  test('a file that shrinks meanwhile ends early', async () => {
    await using folder = await scratchFolder();
    await folder.files.write('in', new Uint8Array(1000));
    await using file = await folder.files.open('in');
    truncateSync(join(folder.path, 'in'), 500);
    expect(await gathered(file.stream({ chunkBytes: 300 }))).toHaveLength(500);
  });

  test('is bounded', async () => {
    await using folder = await scratchFolder();
    await folder.files.write('in', utf8('12345'));
    expect(await folder.files.read('in', 5)).toEqual(utf8('12345'));
    expect(await codeOf(folder.files.read('in', 4))).toBe('FILE_TOO_LARGE');
    expect(await codeOf(folder.files.read('/dev/zero', 1000))).toBe('FILE_TOO_LARGE');
  });

  test('takes standard input as -, bounded too', async () => {
    const stdin = async function* (): AsyncGenerator<Uint8Array | string> {
      yield utf8('from ');
      yield 'stdin';
    };
    await using folder = await scratchFolder({ stdin });
    expect(await folder.files.read('-', 10)).toEqual(utf8('from stdin'));
    expect(await codeOf(folder.files.read('-', 9))).toBe('FILE_TOO_LARGE');
  });

  test('neither waits for a pipe that lies where a file should, nor reads a folder', async () => {
    await using folder = await scratchFolder();
    execFileSync('mkfifo', [join(folder.path, 'pipe')]);
    for (const path of ['pipe', '.']) {
      expect(await codeOf(folder.files.read(path, 10))).toBe('FILE_ACCESS');
      expect(await codeOf(folder.files.open(path))).toBe('FILE_ACCESS');
    }
    expect(await codeOf(folder.files.open('/dev/null'))).toBe('FILE_ACCESS');
  });

  test('says what is missing', async () => {
    await using folder = await scratchFolder();
    await folder.files.write('file', utf8(''));
    for (const path of ['nothing', 'file/nothing']) {
      expect(await codeOf(folder.files.read(path, 10))).toBe('FILE_NOT_FOUND');
      expect(await codeOf(folder.files.open(path))).toBe('FILE_NOT_FOUND');
    }
    expect(await folder.files.status('nothing')).toBeUndefined();
    expect(await folder.files.status('file/nothing')).toBeUndefined();
  });
});

describe('scratch space, links and folders', () => {
  test('scratch space has no name and gives back what was written', async () => {
    await using folder = await scratchFolder();
    await using scratch = await folder.files.scratch('.');
    await scratch.write(utf8('abc'));
    await scratch.write(utf8('defg'));
    expect(readdirSync(folder.path)).toEqual([]);
    expect(await gathered(scratch.stream())).toEqual(utf8('abcdefg'));
  });

  test.for(['block memory', 'any memory'])('scratch space of several segments, written from %s', async (memory) => {
    await using folder = await scratchFolder();
    await using scratch = await folder.files.scratch('.');
    const blockBytes = 3 << 20;
    const block = memory === 'any memory' ? new Uint8Array(blockBytes) : folder.files.blockMemory(blockBytes);
    const hash = createHash('sha256');
    for (let index = 0; index < 7; index++) {
      // The last one is no whole number of pages.
      const part = block.subarray(0, index === 6 ? 12_345 : blockBytes);
      part.fill(index + 1);
      part[index] = 0xff;
      hash.update(part);
      await scratch.write(part);
    }
    const written = hash.digest('hex');
    expect(await sha256Of(scratch.stream())).toBe(written);
    expect(await sha256Of(scratch.consume())).toBe(written);
  });

  test('a link is a second name, never over an existing one', async () => {
    await using folder = await scratchFolder();
    await folder.files.write('a', utf8('content'));
    await folder.files.link('a', 'objects/ab/c');
    expect(statSync(join(folder.path, 'objects/ab/c')).ino).toBe(statSync(join(folder.path, 'a')).ino);
    expect(await codeOf(folder.files.link('a', 'objects/ab/c'))).toBe('FILE_EXISTS');
    expect(await codeOf(folder.files.link('nothing', 'x'))).toBe('FILE_NOT_FOUND');
  });

  test('a link across file systems is a copy', async () => {
    await using folder = await scratchFolder();
    await using elsewhere = await scratchFolder({ parent: '/dev/shm' });
    await elsewhere.files.write('file', utf8('content'));
    await folder.files.link(join(elsewhere.path, 'file'), 'copy');
    expect(statSync(elsewhere.path).dev).not.toBe(statSync(folder.path).dev);
    expect(readFileSync(join(folder.path, 'copy'), 'utf8')).toBe('content');
    expect(readdirSync(folder.path)).toEqual(['copy']);
    expect(await codeOf(folder.files.link(join(elsewhere.path, 'file'), 'copy'))).toBe('FILE_EXISTS');
  });

  test('go into folders that are made where they can be, and nowhere else', async () => {
    await using folder = await scratchFolder();
    await Promise.all(['a/b/c/1', 'a/b/c/2', 'a/b/d/3'].map((path) => folder.files.write(path, utf8('x'))));
    expect(await folder.files.list('a/b')).toEqual(['c', 'd']);
    await folder.files.write('file', utf8('x'));
    expect(await codeOf(folder.files.write('file/under', utf8('x')))).toBe('FILE_NOT_FOUND');
    // Here Node's own recursive mkdir never ends.
    expect(await codeOf(folder.files.write('/proc/none/er/file', utf8('x')))).toBe('FILE_NOT_FOUND');
    expect(await codeOf(folder.files.makeFolder('/proc/none'))).toBe('FILE_NOT_FOUND');
  });

  test('lists by byte value, removes, and knows what is what', async () => {
    await using folder = await scratchFolder();
    for (const name of ['b', 'a', 'Z', 'ä']) await folder.files.write(name, utf8(name));
    await folder.files.makeFolder('deep/er');
    expect(await folder.files.list('.')).toEqual(['Z', 'a', 'b', 'deep', 'ä']);
    expect(await folder.files.list('nothing')).toEqual([]);
    await folder.files.remove('a');
    await folder.files.remove('a');
    expect(await folder.files.list('.')).not.toContain('a');
    expect(await codeOf(folder.files.remove('deep'))).toBe('FILE_ACCESS');
    expect(await folder.files.status('deep')).toMatchObject({ kind: 'folder' });
    expect(await folder.files.status('b')).toMatchObject({ kind: 'file', sizeBytes: 1, mode: 0o644 });
    expect(await folder.files.status('/dev/null')).toMatchObject({ kind: 'other' });
  });
});

describe("the system's errors", () => {
  test.each([
    ['ENOSPC', 'DISK_FULL'],
    ['EDQUOT', 'DISK_FULL'],
    ['EACCES', 'FILE_ACCESS'],
    ['EROFS', 'FILE_ACCESS'],
    ['ENOENT', 'FILE_NOT_FOUND'],
    ['EEXIST', 'FILE_EXISTS'],
    ['EWEIRD', 'FILE_ACCESS'],
  ])('%s is %s', (system, code) => {
    const thrown = fileFailure(Object.assign(new Error(system), { code: system }), 'write', 'a\u001bb');
    expect(thrown).toMatchObject({ code, details: { path: 'a\u001bb', system } });
    expect((thrown as Error).message).toContain('cannot write "a\\u001bb"');
  });

  test('other errors are left as they are', () => {
    const bug = new TypeError('bug');
    expect(fileFailure(bug, 'write', 'x')).toBe(bug);
  });
});
