/** Role definitions as metadata lists them: keys by id, and per role its key ids and threshold. */
import { parseKeyId, parseVersion } from '../core/brands.ts';
import type { KeyId, Version } from '../core/brands.ts';
import type { PublicKey } from '../formats/keys/public-key.ts';
import type { KeyRing, MetadataKey } from '../formats/metadata/types.ts';
import type { Member, RoleDefinition } from './role-definition.ts';

/** A role, or the prefix of bins, and its definition. */
export type NamedDefinition = readonly [string, RoleDefinition];

/** The ring of roles for one of the two keys that members have. */
export function ringOf(roles: readonly NamedDefinition[], keyOf: (member: Member) => PublicKey | undefined): KeyRing {
  const keys = new Map<KeyId, MetadataKey>();
  const ring = new Map<string, { keyIds: readonly KeyId[]; threshold: Version }>();
  for (const [name, { members, threshold }] of roles) {
    const publicKeys = members.map(keyOf).filter((key) => key !== undefined);
    for (const publicKey of publicKeys) keys.set(publicKey.keyId, { keyId: publicKey.keyId, publicKey });
    ring.set(name, { keyIds: publicKeys.map((key) => parseKeyId(key.keyId)), threshold: parseVersion(threshold) });
  }
  return { keys, roles: ring };
}
