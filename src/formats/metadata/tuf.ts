/**
 * Dialect `tuf`: what python-tuf, tuf-js, go-tuf and tough read.
 *
 * @see TUF 1.0.34 section 4
 */
import { jsonMap } from '../json/json.ts';
import type { Dialect } from './dialect.ts';
import { decodeTufKey, decodeTufSignature, encodeTufKey, encodeTufSignature } from './tuf-key.ts';

/** The default dialect. */
export const tuf = {
  id: 'tuf',
  typeNames: { root: 'root', targets: 'targets', snapshot: 'snapshot', timestamp: 'timestamp' },
  pair: { classical: 'ecdsa-p256', postQuantum: 'ml-dsa-65' },
  fileEnd: '\n',
  decodeKey: decodeTufKey,
  encodeKey: encodeTufKey,
  decodeSignature: decodeTufSignature,
  encodeSignature: ({ key, signature }) =>
    jsonMap({ keyid: key.keyId, sig: encodeTufSignature(key.algorithm, signature) }),
} as const satisfies Dialect;
