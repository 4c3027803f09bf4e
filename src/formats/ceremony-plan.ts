/**
 * `ceremony.yaml`: who meets where to make which root keys, as `ceremony plan` writes it and people edit it.
 *
 * Invariants: initials are unique; thresholds can be reached; every key that comes from outside is named by its full id;
 * media are separate folders; unknown fields are refused.
 */
import { parseInstant, parseKeyId, parseName } from '../core/brands.ts';
import type { KeyId, Name } from '../core/brands.ts';
import { failure } from '../core/errors.ts';
import { DIALECTS } from './metadata/index.ts';
import type { DialectId } from './metadata/index.ts';
import { parseYaml } from './yaml.ts';
import type { YamlNode } from './yaml.ts';
import { yamlFields, yamlInteger, yamlList, yamlMisfit, yamlParsed, yamlText } from './yaml-reader.ts';

/** Someone in the room. */
export interface Person {
  readonly name: string;
  /** 1 to 8 capitals, typed to confirm a step. */
  readonly initials: string;
}

/** A person who holds a root key of each repository. */
export interface Custodian extends Person {
  /** The folder of the medium that the custodian takes away. */
  readonly medium: string;
  /** `file`, or the `pkcs11:` URI of the custodian's token. */
  readonly signer: string;
}

/** A role whose public keys are brought to the ceremony. */
export interface BroughtRole {
  /** `targets`, `snapshot`, `timestamp`, `escrow`, or one of the first three behind `director/`. */
  readonly role: BroughtRoleName;
  readonly keys: readonly { readonly file: string; readonly keyId: KeyId }[];
  readonly threshold: number;
}

/** How the secret of each root key is shared out. */
export interface BackupPlan {
  readonly shares: number;
  readonly threshold: number;
}

/** A ceremony before it begins. */
export interface CeremonyPlan {
  readonly title: string;
  /** `YYYY-MM-DD`. */
  readonly date: string;
  readonly place: string;
  /** The name of the repository that starts from this ceremony. */
  readonly repository: string;
  readonly scheme: CeremonyScheme;
  /** How the roots are written. */
  readonly dialect: DialectId;
  readonly administrator: Person;
  readonly custodians: readonly Custodian[];
  readonly witnesses: readonly Person[];
  /** How many custodians must sign a root. */
  readonly threshold: number;
  /** Days until the first roots expire, 1 to 3650. */
  readonly expiresDays: number;
  readonly backup: BackupPlan | undefined;
  /** Fewest dice rolls to mix into the entropy of each key; 0 for none. */
  readonly diceRolls: number;
  readonly roles: readonly BroughtRole[];
}

/** Roles that a ceremony takes public keys for. */
export const BROUGHT_ROLES = [
  'targets',
  'snapshot',
  'timestamp',
  'director/targets',
  'director/snapshot',
  'director/timestamp',
  'escrow',
] as const;
/** One of {@link BROUGHT_ROLES}. */
export type BroughtRoleName = (typeof BROUGHT_ROLES)[number];

/** Schemes of root keys. */
export const CEREMONY_SCHEMES = ['hybrid', 'hybrid-ed25519', 'ecdsa-p256', 'ed25519'] as const;
/** One of {@link CEREMONY_SCHEMES}. */
export type CeremonyScheme = (typeof CEREMONY_SCHEMES)[number];

const FIELDS = [
  'ceremony',
  'date',
  'place',
  'repository',
  'scheme',
  'dialect',
  'administrator',
  'custodians',
  'witnesses',
  'threshold',
  'expires_days',
  'backup',
  'dice_rolls',
  'roles',
];
const DIALECT_IDS = DIALECTS.map(({ id }) => id);
/** Root keys that aktualizr vehicles read. */
const AKTUALIZR_SCHEMES: readonly CeremonyScheme[] = ['hybrid-ed25519', 'ed25519'];
const PEOPLE_MAX = 32;
/** Four keys of each sign one COSE_Sign of at most 64 signatures. */
const CUSTODIANS_MAX = 16;
const KEYS_MAX = 32;
const EXPIRES_DAYS_MAX = 3650;
const EXPIRES_DAYS = 365;
const DICE_ROLLS_MAX = 1000;
const CODE = 'CEREMONY_PLAN_MALFORMED';

/**
 * Decodes a ceremony plan; `name` is the file's name for messages.
 *
 * @throws YAML_MALFORMED, YAML_FIELD_UNKNOWN, CEREMONY_PLAN_MALFORMED
 */
export function decodeCeremonyPlan(bytes: Uint8Array, name: string): CeremonyPlan {
  const fields = yamlFields(parseYaml(bytes, { name, code: CODE }), FIELDS);
  const optional = <T>(field: string, read: (node: YamlNode) => T, otherwise: T): T => {
    const node = fields.get(field);
    return node === undefined ? otherwise : read(node);
  };
  return checked(
    {
      title: yamlText(fields.need('ceremony')),
      date: decodeDate(fields.need('date')),
      place: yamlText(fields.need('place')),
      repository: yamlText(fields.need('repository')),
      scheme: optional('scheme', (node) => oneOf(node, CEREMONY_SCHEMES), 'hybrid'),
      dialect: optional('dialect', (node) => oneOf(node, DIALECT_IDS), 'tuf'),
      administrator: decodePerson(fields.need('administrator')),
      custodians: yamlList(fields.need('custodians'), { min: 1, max: CUSTODIANS_MAX }).map(decodeCustodian),
      witnesses: optional('witnesses', (node) => yamlList(node, { min: 0, max: PEOPLE_MAX }).map(decodePerson), []),
      threshold: yamlInteger(fields.need('threshold')),
      expiresDays: optional('expires_days', yamlInteger, EXPIRES_DAYS),
      backup: optional<BackupPlan | undefined>('backup', decodeBackup, undefined),
      diceRolls: optional('dice_rolls', yamlInteger, 0),
      roles: yamlList(fields.need('roles'), { min: 0, max: BROUGHT_ROLES.length }).map(decodeRole),
    },
    name,
  );
}

function decodeDate(node: YamlNode): string {
  return yamlParsed(node, (text) => {
    parseInstant(`${text}T00:00:00Z`, 'date');
    return text;
  });
}

function decodePerson(node: YamlNode): Person {
  const fields = yamlFields(node, ['name', 'initials']);
  return { name: yamlText(fields.need('name')), initials: decodeInitials(fields.need('initials')) };
}

function decodeInitials(node: YamlNode): string {
  const text = yamlText(node);
  if (!/^[A-Z]{1,8}$/.test(text)) throw yamlMisfit(node, '1 to 8 capital letters');
  return text;
}

function decodeCustodian(node: YamlNode): Custodian {
  const fields = yamlFields(node, ['name', 'initials', 'medium', 'signer']);
  const signer = fields.get('signer');
  return {
    name: yamlText(fields.need('name')),
    initials: decodeInitials(fields.need('initials')),
    medium: yamlText(fields.need('medium')),
    signer: signer === undefined ? 'file' : decodeSigner(signer),
  };
}

function decodeSigner(node: YamlNode): string {
  const text = yamlText(node);
  if (text !== 'file' && !text.startsWith('pkcs11:')) throw yamlMisfit(node, '`file` or a pkcs11: URI');
  return text;
}

function decodeBackup(node: YamlNode): BackupPlan {
  const fields = yamlFields(node, ['shares', 'threshold']);
  const [shares, threshold] = [yamlInteger(fields.need('shares')), yamlInteger(fields.need('threshold'))];
  if (threshold < 2 || shares < threshold || shares > 255) {
    throw yamlMisfit(node, 'a backup of 2 to 255 shares with a threshold from 2 to their number');
  }
  return { shares, threshold };
}

function decodeRole(node: YamlNode): BroughtRole {
  const fields = yamlFields(node, ['role', 'keys', 'threshold']);
  const keys = yamlList(fields.need('keys'), { min: 1, max: KEYS_MAX }).map((key) => {
    const parts = yamlFields(key, ['file', 'id']);
    return { file: yamlText(parts.need('file')), keyId: yamlParsed(parts.need('id'), parseFullKeyId) };
  });
  const threshold = fields.get('threshold');
  if (threshold === undefined && keys.length > 1) throw yamlMisfit(node, 'complete: several keys demand a threshold');
  return {
    role: oneOf(fields.need('role'), BROUGHT_ROLES),
    keys,
    threshold: threshold === undefined ? 1 : yamlInteger(threshold),
  };
}

function parseFullKeyId(text: string): KeyId {
  const plain = text.replaceAll(/[ :]/g, '').toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(plain)) throw failure(CODE, 'a key id has 64 hex digits');
  return parseKeyId(plain);
}

function oneOf<T extends string>(node: YamlNode, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === node.value);
  if (found === undefined) throw yamlMisfit(node, `one of ${choices.join(', ')}`);
  return found;
}

function checked(plan: CeremonyPlan, file: string): CeremonyPlan {
  const refuse = (message: string): never => {
    throw failure(CODE, `${file}: ${message}`);
  };
  const people = [plan.administrator, ...plan.custodians, ...plan.witnesses];
  requireDistinct(
    people.map((person) => person.initials),
    (initials) => refuse(`two people have the initials ${initials}`),
  );
  requireDistinct(
    plan.custodians.map((custodian) => custodian.medium),
    (medium) => refuse(`two custodians have the medium ${medium}`),
  );
  requireDistinct(
    plan.custodians.map((custodian) => custodian.signer).filter((signer) => signer !== 'file'),
    (signer) => refuse(`two custodians have the token ${signer}: whoever holds it would count twice`),
  );
  requireDistinct(
    plan.roles.map((role) => role.role),
    (role) => refuse(`the role ${role} is there twice`),
  );
  if (plan.dialect === 'aktualizr' && !AKTUALIZR_SCHEMES.includes(plan.scheme)) {
    refuse(`roots of dialect aktualizr take keys of ${AKTUALIZR_SCHEMES.join(' or ')}, not ${plan.scheme}`);
  }
  if (plan.threshold > plan.custodians.length) refuse(`a threshold of ${plan.threshold} needs more custodians`);
  for (const role of plan.roles) {
    if (role.threshold > role.keys.length)
      refuse(`role ${role.role}: a threshold of ${role.threshold} needs more keys`);
  }
  if (plan.expiresDays > EXPIRES_DAYS_MAX) refuse(`expires_days is over ${EXPIRES_DAYS_MAX}`);
  if (plan.diceRolls > DICE_ROLLS_MAX) refuse(`dice_rolls is over ${DICE_ROLLS_MAX}`);
  return plan;
}

function requireDistinct(values: readonly string[], refuse: (value: string) => void): void {
  const seen = new Set<string>();
  for (const value of values) {
    if (seen.has(value)) refuse(value);
    seen.add(value);
  }
}

/** The name of a custodian's key of one repository, e.g. `AL-image-root`. */
export function ceremonyKeyName(initials: string, kind: 'image' | 'director'): Name {
  return parseName(`${initials}-${kind}-root`);
}
