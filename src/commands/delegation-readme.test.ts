/** What README.md says about delegations works as it stands there. */
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { releaseSession } from '../testing/release-session.ts';

test('U12: the pipeline with a packaging key, word for word', { timeout: 180_000 }, async () => {
  const readme = await readFile('README.md', 'utf8');
  const section = /^## Delegations.*?^```sh\n(.*?)^```$/ms.exec(readme)?.[1] ?? '';
  const lines = section.trim().split('\n');
  expect(lines.length).toBeGreaterThan(8);
  await using session = await releaseSession({ scheme: 'hybrid' });
  let last = '';
  for (const line of lines) last = await session.ok(line.replace(/^secureev /, ''));
  expect(last).toContain('targets -> bundles: bundles/*/*');
  const status = await session.json('status');
  const roles = status.result?.['roles'] as readonly { role: string; version: number; reasons: readonly string[] }[];
  expect(roles.map(({ role, version, reasons }) => [role, version, reasons])).toEqual([
    ['root', 1, []],
    ['targets', 2, []],
    ['bundles', 2, []],
    ['snapshot', 3, []],
    ['timestamp', 3, []],
  ]);
});
