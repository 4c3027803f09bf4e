/** Writing metadata: what is written is read back, by us and by the models of tuf-js. */
import { canonicalize } from '@tufjs/canonical-json';
import { Metadata, MetadataKind } from '@tufjs/models';
import { describe, expect, test } from 'vitest';
import { parseVersion } from '../../core/brands.ts';
import { concatBytes, fromUtf8, toHex, utf8 } from '../../core/bytes.ts';
import { sha256, sha512 } from '../../crypto/hash.ts';
import { signatureAlgorithm } from '../../crypto/signatures/index.ts';
import { jsonMap } from '../json/json.ts';
import { testKey } from '../../testing/metadata-keys.ts';
import { simulateRepository } from '../../testing/simulator.ts';
import type { Simulator } from '../../testing/simulator.ts';
import { metadataFileName } from '../../trust/file-names.ts';
import {
  canonicalOf,
  decodeMetadata,
  decodeSignedBytes,
  encodeSigned,
  sameContent,
  signatureMessage,
} from './envelope.ts';
import { DIALECTS, dialectOf } from './index.ts';
import { tufKeyObject } from '../keys/public-key.ts';
import { writeJsonText } from '../json/write.ts';
import type { Signed } from './types.ts';

function rich(hybrid: boolean): Simulator {
  const simulator = simulateRepository({ hybrid, classical: 'ecdsa-p256' });
  simulator.delegate('targets', { name: 'supplier', paths: ['supplier/*'], hardwareIds: ['HW-1'], terminating: true });
  simulator.delegate('targets', { name: 'hashed', scope: { hashPrefixes: ['0', 'ab'] } });
  simulator.delegateBins('supplier', { namePrefix: 'bin', bitLength: 2 });
  simulator.edit('targets', () => ({ custom: jsonMap({ vin: '5YJ3E1EA0KF000316', list: [1, true, null] }) }));
  simulator.edit('snapshot', ({ extension }) => ({
    extension: extension && { ...extension, log: { length: 3, head: 'ab'.repeat(32) } },
  }));
  simulator.publish();
  return simulator;
}

function allBodies(simulator: Simulator): readonly Signed[] {
  return [...Object.values(simulator.bodies), ...simulator.delegated.values()];
}

describe('round trips', () => {
  test.each([true, false])('every body, hybrid %s', (hybrid) => {
    for (const body of allBodies(rich(hybrid))) {
      expect(decodeSignedBytes(encodeSigned(body))).toEqual(body);
    }
  });

  test('roles that must agree, in the form of TAP 3', () => {
    const simulator = simulateRepository({ hybrid: true });
    simulator.delegate('targets', { name: 'one', paths: ['a/*'] });
    simulator.delegate('targets', { name: 'both', paths: ['b/*'], roles: ['qa', 'dev'], minRolesInAgreement: 2 });
    const bytes = encodeSigned(simulator.bodies.targets);
    expect(decodeSignedBytes(bytes)).toEqual(simulator.bodies.targets);
    const json = JSON.parse(fromUtf8(bytes)) as { delegations: { roleinfo: { rolename: string }[] }[] };
    expect(json.delegations[1]?.roleinfo.map(({ rolename }) => rolename)).toEqual(['qa', 'dev']);
  });

  test('a file holds its signed bytes as they are, and signatures of both families', () => {
    const simulator = rich(true);
    const bytes = simulator.files.get('1.root.json') ?? new Uint8Array();
    const { unverified } = decodeMetadata(bytes);
    expect(unverified.bytes).toBe(bytes);
    expect(unverified.canonical).toEqual(canonicalOf(encodeSigned(unverified.signed)));
    expect(fromUtf8(bytes)).toContain(fromUtf8(encodeSigned(unverified.signed)));
    expect(unverified.signatures).toHaveLength(1);
    expect(unverified.hybridSignatures[0]?.signature).toHaveLength(3309);
    expect(fromUtf8(bytes).endsWith('}\n')).toBe(true);
  });

  test('member names are ASCII; text not in NFC is refused (U1)', () => {
    const simulator = simulateRepository();
    const named = (text: string) => ({ ...simulator.bodies.targets, custom: jsonMap({ text }) });
    expect(() => encodeSigned(named('é'))).not.toThrow();
    expect(() => encodeSigned(named('e\u0301'))).toThrow(expect.objectContaining({ code: 'METADATA_MALFORMED' }));
  });
});

describe('what is signed', () => {
  test('classical: the canonical form; post-quantum: "tuf", 1, SHA-512 of it', () => {
    const canonical = utf8('{"a":1}');
    expect(signatureMessage('classical', canonical)).toBe(canonical);
    expect(signatureMessage('post-quantum', canonical)).toEqual(
      concatBytes(utf8('tuf'), Uint8Array.of(1), sha512('native', canonical)),
    );
  });

  test('same content: all but version and expiry', () => {
    const { targets } = simulateRepository().bodies;
    const bytes = encodeSigned(targets);
    expect(sameContent(bytes, encodeSigned({ ...targets, version: parseVersion(9) }))).toBe(true);
    expect(sameContent(bytes, encodeSigned({ ...targets, targets: new Map() }))).toBe(false);
  });
});

describe('dialects', () => {
  test.each(DIALECTS.map(({ id }) => id))('%s: keys and signatures of its pair are read back', (id) => {
    const dialect = dialectOf(id);
    const key = testKey(dialect.pair.classical, 'pair');
    const { publicKey } = key;
    const place = { value: dialect.encodeKey(publicKey), path: 'key', code: 'METADATA_MALFORMED' } as const;
    expect(dialect.decodeKey(publicKey.keyId, place).publicKey).toEqual(publicKey);
    const signature = key.sign(utf8('message'));
    const listed = dialect.encodeSignature({ key: publicKey, signature });
    const text = listed.get('sig');
    expect(typeof text === 'string' && dialect.decodeSignature(publicKey.algorithm, text)).toEqual(signature);
    expect(signatureAlgorithm(dialect.pair.postQuantum).family).toBe('post-quantum');
  });

  test('an unknown one', () => {
    expect(() => dialectOf('toString')).toThrow(expect.objectContaining({ code: 'DIALECT_UNKNOWN' }));
  });
});

describe('the models of tuf-js', () => {
  const KINDS = {
    root: MetadataKind.Root,
    targets: MetadataKind.Targets,
    snapshot: MetadataKind.Snapshot,
    timestamp: MetadataKind.Timestamp,
  };

  test.each([true, false])('read our files and verify them, hybrid %s', (hybrid) => {
    const simulator = rich(hybrid);
    const read = (role: string, version?: number) => {
      const bytes = simulator.files.get(metadataFileName(role, version)) ?? new Uint8Array();
      const kind = Object.entries(KINDS).find(([name]) => name === role)?.[1] ?? MetadataKind.Targets;
      return Metadata.fromJSON(kind as MetadataKind.Targets, JSON.parse(fromUtf8(bytes)));
    };
    const root = read('root', 1);
    const targets = read('targets', 2);
    root.verifyDelegate('root', root);
    root.verifyDelegate('targets', targets);
    root.verifyDelegate('snapshot', read('snapshot', 2));
    root.verifyDelegate('timestamp', read('timestamp'));
    targets.verifyDelegate('supplier', read('supplier', 1));
    targets.verifyDelegate('hashed', read('hashed', 1));
    read('supplier', 1).verifyDelegate('bin-2', read('bin-2', 1));
    expect(() => targets.verifyDelegate('supplier', read('hashed', 1))).toThrow(/signed/);
    expect(() => root.verifyDelegate('timestamp', read('snapshot', 2))).toThrow(/signed|type/i);
  });

  test('their canonical form of our signed is ours', () => {
    const simulator = rich(true);
    for (const bytes of simulator.files.values()) {
      const { signed } = JSON.parse(fromUtf8(bytes)) as { signed: unknown };
      expect(fromUtf8(decodeMetadata(bytes).unverified.canonical)).toBe(canonicalize(signed));
    }
  });

  test('our key ids are SHA-256 of their canonical form of keytype, keyval and scheme', () => {
    for (const algorithm of ['ecdsa-p256', 'ed25519', 'ml-dsa-65'] as const) {
      const { publicKey } = testKey(algorithm, 'id');
      const object: unknown = JSON.parse(writeJsonText(tufKeyObject(publicKey)));
      expect(Object.keys(object ?? {}).sort()).toEqual(['keytype', 'keyval', 'scheme']);
      expect(publicKey.keyId).toBe(toHex(sha256('native', utf8(canonicalize(object)))));
    }
  });
});
