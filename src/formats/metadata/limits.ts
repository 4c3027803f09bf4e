/** How much a metadata file may hold; what is over it is refused before anything is allocated for it. */

/** Bytes of a file, by role. */
export const METADATA_BYTES_MAX = {
  root: 1024 * 1024,
  timestamp: 64 * 1024,
  snapshot: 16 * 1024 * 1024,
  targets: 64 * 1024 * 1024,
} as const;

/** Keys of one file. */
export const KEYS_MAX = 4096;
/** Key ids of one role. */
export const ROLE_KEYS_MAX = 1024;
/** Signatures on one file. */
export const SIGNATURES_MAX = 1024;
/** Targets in one file. */
export const TARGETS_MAX = 1_000_000;
/** Delegated roles of one file. */
export const DELEGATIONS_MAX = 65_536;
/** Files in one Snapshot. */
export const SNAPSHOT_FILES_MAX = 131_072;
/** Patterns, prefixes or hardware ids of one delegation. */
export const PATHS_MAX = 4096;
/** Hash algorithms listed for one file. */
export const HASHES_MAX = 8;
/** Characters of a role's name. */
export const ROLE_NAME_CHARS_MAX = 255;
/** Characters of a target's name. */
export const TARGET_NAME_CHARS_MAX = 1024;
/** Characters of one signature as a file has it. */
export const SIGNATURE_CHARS_MAX = 16_384;
/** Bits of succinct hashed bins (TAP 15). */
export const BIT_LENGTH_MAX = 32;
/** The code of a file that is JSON but not metadata. */
export const METADATA_CODE = 'METADATA_MALFORMED';
