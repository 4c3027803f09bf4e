/**
 * A role's keys, threshold and lifetime as the root lists them, and how `role set` and `role change` arrive at them.
 *
 * Invariants: 1 <= threshold <= keys; no raw key twice; every member has one classical signing key, and at most one
 * post-quantum key beside it.
 */
import { failure, SecureevError } from '../core/errors.ts';
import { utf8 } from '../core/bytes.ts';
import { decodePublicFile } from '../formats/keys/public-file.ts';
import type { PublicIdentity } from '../formats/keys/public-file.ts';
import type { PublicKey } from '../formats/keys/public-key.ts';
import { familyOf } from '../trust/role-policy.ts';
import { defaultLifetimeSeconds } from './lifetime.ts';

/** A `.pub` file as it was given. */
export interface PublicFile {
  /** Its name without folders and `.pub`, e.g. `root-a`. */
  readonly name: string;
  readonly text: string;
}

/** Whoever may sign for a role: a holder's classical key, and the post-quantum one beside it. */
export interface Member {
  /** The public file, as it was given. */
  readonly publicFile: PublicFile;
  /** Who holds it, by the public file; where that names nobody, the file's name. */
  readonly holder: string;
  readonly classical: PublicKey;
  readonly postQuantum: PublicKey | undefined;
}

/** Who may sign for a role, how many must, and how long a version lives. */
export interface RoleDefinition {
  readonly members: readonly Member[];
  readonly threshold: number;
  readonly lifetimeSeconds: number;
}

/** What `role set` or `role change` asks for beside the keys. */
export interface RoleTerms {
  readonly threshold?: number | undefined;
  readonly lifetimeSeconds?: number | undefined;
}

/** A change of a role's keys; `remove` and the left side of `replace` are key ids or beginnings of them. */
export interface RoleChange extends RoleTerms {
  readonly add: readonly PublicFile[];
  readonly remove: readonly string[];
  readonly replace: readonly { readonly old: string; readonly publicFile: PublicFile }[];
}

const KEY_ID_PREFIX = 8;

/** Reads a public file as a member of a role. @throws KEY_UNSUITABLE, and what {@link decodePublicFile} throws */
export function memberOf(publicFile: PublicFile): Member {
  const identity = decodePublicFile(utf8(publicFile.text));
  const [classical, postQuantum, ...more] = identity.keys;
  if (identity.purpose !== 'signing' || classical === undefined || more.length > 0) throw unsuitable(identity);
  if (familyOf(classical) !== 'classical') throw unsuitable(identity);
  if (postQuantum !== undefined && familyOf(postQuantum) !== 'post-quantum') throw unsuitable(identity);
  return { publicFile, holder: identity.holder ?? publicFile.name, classical, postQuantum };
}

/** The first keys of a role. @throws THRESHOLD_MISSING, THRESHOLD_UNREACHABLE, KEY_DUPLICATE, KEY_UNSUITABLE */
export function firstDefinition(role: string, publicFiles: readonly PublicFile[], terms: RoleTerms): RoleDefinition {
  if (terms.threshold === undefined && publicFiles.length > 1) {
    throw new SecureevError('THRESHOLD_MISSING', {
      message: `${role} gets ${publicFiles.length} keys, so --threshold must say how many of them must sign`,
    });
  }
  return checked(role, {
    members: publicFiles.map(memberOf),
    threshold: terms.threshold ?? 1,
    lifetimeSeconds: terms.lifetimeSeconds ?? defaultLifetimeSeconds(role),
  });
}

/** A role after a change. @throws KEY_NOT_IN_ROLE, THRESHOLD_UNREACHABLE, KEY_DUPLICATE, KEY_UNSUITABLE */
export function changedDefinition(role: string, before: RoleDefinition, change: RoleChange): RoleDefinition {
  let members = before.members;
  for (const { old, publicFile } of change.replace) {
    const replaced = memberById(role, members, old);
    members = members.map((member) => (member === replaced ? memberOf(publicFile) : member));
  }
  for (const id of change.remove) {
    const removed = memberById(role, members, id);
    members = members.filter((member) => member !== removed);
  }
  return checked(role, {
    members: [...members, ...change.add.map(memberOf)],
    threshold: change.threshold ?? before.threshold,
    lifetimeSeconds: change.lifetimeSeconds ?? before.lifetimeSeconds,
  });
}

/**
 * Refuses what would strand clients of the root in force, which lists `inForce` for the role.
 * @throws HYBRID_DROPPED, LIFETIME_SHORTENED unless `shorterExpiry`
 */
export function requireFollowable(
  role: string,
  { inForce, after }: { inForce: RoleDefinition; after: RoleDefinition },
  allowed: { readonly shorterExpiry: boolean },
): void {
  const classical = after.members.find((member) => member.postQuantum === undefined);
  if (classical !== undefined && inForce.members.some((member) => member.postQuantum !== undefined)) {
    throw new SecureevError('HYBRID_DROPPED', {
      message: `key ${classical.classical.keyId} for ${role} has no post-quantum key beside it, which clients of the root in force demand`,
      hint: 'make a hybrid one with `secureev keygen NAME` (in dialect aktualizr with --scheme hybrid-ed25519)',
    });
  }
  if (after.lifetimeSeconds < inForce.lifetimeSeconds && !allowed.shorterExpiry) {
    throw new SecureevError('LIFETIME_SHORTENED', {
      message: `versions of ${role} would expire earlier than those that they replace`,
      hint: 'say so with --shorter-expiry; clients that are offline for longer will refuse updates until they are online',
      details: { before: inForce.lifetimeSeconds, after: after.lifetimeSeconds },
    });
  }
}

/** The value of a role's item in the store. */
export function definitionValue(definition: RoleDefinition): Readonly<Record<string, unknown>> {
  const { members, threshold, lifetimeSeconds } = definition;
  return { keys: members.map((member) => member.publicFile), threshold, lifetimeSeconds };
}

/** A role's item read back. */
export function definitionOf(value: Readonly<Record<string, unknown>>): RoleDefinition {
  const files: readonly PublicFile[] = Array.isArray(value['keys']) ? value['keys'] : [];
  return {
    members: files.map(memberOf),
    threshold: Number(value['threshold']),
    lifetimeSeconds: Number(value['lifetimeSeconds']),
  };
}

/** The key ids of a member, classical first. */
export function keyIdsOf(member: Member): readonly string[] {
  const { classical, postQuantum } = member;
  return postQuantum === undefined ? [classical.keyId] : [classical.keyId, postQuantum.keyId];
}

function checked(role: string, definition: RoleDefinition): RoleDefinition {
  const { members, threshold } = definition;
  const ids = members.flatMap(keyIdsOf);
  const twice = ids.find((id, i) => ids.indexOf(id) !== i);
  if (twice !== undefined) throw failure('KEY_DUPLICATE', `${role} would list key ${twice} twice`, { keyId: twice });
  if (threshold < 1 || threshold > members.length) {
    throw failure(
      'THRESHOLD_UNREACHABLE',
      `${role} would have ${members.length} keys and a threshold of ${threshold}`,
      {
        keys: members.length,
        threshold,
      },
    );
  }
  return definition;
}

function memberById(role: string, members: readonly Member[], id: string): Member {
  const found = members.filter((member) =>
    keyIdsOf(member).some((keyId) => keyId === id || (id.length >= KEY_ID_PREFIX && keyId.startsWith(id))),
  );
  const [member] = found;
  if (member !== undefined && found.length === 1) return member;
  throw new SecureevError('KEY_NOT_IN_ROLE', {
    message: found.length === 0 ? `${role} has no key ${id}` : `${id} begins the ids of several keys of ${role}`,
    hint: '`secureev role list` shows the key ids; 8 digits are enough where they are unambiguous',
  });
}

function unsuitable(identity: PublicIdentity): SecureevError {
  const found = `${identity.purpose}: ${identity.keys.map((key) => key.algorithm).join(' + ')}`;
  return new SecureevError('KEY_UNSUITABLE', {
    message: `a role takes a classical signing key, alone or with a post-quantum one beside it; found ${found}`,
    hint: 'make one with `secureev keygen NAME` (in dialect aktualizr with --scheme hybrid-ed25519)',
    details: { found },
  });
}
