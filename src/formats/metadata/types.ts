/**
 * What metadata says, once decoded: the four roles of TUF with Uptane's and our own additions.
 *
 * @see TUF 1.0.34 section 4; Uptane 2.1.0 section 5.2; TAP 3, 4, 12, 15, 21
 */
import type { Instant, KeyId, Version } from '../../core/brands.ts';
import type { JsonMap } from '../json/json.ts';
import type { PublicKey } from '../keys/public-key.ts';

/** The roles that a repository always has. */
export const TOP_LEVEL_ROLES = ['root', 'targets', 'snapshot', 'timestamp'] as const;
/** One of {@link TOP_LEVEL_ROLES}. */
export type TopLevelRole = (typeof TOP_LEVEL_ROLES)[number];

/** A key as a file lists it. */
export interface MetadataKey {
  /** The id that the file lists it under, which need not be the one we would give it (TAP 12). */
  readonly keyId: KeyId;
  /** Undefined where its type or scheme is not known here: such a key signs nothing for us. */
  readonly publicKey: PublicKey | undefined;
}

/** Which keys sign for a role, and how many must. */
export interface RoleKeys {
  /** Without duplicates. */
  readonly keyIds: readonly KeyId[];
  /** At least 1. */
  readonly threshold: number;
}

/** Keys and roles as a delegator or a root lists them. */
export interface KeyRing {
  readonly keys: ReadonlyMap<KeyId, MetadataKey>;
  readonly roles: ReadonlyMap<string, RoleKeys>;
}

/** Our member of `signed`. */
export interface SignedExtension {
  /** UUID of the repository. */
  readonly repository: string;
  readonly kind: RepositoryKind;
  /** The audit log at the time of signing; Snapshot only. */
  readonly log: LogHead | undefined;
  /** Post-quantum keys and thresholds; root and delegating Targets only. */
  readonly hybrid: KeyRing | undefined;
}

/** Image or Director. */
export type RepositoryKind = 'image' | 'director';

/** Length and last hash of an audit log. */
export interface LogHead {
  readonly length: number;
  /** 64 hex digits. */
  readonly head: string;
}

/** What all signed bodies have. */
export interface SignedCommon {
  /** E.g. `1.0.34`. */
  readonly specVersion: string;
  readonly version: Version;
  readonly expires: Instant;
  /** Undefined in files of other tools. */
  readonly extension: SignedExtension | undefined;
}

/** @see TUF 1.0.34 section 4.3 */
export interface Root extends SignedCommon, KeyRing {
  readonly role: 'root';
  readonly consistentSnapshot: boolean;
}

/** What a file of metadata must be. */
export interface MetaFile {
  readonly version: Version;
  readonly length: number | undefined;
  /** Algorithm name to lower-case hex; undefined where none are listed. */
  readonly hashes: ReadonlyMap<string, string> | undefined;
}

/** @see TUF 1.0.34 section 4.4 */
export interface Snapshot extends SignedCommon {
  readonly role: 'snapshot';
  /** By file name, e.g. `targets.json`. */
  readonly meta: ReadonlyMap<string, MetaFile>;
}

/** @see TUF 1.0.34 section 4.6 */
export interface Timestamp extends SignedCommon {
  readonly role: 'timestamp';
  readonly snapshot: MetaFile;
}

/** A target: what it must be and what is said of it. */
export interface TargetFile {
  readonly length: number;
  /** Algorithm name to lower-case hex; at least one. */
  readonly hashes: ReadonlyMap<string, string>;
  readonly custom: JsonMap | undefined;
}

/** A role that Targets hands paths to. Its name may be any text: file names and URLs percent-encode it. */
export interface DelegatedRole extends RoleKeys {
  readonly name: string;
}

/** What a delegation is for: path patterns, or prefixes (hex) of SHA-256 of the target's name. */
export type DelegationScope = { readonly paths: readonly string[] } | { readonly hashPrefixes: readonly string[] };

/** Paths handed to one role, or to several that must agree (TAP 3). */
export interface Delegation {
  /** The role's name, or with several roles the delegation's own. */
  readonly name: string;
  readonly scope: DelegationScope;
  readonly terminating: boolean;
  /** Hardware ids it may sign for; undefined for any. @see Uptane 2.1.0 section 5.2.3.2 */
  readonly hardwareIds: readonly string[] | undefined;
  /** At least one, in order of trust, names unique. */
  readonly roles: readonly DelegatedRole[];
  /** How many of `roles` must list the same length and hashes; 1 to their number. */
  readonly minRolesInAgreement: number;
}

/** Hashed bins under one key set. @see TAP 15 */
export interface SuccinctRoles extends RoleKeys {
  /** There are 2^bitLength bins, bitLength from 1 to 32. */
  readonly bitLength: number;
  readonly namePrefix: string;
}

/** @see TUF 1.0.34 section 4.5 */
export interface Delegations {
  readonly keys: ReadonlyMap<KeyId, MetadataKey>;
  /** In order of trust; empty where there are bins. */
  readonly roles: readonly Delegation[];
  readonly succinct: SuccinctRoles | undefined;
}

/** @see TUF 1.0.34 section 4.5 */
export interface Targets extends SignedCommon {
  readonly role: 'targets';
  /** By name as listed; only a `TargetName` is ever looked up. */
  readonly targets: ReadonlyMap<string, TargetFile>;
  readonly delegations: Delegations | undefined;
  /** Our Director's vehicle, and other members for the whole file. */
  readonly custom: JsonMap | undefined;
}

/** Any signed body. */
export type Signed = Root | Targets | Snapshot | Timestamp;

/** A signature as a file lists it, in its raw form. */
export interface MetadataSignature {
  readonly keyId: KeyId;
  /** Raw signature bytes are decoded only for a known key: this is what the file has. */
  readonly encoded: string;
}

/** A metadata file: not believed until `trust/` has checked it. */
export interface Envelope<T extends Signed = Signed> {
  readonly signed: T;
  /** The bytes that classical signatures cover. */
  readonly canonical: Uint8Array;
  readonly signatures: readonly MetadataSignature[];
  /** Post-quantum signatures of our extension, raw. */
  readonly hybridSignatures: readonly { readonly keyId: KeyId; readonly signature: Uint8Array }[];
  /** The file as received. */
  readonly bytes: Uint8Array;
  readonly dialect: string;
}
