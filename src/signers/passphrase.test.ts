import { describe, expect, test } from 'vitest';
import { isFailure } from '../core/errors.ts';
import { fakeIo } from '../testing/fake-io.ts';
import type { FakeSetup } from '../testing/fake-io.ts';
import { newPassphrase, passphraseSource, settled, typedTwice } from './passphrase.ts';

const codeOf = async (work: () => Promise<unknown>): Promise<string> => {
  try {
    await work();
    return 'nothing was thrown';
  } catch (thrown) {
    return isFailure(thrown) ? thrown.code : String(thrown);
  }
};
const ENV = { SECUREEV_PASSPHRASE: 'from the environment' };
const FILES = {
  one: 'first\n',
  many: 'first\r\nsecond\nthird',
  blank: '\n',
  empty: '',
  '/dev/fd/7': 'seven',
  '-': 'stdin',
};
const machine = (setup: FakeSetup = {}) => fakeIo({ files: FILES, ...setup });

describe('where passphrases come from', () => {
  test('the file comes before the environment, that before the terminal', async () => {
    const io = machine({ env: ENV, answers: ['typed'] });
    expect(await passphraseSource(io, { file: 'one' }).next('k')).toBe('first');
    expect(await passphraseSource(io, {}).next('k')).toBe('from the environment');
    expect(await passphraseSource(io, {}, { environment: false }).next('k')).toBe('typed');
    expect(io.asked).toEqual(['passphrase of k: ']);
  });

  test('an open file descriptor', async () => {
    expect(await passphraseSource(machine(), { fd: 7 }).next('k')).toBe('seven');
    expect(await passphraseSource(machine(), { fd: 0 }).next('k')).toBe('stdin');
  });

  test('one line serves all keys, several serve one each', async () => {
    const one = passphraseSource(machine(), { file: 'one' });
    expect([await one.next('a'), await one.next('b')]).toEqual(['first', 'first']);
    const many = passphraseSource(machine(), { file: 'many' });
    expect([await many.next('a'), await many.next('b'), await many.next('c')]).toEqual(['first', 'second', 'third']);
    expect(await codeOf(() => many.next('d'))).toBe('PASSPHRASE_MISSING');
  });

  test('is read once, whatever it is', async () => {
    const io = machine();
    const { passphrases } = settled({ io, passphrases: { fd: 7 } });
    await passphrases.next('a');
    await io.files.remove('/dev/fd/7');
    expect(await passphrases.next('b')).toBe('seven');
    expect(settled({ io, passphrases }).passphrases).toBe(passphrases);
  });

  test.each([
    ['an empty line', { file: 'blank' }, {}, 'PASSPHRASE_EMPTY'],
    ['an empty file', { file: 'empty' }, {}, 'PASSPHRASE_EMPTY'],
    ['an empty variable', {}, { env: { SECUREEV_PASSPHRASE: '' } }, 'PASSPHRASE_EMPTY'],
    ['nothing typed', {}, { answers: [''] }, 'PASSPHRASE_EMPTY'],
    ['too much', {}, { env: { SECUREEV_PASSPHRASE: 'x'.repeat(1025) } }, 'PASSPHRASE_TOO_LONG'],
    ['no file', { file: 'none' }, {}, 'FILE_NOT_FOUND'],
    ['no terminal', {}, {}, 'PASSPHRASE_MISSING'],
  ] as const)('refuses %s', async (_, choice, setup, expected) => {
    expect(await codeOf(() => passphraseSource(machine(setup), choice).next('k'))).toBe(expected);
  });

  test('without a terminal the flags are named', async () => {
    const error = await passphraseSource(machine(), {})
      .next('k')
      .catch((thrown: unknown) => thrown);
    const hint = isFailure(error, 'PASSPHRASE_MISSING') ? error.hint : '';
    for (const way of ['--passphrase-file', '--passphrase-fd', 'SECUREEV_PASSPHRASE']) expect(hint).toContain(way);
  });
});

describe('new passphrases', () => {
  test('are typed twice at a terminal', async () => {
    const io = machine({ answers: ['tango', 'tango'] });
    expect(await newPassphrase(io, {}, 'k')).toBe('tango');
    expect(io.asked).toHaveLength(2);
    expect(await codeOf(() => newPassphrase(machine({ answers: ['tango', 'tangle'] }), {}, 'k'))).toBe(
      'PASSPHRASE_MISMATCH',
    );
    expect(await codeOf(() => newPassphrase(machine({ answers: ['', ''] }), {}, 'k'))).toBe('PASSPHRASE_EMPTY');
  });

  test('or come from file or environment, once', async () => {
    expect(await newPassphrase(machine({ env: ENV }), {}, 'k')).toBe('from the environment');
    expect(await newPassphrase(machine({ env: ENV }), { file: 'one' }, 'k')).toBe('first');
    expect(await codeOf(() => newPassphrase(machine({ env: { SECUREEV_PASSPHRASE: '' } }), {}, 'k'))).toBe(
      'PASSPHRASE_EMPTY',
    );
  });

  test('are never made up', async () => {
    expect(await codeOf(() => newPassphrase(machine(), {}, 'k'))).toBe('PASSPHRASE_MISSING');
    expect(await codeOf(() => typedTwice(machine({ env: ENV }), 'k'))).toBe('PASSPHRASE_MISSING');
  });
});
