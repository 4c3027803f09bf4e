/** The first keys of a role, staged for the next root; or the escrow key, which is a setting. */
import { atPath } from '../../core/at-path.ts';
import { fromUtf8, utf8 } from '../../core/bytes.ts';
import { failure, SecureevError } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import { decodePublicFile } from '../../formats/keys/public-file.ts';
import type { PublicKey } from '../../formats/keys/public-key.ts';
import { dialectOf } from '../../formats/metadata/index.ts';
import { defaultLifetimeSeconds } from '../../plan/lifetime.ts';
import { definitionValue, firstDefinition } from '../../plan/role-definition.ts';
import type { Member, PublicFile, RoleDefinition } from '../../plan/role-definition.ts';
import { claimKey } from '../../store/keys.ts';
import type { KeyKind } from '../../store/keys.ts';
import type { Tx } from '../../store/reader.ts';
import { roleAt, stageItem } from '../../store/roles.ts';
import type { RoleAddress } from '../../store/roles.ts';
import { findSetting, setting, writeSetting } from '../../store/settings.ts';
import { definitionItem, definitionsIn } from './definitions.ts';
import type { Definitions } from './definitions.ts';
import { openChosen } from './locate.ts';
import type { RepositoryChoice } from './locate.ts';
import { requireNotRevoked } from './revoked-keys.ts';
import { definedRole, roleText } from './role-address.ts';

/** The first keys of a role. */
export interface RoleSetInput {
  readonly repository: RepositoryChoice;
  /** A role, or `escrow`. */
  readonly role: string;
  /** Paths of public files. */
  readonly publicFiles: readonly string[];
  readonly threshold?: number | undefined;
  readonly lifetimeSeconds?: number | undefined;
  readonly dryRun?: boolean | undefined;
}

/** A definition as answers show it. */
export interface ShownRole {
  readonly members: readonly { holder: string; keys: readonly { algorithm: string; keyId: string }[] }[];
  readonly threshold: number;
  /** Null for the escrow key, which signs nothing. */
  readonly lifetimeSeconds: number | null;
}

/** What was staged. */
export interface RoleSetAnswer {
  readonly definition: ShownRole;
  /** What is allowed but unwise. */
  readonly warnings: readonly string[];
}

/** Largest public file read, in bytes. */
const PUBLIC_FILE_BYTES = 64 * 1024;

/** Stages the first keys of a role. @throws ROLE_KEYS_EXIST, KEY_REVOKED, KEY_SERVES_ANOTHER, THRESHOLD_*, KEY_* */
export async function setRole(input: RoleSetInput, io: Io): Promise<RoleSetAnswer> {
  const files = await Promise.all(input.publicFiles.map((path) => readPublicFile(io, path)));
  using repository = await openChosen(io, input.repository);
  const change = { command: 'role set', summary: `set the keys of ${input.role}`, dryRun: input.dryRun };
  const address = input.role === 'escrow' ? undefined : definedRole(input.role);
  return repository.transact(change, (tx) => {
    requireNotRevoked(tx, files);
    if (address === undefined) return setEscrow(tx, files, false);
    const staged = definitionsIn(tx, address.repository, 'next');
    if (staged.has(address.name)) {
      throw new SecureevError('ROLE_KEYS_EXIST', {
        message: `${input.role} has keys already`,
        hint: `change them with \`secureev role change ${input.role}\``,
      });
    }
    const lifetimeSeconds = input.lifetimeSeconds ?? defaultLifetimeSeconds(address.name, address.repository);
    const definition = firstDefinition(address.name, files, { threshold: input.threshold, lifetimeSeconds });
    return stageDefinition(tx, address, { definition, others: staged });
  });
}

/** Reads a public file. @throws FILE_NOT_FOUND, FILE_TOO_LARGE, PEM_MALFORMED, KEY_FILE_MALFORMED, KEY_MALFORMED */
export async function readPublicFile(io: Io, path: string): Promise<PublicFile> {
  const bytes = await io.files.read(path, PUBLIC_FILE_BYTES);
  // What is malformed is told now, by the name of its file.
  await atPath(path, () => decodePublicFile(bytes));
  const text = fromUtf8(bytes, path);
  const name = path.slice(path.lastIndexOf('/') + 1).replace(/\.pub$/, '');
  return { name, text };
}

/** Stages a definition in its root and claims its keys for that repository. @throws KEY_SERVES_ANOTHER */
export function stageDefinition(
  tx: Tx,
  address: RoleAddress,
  staged: { definition: RoleDefinition; others: Definitions },
): RoleSetAnswer {
  const { definition, others } = staged;
  for (const member of definition.members) claimMember(tx, member, address.repository);
  const root = roleAt(tx, { repository: address.repository, name: 'root' });
  stageItem(tx, root, { item: definitionItem(address.name), value: definitionValue(definition) });
  tx.about(`role:${roleText(address)}`);
  tx.summarize(`staged keys: ${roleText(address)} is signed by ${wordsFor(definition)}`);
  return { definition: shownRole(definition), warnings: sharedKeys(address, definition, others) };
}

/** Sets the escrow key. @throws ROLE_KEYS_EXIST unless `replace`, KEY_UNSUITABLE */
export function setEscrow(tx: Tx, files: readonly PublicFile[], replace: boolean): RoleSetAnswer {
  const [file, ...more] = files;
  if (file === undefined || more.length > 0) throw failure('USAGE', 'escrow has one key');
  if (!replace && findSetting(tx, 'escrow') !== undefined) {
    throw new SecureevError('ROLE_KEYS_EXIST', {
      message: 'there is an escrow key already',
      hint: 'replace it with `secureev role change escrow --replace OLD=NEW.pub`',
    });
  }
  const identity = decodePublicFile(utf8(file.text));
  const [key, second] = identity.keys;
  if (identity.purpose !== 'encryption' || key === undefined || second !== undefined) {
    throw new SecureevError('KEY_UNSUITABLE', {
      message: 'the escrow key is one encryption key',
      hint: 'make one with `secureev keygen escrow --purpose encryption`',
    });
  }
  claim(tx, key, { kind: 'escrow', holder: identity.holder ?? '' });
  writeSetting(tx, 'escrow', file.text);
  tx.about('role:escrow');
  const members = [{ holder: identity.holder ?? '', keys: [{ algorithm: key.algorithm, keyId: key.keyId }] }];
  return { definition: { members, threshold: 1, lifetimeSeconds: null }, warnings: [] };
}

/** A definition as answers show it. */
export function shownRole(definition: RoleDefinition): ShownRole {
  const { threshold, lifetimeSeconds } = definition;
  const members = definition.members.map(({ holder, classical, postQuantum }) => ({
    holder,
    keys: [classical, ...(postQuantum === undefined ? [] : [postQuantum])].map(({ algorithm, keyId }) => ({
      algorithm,
      keyId,
    })),
  }));
  return { members, threshold, lifetimeSeconds };
}

function wordsFor({ members, threshold }: RoleDefinition): string {
  const names = members.map(({ holder, classical }) => `${holder} (${classical.keyId.slice(0, 12)})`);
  return `${threshold} of ${names.join(', ')}`;
}

/** Claims the keys of a member for a kind of repository. @throws KEY_SERVES_ANOTHER, KEY_REHEARSAL */
export function claimMember(tx: Tx, member: Member, kind: KeyKind): void {
  dialectOf(setting(tx, 'dialect')).requireKey(member.classical);
  claim(tx, member.classical, { kind, holder: member.holder });
  if (member.postQuantum !== undefined) claim(tx, member.postQuantum, { kind, holder: member.holder });
}

function claim(tx: Tx, key: PublicKey, use: { kind: KeyKind; holder: string }): void {
  claimKey(tx, { keyId: key.keyId, algorithm: key.algorithm, ...use });
}

/** U27: no key shared between roles, but for those that a Director signs online, which may have one (U26). */
export function sharedKeys(address: RoleAddress, definition: RoleDefinition, others: Definitions): readonly string[] {
  const { name: role, repository } = address;
  const own = new Set<string>(definition.members.map((member) => member.classical.keyId));
  return [...others]
    .filter(([name, { members }]) => name !== role && members.some((member) => own.has(member.classical.keyId)))
    .filter(([name]) => repository === 'image' || role === 'root' || name === 'root')
    .map(([name]) => `${role} and ${name} share a key: whoever steals it has both roles`);
}
