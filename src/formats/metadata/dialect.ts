/** What a dialect decides; all else is common to the dialects. */
import type { KeyId } from '../../core/brands.ts';
import type { SignatureId } from '../../crypto/signatures/index.ts';
import type { JsonMap } from '../json/json.ts';
import type { JsonPlace } from '../json/read.ts';
import type { KeyAlgorithm } from '../keys/algorithms.ts';
import type { PublicKey } from '../keys/public-key.ts';
import type { MetadataKey, TopLevelRole } from './types.ts';

/** A raw signature and the key it is of. */
export interface KeySignature {
  readonly key: PublicKey;
  readonly signature: Uint8Array;
}

/** One way to write TUF metadata. */
export interface Dialect {
  readonly id: string;
  /** What `_type` says for each role; tells dialects apart. */
  readonly typeNames: Readonly<Record<TopLevelRole, string>>;
  /** The algorithms of new hybrid keys. */
  readonly pair: { readonly classical: SignatureId; readonly postQuantum: SignatureId };
  /** What stands after the closing brace of a file. */
  readonly fileEnd: string;
  /** Reads a classical key; one of a type not known here is kept without a public key. @throws METADATA_MALFORMED */
  decodeKey(keyId: KeyId, place: JsonPlace): MetadataKey;
  encodeKey(key: PublicKey): JsonMap;
  /** The raw signature of what a file has for a key of `algorithm`. @throws SIGNATURE_INVALID, VALUE_MALFORMED */
  decodeSignature(algorithm: KeyAlgorithm, text: string): Uint8Array;
  /** One item of `signatures`. */
  encodeSignature(signature: KeySignature): JsonMap;
}
