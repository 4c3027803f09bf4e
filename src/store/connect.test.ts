import { expect, test } from 'vitest';
import { codeOf } from '../testing/crypto-vectors.ts';
import { requireNodeApi } from './connect.ts';

test.each([
  ['22.12.0', '9', 'NODE_TOO_OLD'],
  ['23.5.0', '9', 'NODE_TOO_OLD'],
  ['22.14.0', '10', undefined],
  ['24.21.0', '10', undefined],
])('Node %s with Node-API %s', (node, napi, code) => {
  expect(codeOf(() => requireNodeApi({ node, napi }))).toBe(code);
});
