/** Dialect aktualizr: what libaktualizr reads, and refusals of what it would misread. */
import { createHash, generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parseKeyId } from '../../core/brands.ts';
import { fromUtf8, utf8 } from '../../core/bytes.ts';
import { isFailure } from '../../core/errors.ts';
import { testKey } from '../../testing/metadata-keys.ts';
import { simulateRepository } from '../../testing/simulator.ts';
import type { Simulator } from '../../testing/simulator.ts';
import { jsonMap } from '../json/json.ts';
import { makePublicKey } from '../keys/public-key.ts';
import { encodeSpkiPem } from '../keys/spki.ts';
import { aktualizr } from './aktualizr.ts';
import {
  assembleEnvelope,
  canonicalOf,
  decodeMetadata,
  decodeSignedBytes,
  dialectOfBytes,
  encodeSigned,
} from './envelope.ts';
import type { Root, Targets } from './types.ts';

const RSA_3072 = rsaKey(3072);

function rsaKey(modulusLength: number) {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength });
  return makePublicKey('rsa-pss-sha256', new Uint8Array(publicKey.export({ format: 'der', type: 'spki' })));
}

function codeOf(work: () => unknown): string {
  try {
    work();
    return 'done';
  } catch (thrown) {
    if (isFailure(thrown)) return thrown.code;
    throw thrown;
  }
}

/** A root of Ed25519 keys, its root role also with an RSA key. */
function rootWithRsa(): Root {
  const { root } = simulateRepository({ hybrid: true, consistent: false }).bodies;
  const own = root.roles.get('root');
  const keys = new Map([...root.keys, [RSA_3072.keyId, { keyId: RSA_3072.keyId, publicKey: RSA_3072 }] as const]);
  const roles = new Map([
    ...root.roles,
    ['root', { keyIds: [...(own?.keyIds ?? []), RSA_3072.keyId], threshold: 1 }] as const,
  ]);
  return { ...root, keys, roles };
}

function encoded(signed: Parameters<typeof encodeSigned>[0]): string {
  return fromUtf8(encodeSigned(signed, aktualizr));
}

function changedTargets(change: (simulator: Simulator) => void): Targets {
  const simulator = simulateRepository();
  change(simulator);
  return simulator.bodies.targets;
}

describe('what is written', () => {
  test('keys as `ED25519` in hex and `RSA` in PEM, under the ids that libaktualizr computes (U2)', () => {
    const root = rootWithRsa();
    const { signed } = { signed: JSON.parse(encoded(root)) as Record<string, never> };
    const keys: Record<string, { keytype: string; keyval: { public: string } }> = signed['keys'] ?? {};
    for (const [keyId, { keytype, keyval }] of Object.entries(keys)) {
      const text = JSON.stringify(keyval.public.replace(/\n+$/, ''));
      expect(keyId).toBe(createHash('sha256').update(text).digest('hex'));
      expect(['ED25519', 'RSA']).toContain(keytype);
    }
    expect(Object.values(keys).map(({ keyval }) => keyval.public)).toContain(encodeSpkiPem(RSA_3072));
    const roles: Record<string, { keyids: string[] }> = signed['roles'] ?? {};
    for (const { keyids } of Object.values(roles)) for (const id of keyids) expect(keys[id]).toBeDefined();
  });

  test('a file is its own canonical form: sorted, compact, printable ASCII, no final line feed', () => {
    const payload = encodeSigned(rootWithRsa(), aktualizr);
    const { publicKey } = testKey('ed25519', 'one');
    const postQuantum = testKey('ml-dsa-65', 'one');
    const file = assembleEnvelope(
      payload,
      {
        classical: [{ key: publicKey, signature: new Uint8Array(64) }],
        postQuantum: [{ key: postQuantum.publicKey, signature: new Uint8Array(3309) }],
      },
      aktualizr,
    );
    const text = fromUtf8(file);
    expect(text).toMatch(/^[ -~]*$/);
    expect(text).toBe(sortedJson(JSON.parse(text)));
    expect(fromUtf8(canonicalOf(payload))).toBe(fromUtf8(payload));
    expect(text).toContain(`"method":"ed25519","sig":"${'A'.repeat(86)}=="`);
  });

  test('every body reads back as itself, and says its dialect', () => {
    const { root, targets, snapshot, timestamp } = simulateRepository({ hybrid: true }).bodies;
    for (const body of [root, targets, snapshot, timestamp]) {
      const bytes = encodeSigned(body, aktualizr);
      expect(dialectOfBytes(bytes).id).toBe('aktualizr');
      expect(encodeSigned(decodeSignedBytes(bytes), aktualizr)).toEqual(bytes);
    }
  });

  test('`custom` has hardware ids alone in the Image repository, and ECU identifiers alone in the Director (U9)', () => {
    const facts = { hardwareIds: ['H1'], releaseCounter: 3, version: '1' };
    expect(aktualizr.targetCustom(jsonMap(facts))).toEqual(jsonMap({ hardwareIds: ['H1'] }));
    const ecu = jsonMap({ hardwareId: 'H1', note: 'x' });
    const director = jsonMap({ ...facts, ecuIdentifiers: new Map([['S1', ecu]]) });
    expect(aktualizr.targetCustom(director)).toEqual(
      jsonMap({ ecuIdentifiers: new Map([['S1', jsonMap({ hardwareId: 'H1' })]]) }),
    );
  });

  test('expiries have 20 characters, as is demanded there', () => {
    const { expires } = JSON.parse(encoded(simulateRepository().bodies.timestamp)) as { expires: string };
    expect(expires).toMatch(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/);
  });
});

function sortedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${sortedJson(member)}`).join(',')}}`;
}

describe('what is refused when written', () => {
  test.each(['ecdsa-p256', 'ml-dsa-65'] as const)('%s keys: one makes a file unreadable there', (algorithm) => {
    const { publicKey } = testKey(algorithm, 'one');
    expect(codeOf(() => aktualizr.requireKey(publicKey))).toBe('KEY_UNSUITABLE');
    expect(codeOf(() => aktualizr.encodeKey(publicKey))).toBe('KEY_UNSUITABLE');
  });

  test('RSA of a size that is not told apart there', () => {
    expect(codeOf(() => aktualizr.requireKey(rsaKey(2560)))).toBe('KEY_UNSUITABLE');
    expect(codeOf(() => aktualizr.requireKey(RSA_3072))).toBe('done');
  });

  const unsuitable: readonly (readonly [string, (simulator: Simulator) => void])[] = [
    ['hashed bins', (simulator) => simulator.delegateBins('targets', { namePrefix: 'bin', bitLength: 1 })],
    ['hash prefixes', (simulator) => simulator.delegate('targets', { name: 'x', scope: { hashPrefixes: ['0'] } })],
    ['several roles', (simulator) => simulator.delegate('targets', { name: 'x', roles: ['one', 'two'] })],
    ['hardware ids', (simulator) => simulator.delegate('targets', { name: 'x', hardwareIds: ['H1'] })],
    ['a reserved name', (simulator) => simulator.delegate('targets', { name: 'Offline-Updates' })],
    ['text beyond ASCII', ({ edit }) => edit('targets', () => ({ custom: jsonMap({ note: 'größer' }) }))],
    ['control characters', ({ edit }) => edit('targets', () => ({ custom: jsonMap({ note: '\u0001' }) }))],
  ];

  test.each(unsuitable)('a body with %s', (_, change) => {
    expect(codeOf(() => encodeSigned(changedTargets(change), aktualizr))).toBe('DIALECT_UNSUITABLE');
    expect(codeOf(() => encodeSigned(simulateRepository().bodies.targets, aktualizr))).toBe('done');
  });

  test('a threshold over 1000', () => {
    const root = rootWithRsa();
    const roles = new Map([...root.roles].map(([name, one]) => [name, { ...one, threshold: 1001 }] as const));
    expect(codeOf(() => encodeSigned({ ...root, roles }, aktualizr))).toBe('DIALECT_UNSUITABLE');
  });
});

describe('what is read', () => {
  const signed = (change: (json: Record<string, unknown>) => void): Uint8Array => {
    const json = JSON.parse(encoded(rootWithRsa())) as Record<string, unknown>;
    change(json);
    return utf8(JSON.stringify({ signatures: [], signed: json }));
  };
  const keyed = (key: unknown) => signed((json) => Object.assign(json['keys'] as object, { ab: key }));

  test('keys without a scheme, in any case of letters, PEM without its last line feed, no spec_version', () => {
    const pem = encodeSpkiPem(RSA_3072);
    for (const [keytype, value] of [
      ['rsa', pem.trimEnd()],
      ['RSA', pem],
      ['Ed25519', 'AB'.repeat(32)],
    ]) {
      const file = signed((json) => {
        delete json['spec_version'];
        Object.assign(json['keys'] as object, { ab: { keytype, keyval: { public: value } } });
      });
      const { unverified } = decodeMetadata(file);
      expect(unverified.dialect).toBe('aktualizr');
      expect(unverified.signed.specVersion).toBe('1.0');
      expect((unverified.signed as Root).keys.get(parseKeyId('ab'))?.publicKey).toBeDefined();
    }
  });

  const malformed: readonly (readonly [string, unknown])[] = [
    ['an ECDSA key', { keytype: 'ecdsa', keyval: { public: encodeSpkiPem(testKey('ecdsa-p256', 'x').publicKey) } }],
    ['a short Ed25519 key', { keytype: 'ED25519', keyval: { public: 'ab' } }],
    ['an Ed25519 key in RSA', { keytype: 'RSA', keyval: { public: 'ab'.repeat(32) } }],
    ['RSA of 2560 bits', { keytype: 'RSA', keyval: { public: encodeSpkiPem(rsaKey(2560)) } }],
    ['a key without value', { keytype: 'RSA' }],
  ];

  test.each(malformed)('%s makes the file malformed, as it does there', (_, key) => {
    expect(codeOf(() => decodeMetadata(keyed(key)))).toBe('METADATA_MALFORMED');
  });

  test.each(['ecdsa', '', 7])('an unknown signature method %s makes the file malformed', (method) => {
    const json = JSON.parse(encoded(rootWithRsa())) as unknown;
    const file = utf8(JSON.stringify({ signatures: [{ keyid: 'ab', method, sig: 'AA==' }], signed: json }));
    expect(codeOf(() => decodeMetadata(file))).toBe('METADATA_MALFORMED');
  });

  test.each(['AA', 'A===', '!!!!', 'AB=='])('a signature %s is no base64, or not the shortest', (text) => {
    expect(codeOf(() => aktualizr.decodeSignature('ed25519', text))).toBe('SIGNATURE_INVALID');
  });

  test('the most bytes there: 64 KiB, and 8 MiB of Image Targets', () => {
    const roles = ['root', 'snapshot', 'timestamp', 'targets'] as const;
    expect(roles.map((role) => aktualizr.bytesMax(role, 'image'))).toEqual([65_536, 65_536, 65_536, 8_388_608]);
    expect(roles.map((role) => aktualizr.bytesMax(role, 'director'))).toEqual([65_536, 65_536, 65_536, 65_536]);
  });
});
