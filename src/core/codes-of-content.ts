/** The error codes of what is read, computed and believed: formats, cryptography, trust. Sections follow the rooms that throw them. */
import type { ExitKind } from './exit-status.ts';

/** Code -> what kind of failure it is. */
export const CONTENT_CODES = {
  // core
  INTERNAL: 'bug',
  USAGE: 'usage',
  INTERRUPTED: 'interrupted',
  VALUE_MALFORMED: 'malformed',

  // crypto
  KEY_MALFORMED: 'malformed',
  SIGNATURE_INVALID: 'refused',
  ENGINE_MISSING: 'environment',
  ENGINE_DISAGREES: 'bug',
  DECRYPT_FAILED: 'refused',
  ALGORITHM_UNKNOWN: 'malformed',

  // io
  FILE_NOT_FOUND: 'environment',
  FILE_EXISTS: 'environment',
  FILE_TOO_LARGE: 'malformed',
  FILE_ACCESS: 'environment',
  DISK_FULL: 'environment',
  NO_TERMINAL: 'usage',
  NODE_TOO_OLD: 'environment',
  PROCESS_FAILED: 'environment',
  PROCESS_TIMEOUT: 'environment',
  HTTP_FAILED: 'environment',
  HTTP_SLOW: 'refused',
  HTTP_ENDLESS: 'refused',

  // formats/cbor
  CBOR_MALFORMED: 'malformed',

  // formats/cose
  COSE_MALFORMED: 'malformed',
  COSE_ALGORITHM_UNKNOWN: 'malformed',

  // formats/otap
  OTAP_MALFORMED: 'malformed',
  OTAP_TRUNCATED: 'malformed',
  OTAP_VERSION_UNKNOWN: 'malformed',
  OTAP_FLAGS_UNKNOWN: 'malformed',
  OTAP_TOO_LARGE: 'malformed',
  OTAP_MANIFEST_MALFORMED: 'malformed',
  OTAP_DUPLICATE_ECU: 'malformed',
  OTAP_UNSIGNED: 'refused',
  OTAP_TRAILING_BYTES: 'malformed',
  OTAP_TREE_MISMATCH: 'refused',
  OTAP_CHUNK_MISMATCH: 'refused',
  OTAP_IMAGE_SIZE: 'refused',
  OTAP_IMAGE_HASH: 'refused',

  // formats/sealed
  SEALED_MALFORMED: 'malformed',
  SEALED_VERSION_UNKNOWN: 'malformed',
  SEALED_SUITE_UNKNOWN: 'malformed',
  SEALED_TOO_LARGE: 'malformed',
  SEALED_TRUNCATED: 'malformed',
  SEALED_TRAILING_BYTES: 'malformed',
  SEALED_COMMITMENT: 'refused',
  SEALED_CHUNK: 'refused',
  ENVELOPE_MALFORMED: 'malformed',
  ENVELOPE_REFUSED: 'refused',
  ENVELOPE_NOT_FOUND: 'refused',

  // zstd
  ZSTD_MALFORMED: 'malformed',
  ZSTD_SKIPPABLE_FRAME: 'refused',
  ZSTD_DICTIONARY: 'refused',
  ZSTD_WINDOW: 'refused',
  ZSTD_CONTENT_SIZE: 'refused',
  ZSTD_TRAILING_BYTES: 'refused',

  // formats/yaml
  YAML_MALFORMED: 'malformed',
  YAML_FIELD_UNKNOWN: 'malformed',
  YAML_PATH_REFUSED: 'malformed',
  PLAN_MALFORMED: 'malformed',
  REGISTRY_MALFORMED: 'malformed',

  // formats/json
  JSON_MALFORMED: 'malformed',
  JSON_TOO_LARGE: 'malformed',

  // formats/metadata
  METADATA_MALFORMED: 'malformed',
  METADATA_WRONG_ROLE: 'refused',
  METADATA_UNKNOWN_MEMBER: 'malformed',
  METADATA_HYBRID_INCOMPLETE: 'malformed',
  DIALECT_UNSUITABLE: 'policy',

  // formats/keys
  PEM_MALFORMED: 'malformed',
  KEY_FILE_MALFORMED: 'malformed',
  KEY_FILE_MISMATCH: 'malformed',
  KEY_PARTS_DISAGREE: 'malformed',
  KEY_ENCRYPTION_UNKNOWN: 'malformed',
  KEY_COST_REFUSED: 'malformed',

  // trust
  TRUST_THRESHOLD: 'refused',
  TRUST_HYBRID_THRESHOLD: 'refused',
  TRUST_HYBRID_MISSING: 'refused',
  TRUST_EXPIRED: 'refused',
  TRUST_ROLLBACK: 'refused',
  TRUST_ROOT_GAP: 'refused',
  TRUST_MIX_AND_MATCH: 'refused',
  TRUST_WRONG_REPOSITORY: 'refused',
  TRUST_ENDLESS_DATA: 'refused',
  TRUST_FILE_MISSING: 'refused',
  TRUST_LIMIT: 'refused',
  TRUST_TARGET_NOT_FOUND: 'refused',
  TRUST_TARGET_DISAGREEMENT: 'refused',
  TRUST_ARBITRARY_SOFTWARE: 'refused',
  TRUST_HASH_UNKNOWN: 'refused',
  TRUST_WRONG_VEHICLE: 'refused',
  TRUST_DIRECTOR_DELEGATES: 'refused',
  TRUST_ECU_TWICE: 'refused',
  TRUST_ECU_UNKNOWN: 'refused',
  TRUST_NO_ENTRY: 'refused',
  TRUST_HARDWARE: 'refused',
  TRUST_COUNTER: 'refused',
  TRUST_DIRECTOR_MISMATCH: 'refused',
  TRUST_MIXED_BUNDLES: 'refused',
  TRUST_CLOCK_BACK: 'refused',

  // kits
  KIT_MALFORMED: 'malformed',
  KIT_LINK: 'refused',
  KIT_FILE_MISSING: 'refused',
  KIT_FILE_UNKNOWN: 'refused',
  KIT_TARGET_MISSING: 'refused',
  KIT_TARGET_UNPUBLISHED: 'policy',
  KIT_ENVELOPE_MISSING: 'policy',
  KIT_OCCUPIED: 'environment',
  MAP_MALFORMED: 'malformed',
  PROVISIONING_MALFORMED: 'malformed',

  // formats/backup
  BACKUP_MALFORMED: 'malformed',
  BACKUP_DAMAGED: 'malformed',
  BACKUP_NEWER: 'environment',
  RESTORE_OCCUPIED: 'environment',
  RESTORE_OTHER: 'refused',
  RESTORE_ROOT_MISSING: 'policy',
  RESTORE_TREE_OLDER: 'policy',
  RESTORE_DIRECTOR_MISSING: 'usage',

  // formats/shares
  SHARE_MALFORMED: 'malformed',
  SHARE_MIXED: 'refused',
  SHARE_SHORT: 'refused',
} as const satisfies Record<string, ExitKind>;
