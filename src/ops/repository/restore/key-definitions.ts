/**
 * Keys and thresholds of roles as this program stores them, from what metadata says of them.
 *
 * Metadata lists the two keys of a hybrid signer apart. Where a public file in the backup holds both, it says who holds
 * them; else they are paired in the order in which they are listed, which is how they were written.
 */
import { utf8 } from '../../../core/bytes.ts';
import { failure } from '../../../core/errors.ts';
import { decodePublicFile, encodePublicFile } from '../../../formats/keys/public-file.ts';
import type { PublicKey } from '../../../formats/keys/public-key.ts';
import type { KeyThreshold } from '../../../trust/role-policy.ts';
import { memberOf } from '../../../plan/role-definition.ts';
import type { Member, PublicFile, RoleDefinition } from '../../../plan/role-definition.ts';
import type { Reader } from '../../../store/reader.ts';
import { definitionValues } from '../../../store/restored.ts';

/** The public files of a backup, by the id of their classical key. */
export type KnownFiles = ReadonlyMap<string, readonly PublicFile[]>;

/** Every public file that the repository holds. */
export function knownPublicFiles(reader: Reader): KnownFiles {
  const known = new Map<string, PublicFile[]>();
  for (const file of definitionValues(reader).flatMap(publicFilesIn)) {
    const [classical] = decodePublicFile(utf8(file.text)).keys;
    if (classical === undefined) continue;
    known.set(classical.keyId, [...(known.get(classical.keyId) ?? []), file]);
  }
  return known;
}

function publicFilesIn(value: unknown): readonly PublicFile[] {
  if (typeof value !== 'object' || value === null) return [];
  if ('name' in value && 'text' in value && typeof value.name === 'string' && typeof value.text === 'string') {
    return [{ name: value.name, text: value.text }];
  }
  return Object.values(value).flatMap(publicFilesIn);
}

/** What metadata says of a role, and what is known beside. */
export interface ListedDefinition {
  readonly classical: KeyThreshold;
  readonly postQuantum: KeyThreshold | undefined;
  readonly lifetimeSeconds: number;
  readonly known: KnownFiles;
}

/** The definition of a role. @throws RESTORE_OTHER where this program never lists keys like that */
export function definitionFrom(listed: ListedDefinition): RoleDefinition {
  const { classical, postQuantum, lifetimeSeconds } = listed;
  const free = new Map([...(postQuantum?.keys.values() ?? [])].map((key) => [key.keyId, key] as const));
  const keys = [...classical.keys.values()];
  const paired = new Map(keys.map((key) => [key.keyId, knownMember(listed, key, free)] as const));
  for (const member of paired.values()) if (member?.postQuantum !== undefined) free.delete(member.postQuantum.keyId);
  const rest = free.values();
  const members = keys.map((key) => paired.get(key.keyId) ?? newMember(key, rest.next().value));
  const alike = postQuantum === undefined || postQuantum.threshold === classical.threshold;
  const whole = postQuantum === undefined || members.every((member) => member.postQuantum !== undefined);
  if (members.length === 0 || !alike || !whole || rest.next().done !== true) {
    throw failure('RESTORE_OTHER', 'the published metadata lists keys of a role as this program never does');
  }
  return { members, threshold: classical.threshold, lifetimeSeconds };
}

function knownMember(
  { known, postQuantum }: ListedDefinition,
  key: PublicKey,
  free: ReadonlyMap<string, PublicKey>,
): Member | undefined {
  const members = (known.get(key.keyId) ?? []).map(memberOf);
  return members.find(({ postQuantum: second }) =>
    postQuantum === undefined ? second === undefined : second !== undefined && free.has(second.keyId),
  );
}

function newMember(classical: PublicKey, second: PublicKey | undefined): Member {
  const keys = second === undefined ? [classical] : [classical, second];
  const text = encodePublicFile({ keys, purpose: 'signing' });
  return memberOf({ name: `restored-${classical.keyId.slice(0, 8)}`, text });
}
