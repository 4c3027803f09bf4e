import { describe, expect, test } from 'vitest';
import { isFailure } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import { sha256 } from '../../crypto/hash.ts';
import { openFileKey } from '../../formats/sealed/content-key.ts';
import { PREFIX_BYTES, decodePrefix } from '../../formats/sealed/header.ts';
import { DEFAULT_SUITE } from '../../formats/sealed/suites.ts';
import { nodeHashing } from '../../io/hashing.ts';
import { fakeIo } from '../../testing/fake-io.ts';
import type { FakeIo } from '../../testing/fake-io.ts';
import { counting } from '../../testing/sealed-blobs.ts';
import { openFile, sealFile } from './sealed-payload.ts';
import type { SealedFile } from './sealed-payload.ts';

const MIB = 1024 * 1024;

async function seal(io: Io, chunkBytes = 65_536): Promise<SealedFile> {
  await using input = await io.files.open('clear');
  await using output = await io.files.create('sealed');
  const sealed = await sealFile(io, { input, output }, { suite: DEFAULT_SUITE, chunkBytes });
  await output.commit();
  return sealed;
}

async function unseal(io: Io, contentKey: Uint8Array): Promise<Awaited<ReturnType<typeof openFile>>> {
  await using input = await io.files.open('sealed');
  await using output = await io.files.create('out');
  const prefixBytes = await input.read(0, PREFIX_BYTES);
  const prefix = decodePrefix(prefixBytes);
  const fileKey = openFileKey(io.engine, contentKey, prefix);
  const opened = await openFile(io, { input, output }, { prefix, prefixBytes, fileKey });
  await output.commit();
  return opened;
}

function stored(io: FakeIo, name: string): Uint8Array {
  return io.files.stored.get(`/work/${name}`)?.bytes ?? new Uint8Array(0);
}

describe.each([0, 1, 65_535, 65_536, 65_537, MIB, MIB + 1, 20 * MIB + 4711])('%i bytes', (size) => {
  test('come back, and both hashes of both ways are those of the files', async () => {
    const clear = counting(size, size);
    const io = fakeIo({ files: { clear } });
    const sealed = await seal(io);
    const opened = await unseal(io, sealed.contentKey);
    expect(stored(io, 'out')).toHaveLength(size);
    expect(sha256('native', stored(io, 'out'))).toEqual(sha256('native', clear));
    expect(sealed.clear).toEqual({ sizeBytes: size, sha256: sha256('native', clear) });
    expect(sealed.sealed.sha256).toEqual(sha256('native', stored(io, 'sealed')));
    expect(sealed.sealed.sizeBytes).toBe(stored(io, 'sealed').length);
    expect(opened).toEqual({ clear: sealed.clear, sealed: sealed.sealed });
  });
});

test('hashing on threads gives the same result', async () => {
  const clear = counting(18 * MIB + 77);
  const [inline, threaded] = [fakeIo({ files: { clear }, seed: 1 }), fakeIo({ files: { clear }, seed: 1 })];
  const expected = await seal(inline);
  const io = { ...threaded, hashing: nodeHashing('native') };
  const found = await seal(io);
  expect(found).toEqual(expected);
  expect(await unseal(io, found.contentKey)).toEqual({ clear: expected.clear, sealed: expected.sealed });
});

test('a smaller chunk size and the other engine give a payload that opens too', async () => {
  const io = fakeIo({ files: { clear: counting(10_000) }, engine: 'noble' });
  const { contentKey } = await seal(io, 2048);
  await unseal(io, contentKey);
  expect(stored(io, 'out')).toEqual(counting(10_000));
});

test('a file that becomes shorter while it is read is refused, and nothing is written under the name', async () => {
  const io = fakeIo({ files: { clear: counting(3 * MIB) } });
  const files = {
    ...io.files,
    open: async (path: string) => ({ ...(await io.files.open(path)), sizeBytes: 4 * MIB }),
  };
  const thrown: unknown = await seal({ ...io, files }).catch((error: unknown) => error);
  expect(isFailure(thrown, 'FILE_CHANGED')).toBe(true);
  expect(io.files.stored.has('/work/sealed')).toBe(false);
});
