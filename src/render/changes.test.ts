import { expect, test } from 'vitest';
import { changeText } from './changes.ts';
import type { ShownTargetChange } from './changes.ts';

const target = (custom: Readonly<Record<string, unknown>>, fill = 1): ShownTargetChange['after'] => {
  return { name: 'a', length: 1, sha256: new Uint8Array(32).fill(fill), custom, confidential: false };
};

test('a target whose name or version has line feeds makes no lines of its own', () => {
  const name = 'EV-1/a\n- EV-1/b';
  const after = target({ version: '1.0\n+ good.bin (version 2', releaseCounter: '1\r2' });
  for (const change of [
    { before: undefined, after },
    { before: target({}), after },
    { before: after, after: undefined },
  ]) {
    expect(changeText({ kind: 'target', name, ...change })).not.toMatch(/[\r\n]/);
  }
  const keys = { kind: 'keys', role: 'a\n- keys of b', before: undefined, after: undefined } as const;
  expect(changeText(keys)).not.toContain('\n');
});

test('a hash is shown whole, and a change of nothing else shows what changed', () => {
  const [before, after] = [target({ hardwareIds: ['a'] }), target({ hardwareIds: ['b\u202e'] })];
  const text = changeText({ kind: 'target', name: 'a', before, after });
  expect(text).toContain('01'.repeat(32));
  expect(text).toContain('{"hardwareIds":["a"]} -> {"hardwareIds":["b\\u202e"]}');
});
