import { render } from 'ink-testing-library';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { SecureevError, isFailure } from '../core/errors.ts';
import type { StepView } from '../ops/keys/ceremony/asker.ts';
import { ceremonyRoom } from './ceremony-room.ts';
import type { CeremonyRoom } from './ceremony-room.ts';
import { CeremonyView } from './ceremony-screen.tsx';
import { loadInk } from './ink.ts';

const KEY_ID = 'e826c4a7ad75585a53586e167e870fe3799e31c26a8b14102738f4ea0d05d440';
const CUSTODIAN = { name: 'Ada Lovelace', initials: 'AL', medium: 'media/AL', signer: 'file' };
const VIEW: StepView = {
  title: 'Root keys',
  number: 2,
  total: 15,
  rehearsal: true,
  step: { id: 'clock', kind: 'clock', title: 'The time', instruction: 'Compare the time.' },
};

interface Shown {
  readonly room: CeremonyRoom;
  type(text: string): void;
  frame(): string;
}

const mounted: { unmount(): void }[] = [];
beforeAll(loadInk);
afterEach(() => mounted.splice(0).forEach((one) => one.unmount()));

async function screen(): Promise<Shown> {
  const room = ceremonyRoom();
  const view = render(<CeremonyView room={room} />);
  mounted.push(view);
  // Ink listens from the first effect on.
  await vi.waitFor(() => expect(view.stdin.listenerCount('readable')).toBeGreaterThan(0));
  return { room, type: (text) => view.stdin.write(text), frame: () => view.lastFrame() ?? '' };
}

const passphrase = { kind: 'passphrase', secret: true, prompt: 'passphrase', custodian: CUSTODIAN } as const;
const dice = { kind: 'dice', secret: false, prompt: 'dice', rolls: 3 } as const;

describe('the screen of a ceremony', () => {
  test('shows the step, and that it is a rehearsal', async () => {
    const { room, frame } = await screen();
    await room.asker.begin(VIEW);
    await vi.waitFor(() => expect(frame()).toContain('REHEARSAL Root keys, step 2 of 15'));
    expect(frame()).toContain('The time\nCompare the time.');
  });

  test('shows what is typed to a question, and dots for a secret', async () => {
    const { room, type, frame } = await screen();
    const typed = room.asker.ask(dice);
    type('12');
    await vi.waitFor(() => expect(frame()).toContain('dice: 12'));
    type('\u007f');
    await vi.waitFor(() => expect(frame()).not.toContain('12'));
    type('63\r');
    expect(await typed).toBe('163');
    const secret = room.asker.ask(passphrase);
    type('correct horse');
    await vi.waitFor(() => expect(frame()).toContain('passphrase: •••••••••••••'));
    expect(frame()).not.toContain('horse');
    type('\r');
    expect(await secret).toBe('correct horse');
    await vi.waitFor(() => expect(frame()).not.toContain('•'));
  });

  test('shows a fingerprint in groups, in words and as a QR code, black on white', async () => {
    const { room, frame } = await screen();
    await room.asker.tell([{ kind: 'fingerprint', algorithm: 'ed25519', keyId: KEY_ID }]);
    await vi.waitFor(() => expect(frame()).toContain('e826 c4a7 ad75 585a 5358 6e16 7e87 0fe3'));
    expect(frame()).toContain('799e 31c2 6a8b 1410 2738 f4ea 0d05 d440');
    expect(frame()).toMatch(/[a-z]+ [a-z]+ [a-z]+ [a-zá]+ +█/);
    expect(frame()).toContain('█▀▀▀▀▀█');
  });

  test('keeps nothing of a page once it is in its envelope', async () => {
    const { room, type, frame } = await screen();
    const handed = room.asker.handOut([{ name: 'a.txt', text: 'SECRET\n01: ABCD / WXYZ\n▀▄', qr: '▀▄' }]);
    await vi.waitFor(() => expect(frame()).toContain('01: ABCD / WXYZ'));
    expect(frame()).not.toContain('▀▄');
    type('\r');
    await vi.waitFor(() => expect(frame()).toContain('▀▄'));
    expect(frame()).not.toContain('ABCD');
    type('\r');
    await handed;
    await vi.waitFor(() => expect(frame()).not.toContain('▀▄'));
  });

  test('a failed step is shown with its hint, and asks what to do until that is clear', async () => {
    const { room, type, frame } = await screen();
    const error = new SecureevError('DISK_FULL', { message: 'no room', hint: 'another medium' });
    const wish = room.asker.failed(error);
    await vi.waitFor(() => expect(frame()).toContain('[DISK_FULL] no room'));
    expect(frame()).toContain('another medium');
    type('what\r');
    type('again\r');
    expect(await wish).toBe('again');
  });

  test('shows control characters as such', async () => {
    const { room, frame } = await screen();
    await room.asker.tell([{ kind: 'warning', text: '\u001b[2Jx' }]);
    await vi.waitFor(() => expect(frame()).toContain('\\u001b[2Jx'));
  });

  test('Ctrl-C ends the question at hand and every later one', async () => {
    const { room, type } = await screen();
    const question = room.asker.ask(passphrase).catch((thrown: unknown) => isFailure(thrown, 'INTERRUPTED'));
    type('\u0003');
    expect(await question).toBe(true);
    await expect(room.asker.ask(passphrase)).rejects.toMatchObject({ code: 'INTERRUPTED' });
    await expect(room.asker.begin(VIEW)).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });
});

test('what is pasted ahead answers the next questions, line by line', async () => {
  const room = ceremonyRoom();
  const first = room.asker.ask(dice);
  room.type('one\ntwo\nthr');
  expect(await first).toBe('one');
  expect(await room.asker.ask(dice)).toBe('two');
  const third = room.asker.ask(dice);
  expect(room.shown().typed).toBe('thr');
  room.type('\u0015');
  room.type('3\r');
  expect(await third).toBe('3');
});
