/**
 * The database schema as numbered migrations.
 *
 * Invariants: a migration that was released is never edited; tables are STRICT; hashes are 32-byte BLOBs, times whole
 * seconds since 1970, and nothing holds an absolute path. A role's content is a map of items; `staged` rows override
 * items (`value` NULL removes one), with `frozen_version` 0 until a version takes them; `replaced` keeps what an item was
 * until `version` changed or removed it.
 */

/** SQLite `application_id` of a secureev repository: the ASCII bytes `SEv1`. */
export const APPLICATION_ID = 0x53_45_76_31;

const ROLES = `
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE roles (
  id INTEGER PRIMARY KEY,
  repository TEXT NOT NULL CHECK (repository IN ('image', 'director')),
  vehicle TEXT REFERENCES vehicles (id),
  name TEXT NOT NULL,
  last_version INTEGER NOT NULL DEFAULT 0,
  complete_version INTEGER,
  frozen_version INTEGER
) STRICT;
CREATE UNIQUE INDEX roles_address ON roles (repository, ifnull(vehicle, ''), name);

CREATE TABLE content (
  role_id INTEGER NOT NULL REFERENCES roles (id),
  item TEXT NOT NULL,
  value TEXT NOT NULL CHECK (json_valid(value)),
  PRIMARY KEY (role_id, item)
) STRICT, WITHOUT ROWID;
CREATE INDEX content_sha256 ON content (value ->> '$.sha256');

CREATE TABLE replaced (
  role_id INTEGER NOT NULL REFERENCES roles (id),
  item TEXT NOT NULL,
  version INTEGER NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (role_id, item, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE staged (
  role_id INTEGER NOT NULL REFERENCES roles (id),
  item TEXT NOT NULL,
  frozen_version INTEGER NOT NULL DEFAULT 0,
  value TEXT CHECK (value IS NULL OR json_valid(value)),
  PRIMARY KEY (role_id, item, frozen_version)
) STRICT, WITHOUT ROWID;
CREATE INDEX staged_version ON staged (role_id, frozen_version);
CREATE INDEX staged_sha256 ON staged (value ->> '$.sha256');

CREATE TABLE versions (
  role_id INTEGER NOT NULL REFERENCES roles (id),
  version INTEGER NOT NULL CHECK (version > 0),
  state TEXT NOT NULL CHECK (state IN ('frozen', 'complete', 'cancelled')),
  payload BLOB,
  file BLOB,
  length INTEGER,
  sha256 BLOB CHECK (sha256 IS NULL OR length(sha256) = 32),
  expires INTEGER NOT NULL,
  frozen_at INTEGER NOT NULL,
  completed_at INTEGER,
  PRIMARY KEY (role_id, version)
) STRICT;

CREATE TABLE signatures (
  role_id INTEGER NOT NULL,
  version INTEGER NOT NULL,
  section TEXT NOT NULL CHECK (section IN ('classical', 'post-quantum')),
  keyid TEXT NOT NULL,
  signature BLOB NOT NULL,
  signed_at INTEGER NOT NULL,
  PRIMARY KEY (role_id, version, section, keyid),
  FOREIGN KEY (role_id, version) REFERENCES versions (role_id, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE keys (
  keyid TEXT PRIMARY KEY,
  algorithm TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('image', 'director', 'escrow')),
  holder TEXT NOT NULL DEFAULT '',
  added_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`;

const FLEET = `
CREATE TABLE gateways (
  model TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (model, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE ecus (
  model TEXT NOT NULL,
  id TEXT NOT NULL,
  gateway TEXT NOT NULL,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  hardware TEXT NOT NULL,
  current_version TEXT NOT NULL,
  PRIMARY KEY (model, id),
  FOREIGN KEY (model, gateway) REFERENCES gateways (model, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX ecus_type ON ecus (model, type);
CREATE INDEX ecus_gateway ON ecus (model, gateway);

CREATE TABLE vehicles (
  id TEXT PRIMARY KEY CHECK (length(id) = 32),
  vin TEXT NOT NULL UNIQUE,
  model TEXT NOT NULL,
  added_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX vehicles_model ON vehicles (model, vin);

CREATE TABLE vehicle_keys (
  vehicle TEXT NOT NULL REFERENCES vehicles (id),
  keyid TEXT NOT NULL,
  purpose TEXT NOT NULL CHECK (purpose IN ('encryption', 'identity')),
  algorithm TEXT NOT NULL,
  public TEXT NOT NULL,
  added_at INTEGER NOT NULL,
  revoked_at INTEGER,
  reason TEXT,
  PRIMARY KEY (vehicle, keyid)
) STRICT, WITHOUT ROWID;
CREATE INDEX vehicle_keys_keyid ON vehicle_keys (keyid);
`;

const RELEASES = `
CREATE TABLE releases (
  name TEXT PRIMARY KEY,
  model TEXT NOT NULL,
  confidential INTEGER NOT NULL CHECK (confidential IN (0, 1)),
  created_at INTEGER NOT NULL,
  plan TEXT NOT NULL CHECK (json_valid(plan))
) STRICT, WITHOUT ROWID;

CREATE TABLE release_images (
  release TEXT NOT NULL REFERENCES releases (name),
  ecu TEXT NOT NULL,
  target TEXT NOT NULL,
  PRIMARY KEY (release, ecu)
) STRICT, WITHOUT ROWID;
CREATE INDEX release_images_target ON release_images (target);

CREATE TABLE bundles (
  target TEXT PRIMARY KEY,
  release TEXT NOT NULL REFERENCES releases (name),
  gateway TEXT NOT NULL,
  file_name TEXT NOT NULL,
  length INTEGER NOT NULL,
  sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
  manifest_sha256 BLOB NOT NULL CHECK (length(manifest_sha256) = 32),
  release_counter INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX bundles_release ON bundles (release);
CREATE INDEX bundles_sha256 ON bundles (sha256);

CREATE TABLE counters (scope TEXT PRIMARY KEY, last INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE sealed_payloads (
  sha256 BLOB PRIMARY KEY CHECK (length(sha256) = 32),
  target TEXT NOT NULL,
  clear_target TEXT NOT NULL,
  length INTEGER NOT NULL,
  clear_length INTEGER NOT NULL,
  header_sha256 BLOB NOT NULL CHECK (length(header_sha256) = 32),
  suite TEXT NOT NULL,
  file_name TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sealed_payloads_target ON sealed_payloads (target, created_at);
CREATE INDEX sealed_payloads_clear ON sealed_payloads (clear_target, created_at);

CREATE TABLE envelopes (
  id INTEGER PRIMARY KEY,
  payload BLOB NOT NULL REFERENCES sealed_payloads (sha256),
  keyid TEXT NOT NULL,
  vehicle TEXT REFERENCES vehicles (id),
  envelope BLOB NOT NULL,
  expires INTEGER,
  added_at INTEGER NOT NULL,
  removed_at INTEGER
) STRICT;
CREATE UNIQUE INDEX envelopes_active ON envelopes (payload, keyid) WHERE removed_at IS NULL;
CREATE INDEX envelopes_vehicle ON envelopes (vehicle, payload);
CREATE INDEX envelopes_payload ON envelopes (payload, id);
`;

const REQUESTS = `
CREATE TABLE pending_bundles (
  target TEXT PRIMARY KEY,
  release TEXT NOT NULL REFERENCES releases (name),
  gateway TEXT NOT NULL,
  parts BLOB NOT NULL,
  release_counter INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE bundle_requests (
  digest BLOB PRIMARY KEY CHECK (length(digest) = 32),
  target TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE requests (
  digest BLOB PRIMARY KEY CHECK (length(digest) = 32),
  role_id INTEGER NOT NULL,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  FOREIGN KEY (role_id, version) REFERENCES versions (role_id, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX requests_version ON requests (role_id, version);
`;

const AUDIT = `
CREATE TABLE audit (
  position INTEGER PRIMARY KEY,
  time INTEGER NOT NULL,
  actor TEXT NOT NULL,
  job TEXT NOT NULL,
  command TEXT NOT NULL,
  summary TEXT NOT NULL,
  subjects TEXT NOT NULL CHECK (json_valid(subjects)),
  hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE TABLE audit_subjects (
  subject TEXT NOT NULL,
  position INTEGER NOT NULL REFERENCES audit (position),
  PRIMARY KEY (subject, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_time ON audit (time);
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;
`;

const DIRECTOR = `
CREATE TABLE vehicle_ecus (
  vehicle TEXT NOT NULL REFERENCES vehicles (id),
  ecu TEXT NOT NULL,
  serial TEXT UNIQUE,
  hardware TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('primary', 'secondary')),
  key TEXT,
  keyid TEXT,
  PRIMARY KEY (vehicle, ecu)
) STRICT, WITHOUT ROWID;

CREATE TABLE campaigns (
  name TEXT PRIMARY KEY,
  release TEXT NOT NULL REFERENCES releases (name),
  state TEXT NOT NULL CHECK (state IN ('running', 'paused', 'withdrawn')),
  vehicles_sha256 BLOB NOT NULL CHECK (length(vehicles_sha256) = 32),
  reason TEXT,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE campaign_vehicles (
  campaign TEXT NOT NULL REFERENCES campaigns (name),
  vehicle TEXT NOT NULL REFERENCES vehicles (id),
  wave INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('pending', 'signed', 'installed', 'failed', 'withdrawn')),
  reason TEXT,
  PRIMARY KEY (campaign, vehicle)
) STRICT, WITHOUT ROWID;
CREATE INDEX campaign_vehicles_state ON campaign_vehicles (campaign, state, vehicle);
CREATE INDEX campaign_vehicles_vehicle ON campaign_vehicles (vehicle);

CREATE TABLE assignments (
  vehicle TEXT NOT NULL REFERENCES vehicles (id),
  ecu TEXT NOT NULL,
  target TEXT NOT NULL,
  campaign TEXT REFERENCES campaigns (name),
  assigned_at INTEGER NOT NULL,
  PRIMARY KEY (vehicle, ecu)
) STRICT, WITHOUT ROWID;
CREATE INDEX assignments_target ON assignments (target);

CREATE TABLE director_changes (vehicle TEXT PRIMARY KEY REFERENCES vehicles (id)) STRICT, WITHOUT ROWID;

CREATE TABLE director_files (
  vehicle TEXT NOT NULL REFERENCES vehicles (id),
  role TEXT NOT NULL CHECK (role IN ('targets', 'snapshot', 'timestamp')),
  version INTEGER NOT NULL CHECK (version > 0),
  expires INTEGER NOT NULL,
  length INTEGER NOT NULL,
  sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
  file BLOB NOT NULL,
  PRIMARY KEY (vehicle, role)
) STRICT;
CREATE INDEX director_files_expires ON director_files (role, expires, vehicle);

CREATE TABLE installed (
  vehicle TEXT NOT NULL REFERENCES vehicles (id),
  ecu TEXT NOT NULL,
  target TEXT NOT NULL,
  sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
  length INTEGER NOT NULL,
  version TEXT,
  release_counter INTEGER,
  reported_at INTEGER NOT NULL,
  PRIMARY KEY (vehicle, ecu)
) STRICT, WITHOUT ROWID;

CREATE TABLE manifests (
  sha256 BLOB PRIMARY KEY CHECK (length(sha256) = 32),
  vehicle TEXT NOT NULL REFERENCES vehicles (id),
  nonce TEXT NOT NULL,
  time INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  attack TEXT,
  UNIQUE (vehicle, nonce)
) STRICT, WITHOUT ROWID;
CREATE INDEX manifests_vehicle ON manifests (vehicle, received_at);
CREATE INDEX manifests_received ON manifests (received_at);
CREATE INDEX manifests_attack ON manifests (received_at) WHERE attack IS NOT NULL;

CREATE TABLE reports (
  vehicle TEXT NOT NULL REFERENCES vehicles (id),
  ecu TEXT NOT NULL,
  time INTEGER NOT NULL,
  counter INTEGER,
  attack TEXT,
  PRIMARY KEY (vehicle, ecu)
) STRICT, WITHOUT ROWID;

CREATE TABLE report_nonces (
  vehicle TEXT NOT NULL REFERENCES vehicles (id),
  ecu TEXT NOT NULL,
  nonce TEXT NOT NULL,
  PRIMARY KEY (vehicle, ecu, nonce)
) STRICT, WITHOUT ROWID;
`;

const DELEGATIONS = `
CREATE TABLE delegated_roles (
  name TEXT PRIMARY KEY,
  delegator INTEGER NOT NULL REFERENCES roles (id),
  item TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX delegated_roles_item ON delegated_roles (delegator, item);
ALTER TABLE roles ADD COLUMN bins TEXT REFERENCES delegated_roles (name);
CREATE INDEX roles_bins ON roles (bins, name) WHERE bins IS NOT NULL;
CREATE INDEX versions_facts ON versions (role_id, version, state, length, expires, frozen_at);
`;

/** Who has signed, without the signatures, which are long: 16,384 bins are looked through in a tenth of the time. */
const SIGNERS = 'CREATE INDEX signatures_signers ON signatures (role_id, version, section, keyid);';

/** Migration N (from 1) takes the schema from `user_version` N - 1 to N. */
export const MIGRATIONS: readonly string[] = [
  ROLES + FLEET + RELEASES + REQUESTS + AUDIT,
  DIRECTOR,
  DELEGATIONS,
  SIGNERS,
];
