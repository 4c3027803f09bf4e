/**
 * Dialect `tuf`: what python-tuf, tuf-js, go-tuf and tough read.
 *
 * @see TUF 1.0.34 section 4
 */
import { canonicalJson } from '../json/canonical.ts';
import { jsonMap } from '../json/json.ts';
import type { Dialect } from './dialect.ts';
import { decodeTufKey, decodeTufSignature, encodeTufKey, encodeTufSignature } from './tuf-key.ts';

/** The default dialect. */
export const tuf = {
  id: 'tuf',
  typeNames: { root: 'root', targets: 'targets', snapshot: 'snapshot', timestamp: 'timestamp' },
  pair: { classical: 'ecdsa-p256', postQuantum: 'ml-dsa-65' },
  fileEnd: '\n',
  demandsSpecVersion: true,
  consistentSnapshot: true,
  delegationsFolder: '',
  delegationDepthMax: undefined,
  targetsCount: true,
  namesAreFinal: false,
  canonical: canonicalJson,
  decodeKey: decodeTufKey,
  encodeKey: encodeTufKey,
  requireKey: () => undefined,
  listedId: (keyId) => keyId,
  decodeSignature: decodeTufSignature,
  checkSignature: () => undefined,
  encodeSignature: ({ key, signature }) =>
    jsonMap({ keyid: key.keyId, sig: encodeTufSignature(key.algorithm, signature) }),
  targetCustom: (custom) => custom,
  requireDelegations: () => undefined,
  requireBody: () => undefined,
  bytesMax: () => undefined,
} as const satisfies Dialect;
