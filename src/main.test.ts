/** How the program answers: exit statuses, standard output and error, `--json`, Ctrl-C, broken pipes. */
import { EventEmitter } from 'node:events';
import { readdir } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { Call, CommandEntry, CommandModule, Outcome } from './commands/command.ts';
import { example, flag, integer, repeatable, requiredText, texts } from './commands/flags.ts';
import { failure } from './core/errors.ts';
import { writeTo } from './io/machine.ts';
import type { Machine } from './io/machine.ts';
import { cliSession, runCli } from './testing/run-cli.ts';
import type { CallSetup, CliResult } from './testing/run-cli.ts';

const SECRET = 'hunter2-the-passphrase';

const done = async (): Promise<Outcome> => ({ result: { answer: 42 }, text: 'the answer is 42' });

function entry(path: string, run: CommandModule['run'] = done, more: Partial<CommandEntry> = {}): CommandEntry {
  const module: CommandModule = {
    configure: (command) => {
      command.argument('[name]').argument('[more...]').option('--out <file>', 'where to').option('--really', 'do');
      command.addOption(repeatable('--key <signer>', 'a signer')).option('--count <n>', 'how often');
      example(command, `secureev ${path} x --out y`);
    },
    run,
  };
  return { path, summary: `does ${path}`, group: 'Releases', load: async () => module, ...more };
}

const echo = async (call: Call): Promise<Outcome> => ({
  result: {
    args: call.args,
    rest: call.rest,
    keys: texts(call, 'key'),
    count: integer(call, 'count', { max: 9 }) ?? null,
    really: flag(call, 'really'),
    repo: call.options['repo'] ?? null,
  },
  text: '',
});

const fails =
  (thrown: unknown): CommandModule['run'] =>
  () =>
    Promise.reject(thrown);

const unwell: Outcome = {
  result: { checks: [] },
  text: '1 check failed',
  failure: failure('SIGNATURE_INVALID', 'the signature does not fit'),
};

const COMMANDS: readonly CommandEntry[] = [
  entry('echo', echo),
  entry('package'),
  entry('need', async (call) => ({ result: { out: requiredText(call, 'out') }, text: '' })),
  entry('vehicle key set'),
  entry('vehicle key revoke'),
  entry('vehicle list'),
  entry('verify bundle', fails(failure('OTAP_MALFORMED', 'no OTAP header')), { refusesMalformed: true }),
  entry('verify blob', async () => unwell),
  entry('read bundle', fails(failure('OTAP_MALFORMED', 'no OTAP header at "a\u001b[2Jb"\nsecureev: fine'))),
  entry('crash', fails(new TypeError(`cannot read ${SECRET}`))),
  entry('crash oddly', fails(SECRET)),
  entry('due', async () => ({ result: {}, text: 'due', status: 6 })),
  entry('paint', async () => ({ result: {}, text: 'a\u001b[31mred\u202e\nb' })),
];

const run = (line: string | readonly string[], setup: CallSetup = {}): Promise<CliResult> =>
  runCli(line, { commands: COMMANDS, ...setup });

describe('results', () => {
  test('text goes to standard output, and nothing else does', async () => {
    expect(await run('package')).toEqual({ status: 0, stdout: 'the answer is 42\n', stderr: '' });
  });

  test('--json writes one document', async () => {
    const { status, stdout, stderr } = await run('package --json');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({ ok: true, command: 'package', result: { answer: 42 } });
    expect(stdout.match(/\n/g)).toHaveLength(1);
  });

  test('a status that is no failure is kept', async () => {
    expect(await run('due')).toEqual({ status: 6, stdout: 'due\n', stderr: '' });
  });

  test('a failure with a result shows both', async () => {
    const text = await run('verify blob');
    expect(text).toMatchObject({ status: 3, stdout: '1 check failed\n' });
    expect(text.stderr).toBe('secureev: error [SIGNATURE_INVALID]: the signature does not fit\n');
    const document: unknown = JSON.parse((await run('verify blob --json')).stdout);
    expect(document).toMatchObject({ ok: false, error: { code: 'SIGNATURE_INVALID' }, result: { checks: [] } });
  });

  test('control characters of any text are escaped', async () => {
    expect((await run('paint')).stdout).toBe('a\\u001b[31mred\\u202e\nb\n');
  });
});

describe('flags', () => {
  const echoed = async (line: string | readonly string[]): Promise<unknown> =>
    (
      JSON.parse((await run([...(typeof line === 'string' ? line.split(' ') : line), '--json'])).stdout) as {
        result: unknown;
      }
    ).result;

  test('arguments, repeatable flags and global flags before the words', async () => {
    expect(await echoed('--repo r echo a --key k1 b --key=k2 c --really --count 7')).toEqual({
      args: ['a'],
      rest: ['b', 'c'],
      keys: ['k1', 'k2'],
      count: 7,
      really: true,
      repo: 'r',
    });
  });

  test.each([
    ['nothing', [], /no command is given/, /secureev --help/],
    ['an unknown command', ['pakcage'], /unknown command "pakcage"/, /did you mean `secureev package`/],
    ['an unknown second word', ['verify', 'bndle'], /unknown command "verify bndle"/, /secureev verify bundle/],
    ['a word too few', ['vehicle', 'key'], /`vehicle key set`, `vehicle key revoke`/, /vehicle key --help/],
    ['an unknown flag', ['package', '--ouut', 'x'], /unknown option '--ouut'/, /did you mean --out/],
    ['an unknown flag before the command', ['--nope', 'package'], /unknown flag "--nope" before a command/, /--help/],
    ['a flag without its value', ['package', '--out'], /argument missing/, /package --help/],
    ['a flag given twice', ['package', '--out', 'a', '--out', 'b'], /--out is given twice/, /^/],
    ['a flag that is missing', ['need'], /--out is missing/, /^/],
    ['a number out of range', ['echo', '--count', '10'], /--count is not an integer from 0 to 9/, /^/],
    ['a number that is none', ['echo', '--count', '1e0'], /--count is not an integer/, /^/],
  ] as const)('%s is a usage error', async (_, argv, message, hint) => {
    const text = await run(argv);
    expect(text).toMatchObject({ status: 2, stdout: '' });
    expect(text.stderr).toMatch(/^secureev: error \[USAGE\]: /);
    expect(text.stderr).toMatch(message);
    expect(text.stderr).toMatch(hint);
    const json = await run(['--json', ...argv]);
    expect(json).toMatchObject({ status: 2, stderr: '' });
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, error: { code: 'USAGE', details: {} } });
  });
});

describe('help', () => {
  test('lists the commands without loading one', async () => {
    const unloadable = { ...entry('package'), load: () => Promise.reject(new Error('loaded')) };
    const { status, stdout } = await run('--help', { commands: [unloadable] });
    expect(status).toBe(0);
    expect(stdout).toContain('Releases\n  package  does package');
  });

  test('lists what follows a word', async () => {
    const { stdout } = await run('vehicle --help');
    expect(stdout).toContain('vehicle key set');
    expect(stdout).not.toContain('package');
    expect((await run('help vehicle')).stdout).toBe(stdout);
  });

  test('of a command has its flags, the global ones and an example', async () => {
    const { status, stdout, stderr } = await run('vehicle list --help');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/Usage: secureev vehicle list \[options\] \[name\] \[more\.\.\.\]/);
    expect(stdout).toMatch(/--key <signer> +a signer \(repeatable\)/);
    expect(stdout).toMatch(/Flags of every command:\n +--repo/);
    expect(stdout).toMatch(/Example:\n {2}\$ secureev vehicle list x --out y/);
  });

  test('and the version are JSON documents with --json', async () => {
    expect(JSON.parse((await run('vehicle list --help --json')).stdout)).toMatchObject({
      ok: true,
      command: 'vehicle list',
    });
    expect(JSON.parse((await run('--version --json')).stdout)).toMatchObject({
      result: { version: expect.stringMatching(/^\d+\.\d+\.\d+$/) },
    });
    expect((await run('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('failures', () => {
  test('malformed input ends with 4, and in verify with 3', async () => {
    expect((await run('read bundle')).status).toBe(4);
    expect((await run('verify bundle')).status).toBe(3);
  });

  test('a message cannot forge lines or move the cursor', async () => {
    const { stderr } = await run('read bundle');
    expect(stderr).toBe('secureev: error [OTAP_MALFORMED]: no OTAP header at "a\\u001b[2Jb"\\u000asecureev: fine\n');
  });

  test.each(['crash', 'crash oddly'])('a bug (%s) ends with 1, asks for a report and leaks nothing', async (line) => {
    for (const { status, stdout, stderr } of [await run(line), await run(`${line} --json`)]) {
      expect(status).toBe(1);
      expect(stdout + stderr).toMatch(/INTERNAL.*a bug in secureev.*report/s);
      expect(stdout + stderr).not.toContain(SECRET);
    }
  });
});

describe('standard output', () => {
  const broken = (code: string): Partial<Machine> => {
    const stream = new Writable({
      write: (_chunk, _encoding, told) => told(Object.assign(new Error(code), { code })),
    });
    return { print: (text) => writeTo(stream, text) };
  };

  test('that nobody reads any more is no failure', async () => {
    expect((await run('package', { machine: broken('EPIPE') })).status).toBe(0);
  });

  test('on a full disk is one', async () => {
    const { status, stderr } = await run('package', { machine: broken('ENOSPC') });
    expect(status).toBe(5);
    expect(stderr).toMatch(/DISK_FULL.*standard output/);
    expect(stderr).toContain('hint: the command itself had ended before, with exit status 0: what it did stays done');
    expect(stderr).not.toContain('nothing was left behind');
  });
});

describe('Ctrl-C', () => {
  function interruptible(): { machine: NonNullable<CallSetup['machine']>; press: () => void; exits: number[] } {
    const keys = new EventEmitter();
    const exits: number[] = [];
    const onInterrupt = (listener: () => void): (() => void) => {
      keys.on('press', listener);
      return () => keys.off('press', listener);
    };
    return { machine: { onInterrupt, exit: (status) => exits.push(status) }, press: () => keys.emit('press'), exits };
  }

  const writesFor =
    (press: () => void, times: number): CommandModule['run'] =>
    async ({ io }) => {
      await using file = await io.files.create('out.bin');
      await file.write(new Uint8Array(10));
      for (let i = 0; i < times; i++) press();
      await file.write(new Uint8Array(10));
      await file.commit();
      return done();
    };

  test('stops at the next chunk with 130 and leaves no file', async () => {
    await using session = await cliSession();
    const { machine, press, exits } = interruptible();
    const commands = [entry('slow', writesFor(press, 1))];
    const { status, stderr } = await session.run('slow', { machine, commands });
    expect({ status, stderr, exits }).toEqual({
      status: 130,
      stderr: 'secureev: error [INTERRUPTED]: interrupted\n',
      exits: [],
    });
    expect(await readdir(session.folder)).toEqual([]);
  });

  test('twice ends at once, and still leaves no file', async () => {
    await using session = await cliSession();
    const { machine, press, exits } = interruptible();
    let left: readonly string[] = ['not looked at'];
    const look = { ...machine, exit: (status: number) => void exits.push(status) };
    const commands = [
      entry('slow', async (call) => {
        await using file = await call.io.files.create('out.bin');
        await file.write(new Uint8Array(10));
        press();
        press();
        left = await readdir(session.folder);
        return done();
      }),
    ];
    await session.run('slow', { machine: look, commands });
    expect(exits).toEqual([130]);
    expect(left).toEqual([]);
  });

  test('hides what failed because of it', async () => {
    const { machine, press } = interruptible();
    const commands = [
      entry('slow', async () => {
        press();
        throw new Error('a child died');
      }),
    ];
    expect((await run('slow', { machine, commands })).status).toBe(130);
  });
});
