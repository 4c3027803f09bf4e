/** Ceremonies in earnest, with people who answer in code. */
import { describe, expect, test } from 'vitest';
import { fromUtf8 } from '../../../core/bytes.ts';
import type { Io } from '../../../core/ports.ts';
import { fakeIo } from '../../../testing/fake-io.ts';
import type { FakeIo } from '../../../testing/fake-io.ts';
import type { AfterFailure, CeremonyAsker, Question } from './asker.ts';
import { runCeremony } from './run.ts';
import { verifyCeremony } from './verify.ts';

const PLAN = `ceremony: Root keys
date: 2026-11-21
place: Plant 1
repository: Example Motors
scheme: ed25519
administrator: { name: Grace Hopper, initials: GH }
custodians: [{ name: Ada Lovelace, initials: AL, medium: media/AL }]
threshold: 1
dice_rolls: 6
roles: []
`;
const FILES = {
  'ceremony.yaml': PLAN,
  'media/AL/.keep': '',
  '/proc/swaps': 'Filename Type Size Used Priority\n',
  '/program/package.json': '{}',
  '/program/dist/main.js': 'main',
};

interface People {
  /** Kind of question -> answers given before the right one. */
  readonly wrong?: Readonly<Record<string, readonly string[]>>;
  readonly afterFailure?: readonly AfterFailure[];
}

function people({ wrong = {}, afterFailure = [] }: People = {}): CeremonyAsker & { readonly warnings: string[] } {
  const left = new Map(Object.entries(wrong).map(([kind, answers]) => [kind, [...answers]]));
  const wishes = [...afterFailure];
  const warnings: string[] = [];
  return {
    warnings,
    begin: async () => undefined,
    tell: async (notes) => void warnings.push(...notes.flatMap((note) => (note.kind === 'warning' ? [note.text] : []))),
    ask: async (question) => left.get(question.kind)?.shift() ?? rightAnswer(question),
    handOut: async () => undefined,
    failed: async () => wishes.shift() ?? 'stop',
  };
}

function rightAnswer(question: Question): string {
  if (question.kind === 'initials') return question.person.initials;
  if (question.kind === 'clock') return new Date(question.now * 1000).toISOString().slice(11, 16);
  if (question.kind === 'typed-back') return question.keyId.slice(-8);
  return question.kind === 'dice' ? '1 2 3 4 5 6' : 'correct horse';
}

const report = (): string => 'the report';
const start = (io: Io, asker: CeremonyAsker): ReturnType<typeof runCeremony> =>
  runCeremony({ planFile: 'ceremony.yaml', folder: 'held', rehearsal: false, asker, report }, io);

async function linesOf(io: FakeIo): Promise<readonly Record<string, unknown>[]> {
  const text = fromUtf8(await io.files.read('held/transcript.jsonl', 1 << 20));
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('a ceremony in earnest', () => {
  test('is held on a machine that is fit, and verifies as one for production', async () => {
    const io = fakeIo({ files: FILES });
    expect(await start(io, people())).toMatchObject({ state: 'finished', rehearsal: false, done: 11 });
    const verdict = await verifyCeremony({ folder: 'held', rehearsal: false, allowSkip: [], report }, io);
    expect(verdict.refusal).toBeUndefined();
    expect(fromUtf8(await io.files.read('held/public/AL-image-root.pub', 4096))).toContain('holder: Ada Lovelace');
  });

  test('does not begin with a network up or swap on; giving up is recorded with the reason', async () => {
    const io = fakeIo({ files: { ...FILES, '/proc/swaps': 'Filename Type\n/dev/sda2 partition\n' } });
    const online = { ...io, environment: { ...io.environment, networkInterfaces: () => ['eth0'] } };
    const answer = await start(online, people({ afterFailure: ['again', 'abort'] }));
    expect(answer).toMatchObject({ state: 'aborted', done: 1 });
    const lines = await linesOf(io);
    expect(lines.map(({ outcome }) => outcome)).toEqual(['done', 'failed', 'failed', 'aborted']);
    expect(JSON.stringify(lines.at(-1))).toMatch(/not offline: eth0; swap: on: \/dev\/sda2/);
  });

  test('asks again for what was mistyped, three times', async () => {
    const io = fakeIo({ files: FILES });
    const asker = people({
      wrong: {
        initials: ['XX'],
        clock: ['late', '23:59'],
        passphrase: ['', '', 'one', 'another'],
        dice: ['1 2 3', '7 7 7 7 7 7'],
        'typed-back': ['00000000'],
      },
    });
    expect(await start(io, asker)).toMatchObject({ state: 'finished' });
    expect(asker.warnings).toHaveLength(1 + 2 + 2 + 2 + 1);
    const stubborn = people({ wrong: { clock: ['a', 'b', 'c'] } });
    const other = fakeIo({ files: FILES });
    await expect(start(other, stubborn)).rejects.toMatchObject({ code: 'CEREMONY_ANSWER_WRONG' });
    expect((await linesOf(other)).at(-1)).toMatchObject({ step: 'clock', outcome: 'failed' });
  });

  test('mixes dice into keys without depending on them: same dice, other randomness, other keys', async () => {
    const keyOf = async (seed: string): Promise<string> => {
      const io = fakeIo({ files: FILES, seed });
      await start(io, people());
      return fromUtf8(await io.files.read('held/public/AL-image-root.pub', 4096));
    };
    expect(await keyOf('one')).not.toBe(await keyOf('two'));
  });
});
