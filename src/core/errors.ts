/**
 * The one error type of the program and the one table from error code to exit status.
 *
 * Invariants: every failure that a user can cause has a code here; a message says what failed and where,
 * in lower case, without a full stop, and never holds a secret.
 */

/** Exit statuses, as scripts see them. */
export const EXIT = {
  done: 0,
  bug: 1,
  usage: 2,
  refused: 3,
  malformed: 4,
  environment: 5,
  policy: 6,
  interrupted: 130,
} as const;

/** What kind of failure a code is; decides the exit status. */
export type ExitKind = keyof typeof EXIT;

/** Every error code of the program, and what kind of failure it is. Sections follow the rooms that throw them. */
export const ERROR_CODES = {
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

  // signers
  PASSPHRASE_MISSING: 'usage',
  PASSPHRASE_MISMATCH: 'usage',
  PASSPHRASE_WRONG: 'environment',
  PASSPHRASE_EMPTY: 'usage',
  PASSPHRASE_TOO_LONG: 'usage',
  KEY_FILE_MODE: 'policy',
  SIGNER_JOIN: 'usage',

  // signers/pkcs11
  SIGNER_URI_MALFORMED: 'usage',
  SIGNER_MODULE_MISSING: 'environment',
  SIGNER_TOKEN_MISSING: 'environment',
  SIGNER_TOKEN_AMBIGUOUS: 'usage',
  SIGNER_KEY_NOT_FOUND: 'environment',
  SIGNER_KEY_AMBIGUOUS: 'usage',
  SIGNER_KEY_EXISTS: 'environment',
  SIGNER_MECHANISM_MISSING: 'environment',
  SIGNER_PIN_WRONG: 'environment',
  SIGNER_PIN_LOCKED: 'environment',
  SIGNER_SESSION_LOST: 'environment',
  SIGNER_FAILED: 'environment',
  SIGNER_ANSWER_MALFORMED: 'environment',

  // requests
  REQUEST_MALFORMED: 'malformed',
  REQUEST_ANSWER_MALFORMED: 'malformed',
  REQUEST_NOTHING_TO_SIGN: 'policy',
  REQUEST_BUNDLE_MISSING: 'usage',
  REQUEST_FOREIGN: 'refused',
  REQUEST_STALE: 'refused',
  REQUEST_UNKNOWN_MEMBER: 'refused',
  REQUEST_JOURNAL_CONFLICT: 'policy',
  REQUEST_JOURNAL_BUSY: 'environment',
  REQUEST_NOT_CONFIRMED: 'policy',

  // ceremonies
  CEREMONY_PLAN_MALFORMED: 'malformed',
  TRANSCRIPT_MALFORMED: 'malformed',
  TRANSCRIPT_BROKEN: 'refused',
  CEREMONY_OVER: 'policy',
  CEREMONY_BUSY: 'environment',
  CEREMONY_ANSWER_WRONG: 'policy',
  CEREMONY_ANSWERS_MALFORMED: 'malformed',
  CEREMONY_FOLDER: 'usage',
  CEREMONY_MEDIUM_MISSING: 'environment',
  CEREMONY_MEDIUM_SHARED: 'policy',
  CEREMONY_READ_BACK: 'environment',
  CEREMONY_KEY_OTHER: 'refused',
  CEREMONY_ROOT_OTHER: 'refused',
  CEREMONY_UNSIGNED: 'refused',
  CEREMONY_REHEARSAL: 'policy',
  KEY_REHEARSAL: 'policy',
  // store
  REPOSITORY_NOT_FOUND: 'environment',
  REPOSITORY_EXISTS: 'environment',
  REPOSITORY_BUSY: 'environment',
  DATABASE_NETWORK: 'environment',
  DATABASE_FOREIGN: 'environment',
  DATABASE_NEWER: 'environment',
  DATABASE_OLDER: 'environment',
  DATABASE_DAMAGED: 'environment',
  DATABASE_FAILED: 'environment',
  SETTING_MISSING: 'environment',
  AUDIT_BROKEN: 'refused',
  AUDIT_REWRITTEN: 'refused',

  // ops/repository
  REPOSITORY_HELD: 'policy',
  KEY_UNSUITABLE: 'policy',
  KEY_DUPLICATE: 'policy',
  KEY_NOT_IN_ROLE: 'policy',
  THRESHOLD_MISSING: 'usage',
  THRESHOLD_UNREACHABLE: 'policy',
  ROLE_KEYS_EXIST: 'policy',
  ROLE_KEYS_MISSING: 'policy',
  HYBRID_INCOMPLETE: 'policy',
  HYBRID_DROPPED: 'policy',
  LIFETIME_SHORTENED: 'policy',
  KEY_UNKNOWN: 'policy',
  KEY_AMBIGUOUS: 'usage',
  OBJECT_DAMAGED: 'environment',
  OBJECT_MISSING: 'environment',
  SEALED_MISSING: 'policy',
  PUBLISH_REFUSED: 'policy',
  PUBLISH_OTHER: 'policy',
  PUBLISH_NEWER: 'policy',
  PUBLISH_CONFLICT: 'policy',
  PUBLISH_LINK: 'policy',
  DIALECT_UNKNOWN: 'usage',
  METADATA_OVERSIZE: 'policy',
  TARGET_NAME_TAKEN: 'policy',
  KEY_NOT_OF_ROLE: 'policy',
  ROOT_VERSION_SIGNED: 'policy',
  ROLE_NOT_COMPLETE: 'policy',
  COUNTER_TAKEN: 'policy',
  VEHICLE_EXISTS: 'policy',
  VEHICLE_UNKNOWN: 'policy',
  RELEASE_EXISTS: 'policy',
  RELEASE_UNKNOWN: 'policy',
  VEHICLE_KEY_EXISTS: 'policy',
  TARGET_UNKNOWN: 'policy',
  ROLE_UNKNOWN: 'usage',
  KEY_SERVES_ANOTHER: 'policy',
  DELEGATION_EXISTS: 'policy',
  DELEGATION_UNKNOWN: 'policy',
  DELEGATION_MIXED: 'policy',
  DELEGATION_FORM: 'usage',
  PATH_PATTERN: 'usage',

  // ops/release sealed, ops/fleet vehicles
  ESCROW_MISSING: 'policy',
  SEALED_NOT_A_TARGET: 'policy',
  SEALED_TARGET_AMBIGUOUS: 'usage',
  SEALED_ALREADY: 'policy',
  SEALED_UNKNOWN: 'policy',
  SEALED_KEM_NOT_ALLOWED: 'policy',
  SEALED_SIGNATURES_MISSING: 'policy',
  SEALED_NOT_THE_TARGET: 'refused',
  ENVELOPE_NOT_THERE: 'policy',
  ENVELOPE_OF_ESCROW: 'policy',
  FILE_CHANGED: 'environment',
  VEHICLE_LIST_MALFORMED: 'malformed',
  VEHICLE_MODEL_UNKNOWN: 'policy',
  VEHICLE_OF_ANOTHER_MODEL: 'policy',
  VEHICLE_KEY_MISSING: 'policy',
  VEHICLE_KEY_REVOKED: 'policy',
  VEHICLE_KEY_UNKNOWN: 'policy',

  // formats/inventory, ops/fleet inventory and assignment
  INVENTORY_MALFORMED: 'malformed',
  INVENTORY_TOO_LARGE: 'malformed',
  INVENTORY_VIN_TWICE: 'policy',
  INVENTORY_ECU_SHARED: 'policy',
  INVENTORY_ECU_UNKNOWN: 'policy',
  INVENTORY_HARDWARE_UNKNOWN: 'policy',
  INVENTORY_TWO_PRIMARIES: 'policy',
  ASSIGN_TARGET_INCOMPLETE: 'policy',
  ASSIGN_ECU_UNKNOWN: 'policy',
  ASSIGN_HARDWARE: 'policy',
  ASSIGN_DOWNGRADE: 'policy',
  ASSIGN_REQUIREMENT: 'policy',
  ASSIGN_CONFLICT: 'policy',
  ASSIGN_NOTHING_ASSIGNED: 'policy',

  // ops/report/doctor
  KNOWN_ANSWER_WRONG: 'environment',
  MACHINE_UNFIT: 'environment',

  // ops/release
  RELEASE_MODEL_UNKNOWN: 'policy',
  RELEASE_ECU_UNKNOWN: 'policy',
  RELEASE_REQUIREMENT_UNMET: 'policy',
  RELEASE_DEPENDENCY_CYCLE: 'policy',
  RELEASE_TARGET_CHANGED: 'policy',
  RELEASE_SOURCE_MISSING: 'policy',
  RELEASE_TARGET_INCOMPLETE: 'policy',
  RELEASE_TARGET_UNFIT: 'policy',
  RELEASE_REISSUE_DIFFERS: 'policy',
  RELEASE_DELTA_UNSUPPORTED: 'policy',
  RELEASE_NAME_TAKEN: 'policy',
  BUNDLE_THRESHOLD: 'policy',
  BUNDLE_ALGORITHM_MISSING: 'refused',
  BUNDLE_TARGET_MISMATCH: 'refused',
  BUNDLE_IMAGE_MISMATCH: 'refused',
  BUNDLE_HARDWARE_MISMATCH: 'refused',
  BUNDLE_VERSION_ROLLBACK: 'refused',
  BUNDLE_REQUIREMENT_UNMET: 'refused',
  INSTALLED_MALFORMED: 'malformed',
  ROOT_INSIDE_TREE: 'refused',
  CHECK_FAILED: 'refused',
  CHECK_SKIPPED: 'refused',
  LINT_FOUND: 'policy',
  INSPECT_UNKNOWN: 'malformed',
  IMAGE_EMPTY: 'malformed',
  IMAGE_CHANGED: 'environment',

  // formats/manifest, trust and ops/fleet manifests
  MANIFEST_MALFORMED: 'malformed',
  MANIFEST_TOO_LARGE: 'malformed',
  MANIFEST_SIGNATURE: 'refused',
  MANIFEST_KEY_MISSING: 'refused',
  MANIFEST_ECU_MISSING: 'refused',
  MANIFEST_ECU_UNKNOWN: 'refused',
  MANIFEST_PRIMARY_OTHER: 'refused',
  MANIFEST_OTHER_VEHICLE: 'refused',
  MANIFEST_REPLAY: 'refused',
  MANIFEST_STALE: 'refused',
  MANIFEST_FUTURE: 'refused',
  MANIFEST_REFUSED: 'refused',

  // formats/delivery, ops/release/delivery
  DELIVERY_MALFORMED: 'malformed',
  DELIVERY_ROLE_NAME: 'policy',
  DELIVERY_NOTHING: 'usage',
  DELIVERY_PATH: 'refused',
  DELIVERY_HARDWARE: 'refused',
  DELIVERY_COUNTER: 'refused',
  DELIVERY_VERSION: 'refused',
  DELIVERY_DELEGATES: 'refused',
  DELIVERY_REMOVES: 'policy',
  DELIVERY_LISTED: 'refused',
  DELIVERY_IMAGE_MISSING: 'refused',
  DELIVERY_IMAGE_DAMAGED: 'refused',

  // ops/fleet/director
  DIRECTOR_ROOT_MISSING: 'policy',
  DIRECTOR_NOT_SIGNED: 'policy',
  DIRECTOR_KEYS_MISSING: 'policy',
  DIRECTOR_TARGET_NOT_COMPLETE: 'policy',
  ECU_TWICE: 'policy',
  RELEASE_NOT_COMPLETE: 'policy',
  RELEASE_NOT_ENCRYPTED: 'policy',
  CAMPAIGN_EXISTS: 'policy',
  CAMPAIGN_UNKNOWN: 'policy',
  CAMPAIGN_STATE: 'policy',
  CAMPAIGN_EMPTY: 'policy',
  CAMPAIGN_VEHICLE_TWICE: 'malformed',
  CAMPAIGN_VEHICLE_UNKNOWN: 'policy',
  CAMPAIGN_KEYLESS: 'policy',
  CAMPAIGN_NOT_ENCRYPTED: 'policy',
  CAMPAIGN_BLOCKED: 'policy',
} as const satisfies Record<string, ExitKind>;

/** A code of {@link ERROR_CODES}. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** What an error is made of, beside its code. */
export interface ErrorParts {
  /** What failed and where: lower case, no full stop, no secret. */
  readonly message: string;
  /** What the user can do about it. */
  readonly hint?: string | undefined;
  /** Facts for machines: path, byte offset, JSON path, expected, found. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  readonly cause?: unknown;
}

/** A failure with a code that pipelines can act on. */
export class SecureevError extends Error {
  override readonly name = 'SecureevError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, parts: ErrorParts) {
    super(withoutPins(parts.message), parts.cause === undefined ? undefined : { cause: parts.cause });
    this.code = code;
    this.hint = parts.hint === undefined ? undefined : withoutPins(parts.hint);
    const details = Object.entries(parts.details ?? {});
    this.details = Object.fromEntries(details.map(([name, value]) => [name, withoutPinsIn(value)]));
  }

  /** The exit status of this failure. */
  get exitStatus(): number {
    return EXIT[ERROR_CODES[this.code]];
  }
}

const PIN_VALUE = /(pin-value\s*=)[^;&?"'\s]*/gi;

/** A PIN that somebody wrote into an address, where it does not belong, is not said again. @see RFC 7512 section 4 */
export function withoutPins(text: string): string {
  return text.replace(PIN_VALUE, '$1***');
}

function withoutPinsIn(value: unknown): unknown {
  if (typeof value === 'string') return withoutPins(value);
  return Array.isArray(value) ? value.map(withoutPinsIn) : value;
}

/** Makes the error `code` with `message`; for the many places that have no hint or cause. */
export function failure(code: ErrorCode, message: string, details?: Readonly<Record<string, unknown>>): SecureevError {
  return new SecureevError(code, { message, details });
}

/** Whether `thrown` is a {@link SecureevError}, of `code` where one is given. */
export function isFailure(thrown: unknown, code?: ErrorCode): thrown is SecureevError {
  return thrown instanceof SecureevError && (code === undefined || thrown.code === code);
}
