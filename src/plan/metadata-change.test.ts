import { expect, test } from 'vitest';
import { instantOf, parseVersion } from '../core/brands.ts';
import { jsonMap } from '../formats/json/json.ts';
import type { Targets } from '../formats/metadata/types.ts';
import { metadataChanges } from './metadata-change.ts';

function targets(sha512: string, custom?: Targets['custom']): Targets {
  return {
    role: 'targets',
    specVersion: '1.0.34',
    version: parseVersion(1),
    expires: instantOf(1),
    extension: undefined,
    targets: new Map([['a', { length: 1, hashes: new Map([['sha512', sha512]]), custom: undefined }]]),
    delegations: undefined,
    custom,
  };
}

test('no hash and no member of Targets changes unseen', () => {
  expect(metadataChanges(targets('00'), targets('00'))).toEqual([]);
  expect(metadataChanges(targets('00'), targets('01', jsonMap({ vin: 'x' })))).toEqual([
    { kind: 'value', name: 'other hashes of a', before: 'sha512 00', after: 'sha512 01' },
    { kind: 'value', name: 'custom', before: undefined, after: '{"vin":"x"}' },
  ]);
});
