/** Counting signers. */
import { constants, generateKeyPairSync, sign as nodeSign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseKeyId } from '../core/brands.ts';
import { fromUtf8, toHex, utf8 } from '../core/bytes.ts';
import { decodeRole } from '../formats/metadata/envelope.ts';
import { simulateRepository } from '../testing/simulator.ts';
import { outcomeOf } from '../testing/trusting-client.ts';
import { requireThresholds } from './role-policy.ts';
import { rootPolicy } from './state.ts';

/** Plain JSON of a root, to change. */
interface LooseRoot {
  signatures: { keyid: string; sig: string }[];
  signed: {
    keys: Record<string, { keytype: string; scheme: string; keyval: { public: string } }>;
    roles: Record<string, { keyids: string[]; threshold: number }>;
  };
}

const simulator = simulateRepository({ classical: 'ecdsa-p256' });

/** Verifies a Timestamp under a changed root; signatures are those of `timestamp`, as `resign` says. */
function verify(
  change: (root: LooseRoot['signed']) => void,
  resign: (signatures: LooseRoot['signatures']) => LooseRoot['signatures'] = (same) => same,
): Promise<string> {
  const root = JSON.parse(fromUtf8(simulator.files.get('1.root.json') ?? new Uint8Array())) as LooseRoot;
  const timestamp = JSON.parse(fromUtf8(simulator.files.get('timestamp.json') ?? new Uint8Array())) as LooseRoot;
  change(root.signed);
  const file = { ...timestamp, signatures: resign(timestamp.signatures) };
  return outcomeOf(() => {
    const { signed } = decodeRole(utf8(JSON.stringify(root)), 'root').unverified;
    const envelope = decodeRole(utf8(JSON.stringify(file)), 'timestamp').unverified;
    requireThresholds({ engine: 'native', envelope, policy: rootPolicy(signed, 'timestamp') });
  });
}

const keyId = simulator.signers.get('timestamp')?.classical[0]?.publicKey.keyId ?? parseKeyId('none');

/** Lists the Timestamp's key again, in another spelling, and demands two signatures. */
const twice =
  (spell: (pem: string) => string) =>
  ({ keys, roles }: LooseRoot['signed']): void => {
    const key = keys[keyId];
    if (key === undefined) throw new Error('no key');
    keys['again'] = { ...key, keyval: { public: spell(key.keyval.public) } };
    roles['timestamp'] = { keyids: [keyId, 'again'], threshold: 2 };
  };
const bySame = (signatures: LooseRoot['signatures']) => [
  ...signatures,
  ...signatures.map((one) => ({ ...one, keyid: 'again' })),
];

/** The same PEM (or that of a changed DER) in lines of 40. */
function respell(pem: string, change: (der: Uint8Array) => Uint8Array): string {
  const [begin = '', ...lines] = pem.trim().split('\n');
  const der = new Uint8Array(Buffer.from(lines.slice(0, -1).join(''), 'base64'));
  const text = Buffer.from(change(der)).toString('base64');
  return [begin, ...(text.match(/.{1,40}/g) ?? []), lines.at(-1), ''].join('\n');
}

describe('thresholds count raw keys', () => {
  test.each([
    ['under two ids', (pem: string) => pem],
    ['without its final newline', (pem: string) => pem.trim()],
    ['with CRLF', (pem: string) => pem.replaceAll('\n', '\r\n')],
    ['in lines of another length', (pem: string) => respell(pem, (der) => der)],
  ])('one key %s counts once', async (_, spell) => {
    expect(await verify(() => undefined)).toBe('done');
    expect(await verify(twice(spell), bySame)).toBe('TRUST_THRESHOLD');
  });

  test('one key under two types counts once', async () => {
    const change = (signed: LooseRoot['signed']): void => {
      twice((pem) => pem)(signed);
      const again = signed.keys['again'];
      if (again !== undefined) again.keytype = 'ecdsa-sha2-nistp256';
    };
    expect(await verify(change, bySame)).toBe('TRUST_THRESHOLD');
  });
});

describe('what does not count', () => {
  test.each([
    ['no signature', () => []],
    ['an empty one', (all: LooseRoot['signatures']) => all.map((one) => ({ ...one, sig: '' }))],
    ['hex in capitals', (all: LooseRoot['signatures']) => all.map((one) => ({ ...one, sig: one.sig.toUpperCase() }))],
    [
      'hex with something after it',
      (all: LooseRoot['signatures']) => all.map((one) => ({ ...one, sig: `${one.sig}zz` })),
    ],
    [
      'hex with half a byte after it',
      (all: LooseRoot['signatures']) => all.map((one) => ({ ...one, sig: `${one.sig}0` })),
    ],
    ['DER with a byte after it', (all: LooseRoot['signatures']) => all.map((one) => ({ ...one, sig: `${one.sig}00` }))],
    [
      'a flipped bit',
      (all: LooseRoot['signatures']) =>
        all.map((one) => ({ ...one, sig: one.sig.replace(/.$/, (c) => (c === '0' ? '1' : '0')) })),
    ],
    ['the key id of nobody', (all: LooseRoot['signatures']) => all.map((one) => ({ ...one, keyid: 'nobody' }))],
  ] as const)('%s', async (_, resign) => {
    expect(await verify(() => undefined, resign as never)).toBe('TRUST_THRESHOLD');
  });

  test('signatures of others beside a good one are ignored, broken ones too', async () => {
    const others = [
      { keyid: 'nobody', sig: 'zz' },
      { keyid: 'constructor', sig: '00' },
    ];
    expect(
      await verify(
        () => undefined,
        (all) => [...others, ...all],
      ),
    ).toBe('done');
  });

  test('a good signature by a key of another role', async () => {
    const change = ({ roles }: LooseRoot['signed']): void => {
      roles['timestamp'] = { keyids: roles['snapshot']?.keyids ?? [], threshold: 1 };
    };
    expect(await verify(change)).toBe('TRUST_THRESHOLD');
  });

  test('a key whose point is not on the curve, or whose scheme is unknown', async () => {
    const changeKey = (to: (key: LooseRoot['signed']['keys'][string]) => object) => (signed: LooseRoot['signed']) => {
      const key = signed.keys[keyId];
      if (key !== undefined) Object.assign(key, to(key));
    };
    const flipped = (der: Uint8Array): Uint8Array => der.map((byte, i) => (i === der.length - 1 ? byte ^ 1 : byte));
    const offCurve = changeKey(({ keyval }) => ({ keyval: { public: respell(keyval.public, flipped) } }));
    expect(await verify(offCurve)).toBe('TRUST_THRESHOLD');
    expect(await verify(changeKey(() => ({ scheme: 'ecdsa-sha2-nistp384' })))).toBe('TRUST_THRESHOLD');
  });
});

describe('other kinds of keys', () => {
  test('RSA signs, by PSS with SHA-256 alone', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const file = simulator.files.get('timestamp.json') ?? new Uint8Array();
    const { canonical } = decodeRole(file, 'timestamp').unverified;
    const list = ({ keys, roles }: LooseRoot['signed']): void => {
      const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
      keys['rsa'] = { keytype: 'rsa', scheme: 'rsassa-pss-sha256', keyval: { public: pem } };
      roles['timestamp'] = { keyids: ['rsa'], threshold: 1 };
    };
    const signed = (padding: number, saltLength?: number) => {
      const sig = nodeSign('sha256', canonical, {
        key: privateKey,
        padding,
        ...(saltLength === undefined ? {} : { saltLength }),
      });
      return () => [{ keyid: 'rsa', sig: toHex(sig) }];
    };
    expect(await verify(list, signed(constants.RSA_PKCS1_PSS_PADDING, 32))).toBe('done');
    expect(await verify(list, signed(constants.RSA_PKCS1_PADDING))).toBe('TRUST_THRESHOLD');
  });

  test('the signatures on a real root of others: Sigstore, version 14, by its own keys', async () => {
    const file = new URL('../../fixtures/vectors/tuf/sigstore/14.root.json', import.meta.url);
    const bytes = new Uint8Array(readFileSync(file));
    const envelope = decodeRole(bytes, 'root').unverified;
    for (const engine of ['native', 'noble'] as const) {
      const policy = rootPolicy(envelope.signed, 'root');
      const demand = (threshold: number): Promise<string> =>
        outcomeOf(() =>
          requireThresholds({ engine, envelope, policy: { ...policy, classical: { ...policy.classical, threshold } } }),
        );
      expect(await demand(3)).toBe('done');
      expect(await demand(4)).toBe('done');
      expect(await demand(5)).toBe('TRUST_THRESHOLD');
    }
  });
});
