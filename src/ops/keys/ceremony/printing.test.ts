import { expect, test } from 'vitest';
import { fromUtf8 } from '../../../core/bytes.ts';
import { fakeIo } from '../../../testing/fake-io.ts';
import type { CeremonyAsker, Note } from './asker.ts';
import { printingAsker } from './scripted.ts';

test('shares that are printed are written as pages for their owner alone, and shown nowhere', async () => {
  const io = fakeIo();
  const told: Note[] = [];
  const screen: CeremonyAsker = {
    begin: async () => undefined,
    tell: async (notes) => void told.push(...notes),
    ask: async () => '',
    handOut: async () => Promise.reject(new Error('shown on the screen')),
    failed: async () => 'stop',
  };
  await printingAsker(screen, '/ram', io).handOut([{ name: 'AL-share-1.txt', text: 'the page', qr: 'page' }]);
  expect(fromUtf8(await io.files.read('/ram/AL-share-1.txt', 100))).toBe('the page');
  expect((await io.files.status('/ram/AL-share-1.txt'))?.mode).toBe(0o600);
  expect(JSON.stringify(told)).toContain('/ram');
  expect(JSON.stringify(told)).not.toContain('the page');
});
