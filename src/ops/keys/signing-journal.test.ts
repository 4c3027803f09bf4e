import { describe, expect, test } from 'vitest';
import { utf8 } from '../../core/bytes.ts';
import { isFailure } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import { decodeTranscript } from '../../formats/transcript/transcript.ts';
import { folderIo } from '../../testing/folder-io.ts';
import { signerKey } from '../../testing/signer-keys.ts';
import { noteInJournal } from './signing-journal.ts';

const key = signerKey('ed25519', 'journal');
const at = { folder: 'j', key };
const LOCK = `j/${key.publicKey.keyId}.lock`;

function noteOf(version: number, payload = version) {
  return {
    step: `sign:image:repository:targets:${version}`,
    payload: new Uint8Array(32).fill(payload),
    request: new Uint8Array(32),
  };
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'noted';
  } catch (thrown) {
    if (isFailure(thrown)) return thrown.code;
    throw thrown;
  }
}

async function steps(io: Io): Promise<readonly string[]> {
  const { entries } = decodeTranscript(await io.files.read(`j/${key.publicKey.keyId}.jsonl`, 1_000_000));
  return entries.map(({ step }) => step);
}

describe('a journal that several processes write', () => {
  test('loses no line: who comes while another writes is told so, and signs nothing', async () => {
    await using machine = await folderIo();
    const { io } = machine;
    const results = await Promise.all([1, 2, 3, 4].map((version) => codeOf(noteInJournal(io, at, noteOf(version)))));
    expect(new Set(results)).toEqual(new Set(['noted', 'REQUEST_JOURNAL_BUSY']));
    const noted = [1, 2, 3, 4].filter((_, i) => results[i] === 'noted').map((version) => noteOf(version).step);
    expect(await steps(io)).toEqual(noted);
    for (const version of [1, 2, 3, 4]) expect(await codeOf(noteInJournal(io, at, noteOf(version)))).toBe('noted');
    expect([...(await steps(io))].sort()).toEqual([1, 2, 3, 4].map((version) => noteOf(version).step));
    expect(await io.files.status(LOCK)).toBeUndefined();
  });

  test('two payloads for one version never both pass', async () => {
    await using machine = await folderIo();
    const both = await Promise.all([7, 8].map((payload) => codeOf(noteInJournal(machine.io, at, noteOf(1, payload)))));
    expect(both.filter((result) => result === 'noted')).toHaveLength(1);
    const first = await codeOf(noteInJournal(machine.io, at, noteOf(1, 7)));
    const second = await codeOf(noteInJournal(machine.io, at, noteOf(1, 8)));
    expect([first, second].sort()).toEqual(['REQUEST_JOURNAL_CONFLICT', 'noted']);
  });

  test.each([
    ['of a process that is at work', 0, 'REQUEST_JOURNAL_BUSY'],
    ['of one that has crashed a while ago', -61, 'noted'],
    ['of a clock that was set back since', 3600, 'noted'],
  ])('a lock %s', async (_, seconds, expected) => {
    await using machine = await folderIo();
    const { io } = machine;
    await io.files.write(LOCK, utf8(`${io.clock.now() + seconds} 00`));
    expect(await codeOf(noteInJournal(io, at, noteOf(1)))).toBe(expected);
  });

  test('a lock that says nothing is taken over, and one whose work failed is given back', async () => {
    await using machine = await folderIo();
    const { io } = machine;
    await io.files.write(LOCK, utf8('?'));
    expect(await codeOf(noteInJournal(io, at, noteOf(1)))).toBe('noted');
    expect(await codeOf(noteInJournal(io, at, noteOf(1, 9)))).toBe('REQUEST_JOURNAL_CONFLICT');
    expect(await io.files.status(LOCK)).toBeUndefined();
  });
});
