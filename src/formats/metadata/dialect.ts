/** What a dialect decides; all else is common to the dialects. */
import type { KeyId } from '../../core/brands.ts';
import type { SignatureId } from '../../crypto/signatures/index.ts';
import type { Json, JsonMap } from '../json/json.ts';
import type { JsonPlace } from '../json/read.ts';
import type { KeyAlgorithm } from '../keys/algorithms.ts';
import type { PublicKey } from '../keys/public-key.ts';
import type { Delegations, MetadataKey, RepositoryKind, Signed, TopLevelRole } from './types.ts';

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
  /** Whether `spec_version` must be there; it is always written. */
  readonly demandsSpecVersion: boolean;
  /** Whether published files but Timestamp carry their version or hash in their names. */
  readonly consistentSnapshot: boolean;
  /** The folder of delegated roles in a tree, with its slash; empty where they lie beside the others. */
  readonly delegationsFolder: string;
  /** Delegations that vehicles follow from Targets on; undefined where the clients' own limits alone hold. */
  readonly delegationDepthMax: number | undefined;
  /** Whether a target's `custom` gives its version and release counter beside its hardware ids. */
  readonly targetsCount: boolean;
  /** Whether a target's name stands for one content for ever. */
  readonly namesAreFinal: boolean;
  /** The form of `signed` that signatures cover. @throws JSON_MALFORMED */
  canonical(value: Json): Uint8Array<ArrayBuffer>;
  /** Reads a classical key; one of a type not known here is kept without a public key. @throws METADATA_MALFORMED */
  decodeKey(keyId: KeyId, place: JsonPlace): MetadataKey;
  /** @throws KEY_UNSUITABLE for a key that files of the dialect cannot list */
  encodeKey(key: PublicKey): JsonMap;
  /** Demands that files of the dialect can list a classical key. @throws KEY_UNSUITABLE */
  requireKey(key: PublicKey): void;
  /** The id that files list a classical key under which is `keyId` here: where that is our own for it, the dialect's. */
  listedId(keyId: KeyId, key: PublicKey): KeyId;
  /** The raw signature of what a file has for a key of `algorithm`. @throws SIGNATURE_INVALID, VALUE_MALFORMED */
  decodeSignature(algorithm: KeyAlgorithm, text: string): Uint8Array;
  /** Checks an item of `signatures` beyond its key id and signature. @throws METADATA_MALFORMED */
  checkSignature(place: JsonPlace): void;
  /** One item of `signatures`. */
  encodeSignature(signature: KeySignature): JsonMap;
  /** What of a target's `custom` is written. */
  targetCustom(custom: JsonMap): JsonMap;
  /** Refuses delegations that clients of the dialect would misread. @throws DIALECT_UNSUITABLE */
  requireDelegations(delegations: Delegations): void;
  /** Refuses a body of ours, `text` its JSON, that clients of the dialect would misread. @throws DIALECT_UNSUITABLE */
  requireBody(body: Signed, text: string): void;
  /** The most bytes of a file that clients of the dialect read; undefined where only our own limits hold. */
  bytesMax(role: TopLevelRole, kind: RepositoryKind): number | undefined;
}
