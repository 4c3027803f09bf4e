/** What is refused in metadata files, and what is read as it stands. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fromUtf8, utf8 } from '../../core/bytes.ts';
import { isFailure } from '../../core/errors.ts';
import { simulateRepository } from '../../testing/simulator.ts';
import { decodeMetadata, decodeRole, decodeSignedBytes } from './envelope.ts';

/** Plain JSON to break. */
type Loose = { [name: string]: Loose & string };

const simulator = simulateRepository({ hybrid: true, classical: 'ecdsa-p256' });
simulator.delegate('targets', { name: 'supplier', paths: ['supplier/*'] });
simulator.publish();
const FILES = {
  root: '1.root.json',
  targets: '2.targets.json',
  snapshot: '2.snapshot.json',
  timestamp: 'timestamp.json',
};
type Role = keyof typeof FILES;

function loose(role: Role): Loose {
  return JSON.parse(fromUtf8(simulator.files.get(FILES[role]) ?? new Uint8Array())) as Loose;
}

function codeOf(work: () => unknown): string {
  try {
    work();
    return 'accepted';
  } catch (thrown) {
    if (isFailure(thrown)) return thrown.code;
    throw thrown;
  }
}

function decoded(role: Role, change: (file: Loose, signed: Loose) => unknown): string {
  const file = loose(role);
  change(file, file['signed'] as Loose);
  return codeOf(() => decodeMetadata(utf8(JSON.stringify(file))));
}

const anyKey = (keys: Loose): Loose => Object.values(keys)[0] as Loose;
const set = (object: unknown, name: string, value: unknown): void => {
  Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
};
const drop = (object: Loose, name: string): void => {
  Reflect.deleteProperty(object, name);
};

/** Role, what is wrong, and how. */
type Case = readonly [Role, string, (file: Loose, signed: Loose) => unknown];

const MALFORMED: readonly Case[] = [
  ['root', 'no signatures', (file) => drop(file, 'signatures')],
  ['root', 'signatures that are no list', (file) => set(file, 'signatures', {})],
  ['root', 'a signature without key id', (file) => drop(file['signatures']?.[0] as never, 'keyid')],
  ['root', 'a signature that is no text', (file) => set(file['signatures']?.[0], 'sig', 5)],
  [
    'root',
    'T10: a key id twice among the signatures',
    (file) => set(file, 'signatures', [file['signatures']?.[0], file['signatures']?.[0]]),
  ],
  [
    'root',
    'T10: a key id twice among the post-quantum signatures',
    (file) => {
      const list = file['x-secureev']?.['signatures'];
      set(file['x-secureev'], 'signatures', [list?.[0], list?.[0]]);
    },
  ],
  [
    'root',
    'a post-quantum signature that is not base64',
    (file) => set(file['x-secureev']?.['signatures']?.[0], 'sig', 'a-b_'),
  ],
  [
    'root',
    'a post-quantum signature with stray bits',
    (file) => set(file['x-secureev']?.['signatures']?.[0], 'sig', 'AB=='),
  ],
  ['root', 'no signed', (file) => drop(file, 'signed')],
  ['root', 'signed that is a list', (file) => set(file, 'signed', [])],
  ['root', 'no _type', (_, signed) => drop(signed, '_type')],
  ['root', '_type of another dialect', (_, signed) => set(signed, '_type', 'ROOT')],
  ['root', 'an unknown _type', (_, signed) => set(signed, '_type', 'mirrors')],
  ['root', '_type of the object prototype', (_, signed) => set(signed, '_type', 'constructor')],
  ['root', 'no spec_version', (_, signed) => drop(signed, 'spec_version')],
  ['root', 'T10: spec_version 2', (_, signed) => set(signed, 'spec_version', '2.0.0')],
  ['root', 'T10: spec_version 1', (_, signed) => set(signed, 'spec_version', '1')],
  ['root', 'T10: spec_version 1.0.x', (_, signed) => set(signed, 'spec_version', '1.0.x')],
  ['root', 'T10: version 0', (_, signed) => set(signed, 'version', 0)],
  ['root', 'a negative version', (_, signed) => set(signed, 'version', -1)],
  ['root', 'a version that is text', (_, signed) => set(signed, 'version', '1')],
  ['root', 'no expires', (_, signed) => drop(signed, 'expires')],
  ['root', 'T10: expires "garbage"', (_, signed) => set(signed, 'expires', 'garbage')],
  ['root', 'T10: expires without seconds', (_, signed) => set(signed, 'expires', '2027-01-01T00:00Z')],
  ['root', 'T10: expires with fractions', (_, signed) => set(signed, 'expires', '2027-01-01T00:00:00.000Z')],
  ['root', 'T10: expires with an offset', (_, signed) => set(signed, 'expires', '2027-01-01T00:00:00+00:00')],
  ['root', 'T10: expires on 30 February', (_, signed) => set(signed, 'expires', '2027-02-30T00:00:00Z')],
  ['root', 'U5: a role missing', (_, signed) => drop(signed['roles'] as Loose, 'timestamp')],
  ['root', 'U5: a key id without its key', (_, signed) => set(signed['roles']?.['root'], 'keyids', ['abc'])],
  [
    'root',
    'a key id twice in a role',
    (_, signed) => {
      const ids = signed['roles']?.['root']?.['keyids'];
      set(signed['roles']?.['root'], 'keyids', [ids?.[0], ids?.[0]]);
    },
  ],
  ['root', 'a threshold of 0', (_, signed) => set(signed['roles']?.['root'], 'threshold', 0)],
  ['root', 'a key without type', (_, signed) => drop(anyKey(signed['keys'] as Loose), 'keytype')],
  ['root', 'a key that is no PEM', (_, signed) => set(anyKey(signed['keys'] as Loose)['keyval'], 'public', 'zz')],
  [
    'root',
    'an Ed25519 key that is a PEM',
    (_, signed) => {
      set(anyKey(signed['keys'] as Loose), 'keytype', 'ed25519');
      set(anyKey(signed['keys'] as Loose), 'scheme', 'ed25519');
    },
  ],
  ['root', 'consistent_snapshot that is text', (_, signed) => set(signed, 'consistent_snapshot', 'true')],
  ['root', 'our extension without repository', (_, signed) => drop(signed['x-secureev'] as Loose, 'repository')],
  [
    'root',
    'our extension with capitals in the UUID',
    (_, signed) => set(signed['x-secureev'], 'repository', '5B1F3F0E-0D3A-4A39-9A3C-6F4F3A0C6C01'),
  ],
  ['root', 'our extension of an unknown kind', (_, signed) => set(signed['x-secureev'], 'kind', 'other')],
  ['root', 'our extension as null', (_, signed) => set(signed, 'x-secureev', null)],
  ['root', 'hybrid as null', (_, signed) => set(signed['x-secureev'], 'hybrid', null)],
  [
    'root',
    'a log outside Snapshot',
    (_, signed) => set(signed['x-secureev'], 'log', { length: 1, head: 'ab'.repeat(32) }),
  ],
  ['targets', 'no targets', (_, signed) => drop(signed, 'targets')],
  ['targets', 'U6: a target without length', (_, signed) => drop(anyKey(signed['targets'] as Loose), 'length')],
  ['targets', 'a negative length', (_, signed) => set(anyKey(signed['targets'] as Loose), 'length', -1)],
  ['targets', 'U6: a target without hashes', (_, signed) => drop(anyKey(signed['targets'] as Loose), 'hashes')],
  ['targets', 'U6: a target with no hash', (_, signed) => set(anyKey(signed['targets'] as Loose), 'hashes', {})],
  [
    'targets',
    'T10: a hash in capitals',
    (_, signed) => set(anyKey(signed['targets'] as Loose), 'hashes', { sha256: 'AB'.repeat(32) }),
  ],
  [
    'targets',
    'T10: a hash with a bad digit at its end',
    (_, signed) => set(anyKey(signed['targets'] as Loose), 'hashes', { sha256: `${'ab'.repeat(31)}ag` }),
  ],
  [
    'targets',
    'a hash of another length than its algorithm',
    (_, signed) => set(anyKey(signed['targets'] as Loose), 'hashes', { sha256: 'ab'.repeat(31) }),
  ],
  ['targets', 'custom that is text', (_, signed) => set(anyKey(signed['targets'] as Loose), 'custom', 'x')],
  ['targets', 'a target without a name', (_, signed) => set(signed['targets'], '', anyKey(signed['targets'] as Loose))],
  ['targets', 'both roles and bins', (_, signed) => set(signed['delegations'], 'succinct_roles', {})],
  ['targets', 'neither roles nor bins', (_, signed) => drop(signed['delegations'] as Loose, 'roles')],
  [
    'targets',
    'T10: both paths and hash prefixes',
    (_, signed) => set(signed['delegations']?.['roles']?.[0], 'path_hash_prefixes', ['ab']),
  ],
  [
    'targets',
    'neither paths nor hash prefixes',
    (_, signed) => drop(signed['delegations']?.['roles']?.[0] as never, 'paths'),
  ],
  [
    'targets',
    'hash prefixes in capitals',
    (_, signed) => {
      drop(signed['delegations']?.['roles']?.[0] as never, 'paths');
      set(signed['delegations']?.['roles']?.[0], 'path_hash_prefixes', ['AB']);
    },
  ],
  ['targets', 'a role named root', (_, signed) => set(signed['delegations']?.['roles']?.[0], 'name', 'root')],
  ['targets', 'a role without a name', (_, signed) => set(signed['delegations']?.['roles']?.[0], 'name', '')],
  [
    'targets',
    'a role twice',
    (_, signed) =>
      set(signed['delegations'], 'roles', [
        signed['delegations']?.['roles']?.[0],
        signed['delegations']?.['roles']?.[0],
      ]),
  ],
  ['targets', 'no terminating', (_, signed) => drop(signed['delegations']?.['roles']?.[0] as never, 'terminating')],
  ['targets', 'terminating as a number', (_, signed) => set(signed['delegations']?.['roles']?.[0], 'terminating', 1)],
  ['snapshot', 'U15: no targets.json', (_, signed) => drop(signed['meta'] as Loose, 'targets.json')],
  ['snapshot', 'U15: a file without version', (_, signed) => set(signed['meta'], 'x.json', {})],
  ['snapshot', 'a file that is not .json', (_, signed) => set(signed['meta'], 'x', { version: 1 })],
  ['snapshot', 'a length of 0', (_, signed) => set(signed['meta'], 'targets.json', { version: 1, length: 0 })],
  ['snapshot', 'no hash among hashes', (_, signed) => set(signed['meta'], 'targets.json', { version: 1, hashes: {} })],
  [
    'snapshot',
    'a log head that is not hex',
    (_, signed) => set(signed['x-secureev'], 'log', { length: 1, head: 'zz'.repeat(32) }),
  ],
  ['timestamp', 'U16: no snapshot.json', (_, signed) => set(signed, 'meta', {})],
  [
    'timestamp',
    'another file beside snapshot.json',
    (_, signed) => set(signed['meta'], 'targets.json', { version: 1 }),
  ],
];

describe('METADATA_MALFORMED', () => {
  test.each(MALFORMED)('%s: %s', (role, _, change) => {
    expect(decoded(role, () => undefined)).toBe('accepted');
    expect(decoded(role, change)).toBe('METADATA_MALFORMED');
  });

  test('names the member that does not fit', () => {
    const file = loose('root');
    set(file['signed']?.['roles']?.['root'], 'threshold', 0);
    expect(() => decodeMetadata(utf8(JSON.stringify(file)))).toThrow(/signed\.roles\.root\.threshold/);
  });
});

describe('read as it stands', () => {
  const harmless: readonly Case[] = [
    [
      'root',
      'unknown members anywhere',
      (file, signed) => {
        for (const object of [
          file,
          signed,
          signed['roles']?.['root'],
          anyKey(signed['keys'] as Loose),
          signed['x-secureev'],
        ]) {
          set(object, 'a-later-member', { of: ['some', 'kind'] });
        }
      },
    ],
    ['root', 'a member named __proto__', (_, signed) => set(signed, '__proto__', { version: 9 })],
    ['root', 'an empty signature', (file) => set(file['signatures']?.[0], 'sig', '')],
    [
      'root',
      'a key of an unknown type',
      (_, signed) => set(signed['keys'], 'abc', { keytype: 'falcon', scheme: 'falcon', keyval: { public: 'x' } }),
    ],
    [
      'root',
      'a key without keyval.public',
      (_, signed) =>
        set(signed['keys'], 'abc', { keytype: 'sigstore-oidc', scheme: 'Fulcio', keyval: { identity: 'x' } }),
    ],
    ['root', 'the old key type', (_, signed) => set(anyKey(signed['keys'] as Loose), 'keytype', 'ecdsa-sha2-nistp256')],
    ['root', 'spec_version 1.0', (_, signed) => set(signed, 'spec_version', '1.0')],
    [
      'targets',
      'names that are no target names of ours',
      (_, signed) => set(signed['targets'], '../a b', anyKey(signed['targets'] as Loose)),
    ],
    [
      'targets',
      'a hash of an unknown algorithm',
      (_, signed) => set(anyKey(signed['targets'] as Loose), 'hashes', { 'blake2b-256': 'ab'.repeat(32) }),
    ],
  ];

  test.each(harmless)('%s: %s', (role, _, change) => {
    expect(decoded(role, change)).toBe('accepted');
  });

  test('a key id is any unique text (TAP 12), and the one we compute is kept beside it', () => {
    const text = fromUtf8(simulator.files.get('1.root.json') ?? new Uint8Array());
    const { unverified } = decodeRole(utf8(text), 'root');
    const [first] = unverified.signed.keys.keys();
    const renamed = decodeRole(utf8(text.replaceAll(String(first), 'root-key-a')), 'root').unverified.signed;
    const key = [...renamed.keys.values()].find(({ keyId }) => keyId === 'root-key-a');
    expect(key?.publicKey?.keyId).toBe(first);
  });

  test('members of the object prototype change nothing', () => {
    const text = fromUtf8(simulator.files.get('1.root.json') ?? new Uint8Array());
    const hostile = text.replace('"signed":{', '"signed":{"__proto__":{"version":77},');
    expect(decodeRole(utf8(hostile), 'root').unverified.signed.version).toBe(1);
    expect(({} as { version?: number }).version).toBeUndefined();
  });

  test('a real root that others made: Sigstore, version 14', () => {
    const file = new URL('../../../fixtures/vectors/tuf/sigstore/14.root.json', import.meta.url);
    const { signed } = decodeRole(new Uint8Array(readFileSync(file)), 'root').unverified;
    expect(signed.version).toBe(14);
    expect(signed.roles.get('root')?.threshold).toBe(3);
    expect([...signed.keys.values()].map(({ publicKey }) => publicKey?.algorithm)).toEqual(Array(6).fill('ecdsa-p256'));
  });
});

describe('payloads of our own', () => {
  test('hold nothing that is not understood', () => {
    const signed = loose('targets')['signed'] as Loose;
    const sorted = (value: unknown): string => {
      if (value === null || typeof value !== 'object') return JSON.stringify(value);
      if (Array.isArray(value)) return `[${value.map(sorted).join(',')}]`;
      return `{${Object.entries(value)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([n, v]) => `${JSON.stringify(n)}:${sorted(v)}`)
        .join(',')}}`;
    };
    const code = (): string => codeOf(() => decodeSignedBytes(utf8(sorted(signed))));
    expect(code()).toBe('accepted');
    set(signed['delegations']?.['roles']?.[0], 'unseen', true);
    expect(code()).toBe('METADATA_UNKNOWN_MEMBER');
    drop(signed['delegations']?.['roles']?.[0] as never, 'unseen');
    expect(codeOf(() => decodeSignedBytes(utf8(` ${sorted(signed)}`)))).toBe('METADATA_UNKNOWN_MEMBER');
  });
});
