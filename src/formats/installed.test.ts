import { describe, expect, it } from 'vitest';
import { utf8 } from '../core/bytes.ts';
import { isFailure } from '../core/errors.ts';
import { decodeInstalled } from './installed.ts';

describe('list of installed versions', () => {
  it('reads YAML and JSON', () => {
    const expected = [{ id: 'BCM', version: '1.10', type: 'B', releaseCounter: 3 }];
    const yaml = 'ecus:\n  - { id: BCM, version: 1.10, type: B, release_counter: 3 }\n';
    const json = '{"ecus": [{"id": "BCM", "version": "1.10", "type": "B", "release_counter": 3}]}';
    for (const text of [yaml, json]) expect(decodeInstalled(utf8(text), 'f')).toEqual(expected);
    expect(decodeInstalled(utf8('ecus: []'), 'f')).toEqual([]);
  });

  it.each([
    ['an ECU twice', 'ecus: [{ id: A, version: 1 }, { id: A, version: 2 }]', 'INSTALLED_MALFORMED'],
    ['no list', 'ecus: {}', 'INSTALLED_MALFORMED'],
    ['a counter that is none', 'ecus: [{ id: A, version: 1, release_counter: 0 }]', 'INSTALLED_MALFORMED'],
    ['an unknown field', 'ecus: [{ id: A, version: 1, serial: 9 }]', 'YAML_FIELD_UNKNOWN'],
  ] as const)('refuses %s', (_, text, code) => {
    let thrown: unknown;
    try {
      decodeInstalled(utf8(text), 'f');
    } catch (cause) {
      thrown = cause;
    }
    expect(isFailure(thrown, code)).toBe(true);
  });
});
