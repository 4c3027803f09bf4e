/** Public keys that others bring: taken in by fingerprint, kept in the ceremony's folder. */
import { toHex, utf8 } from '../../../core/bytes.ts';
import { SecureevError, failure } from '../../../core/errors.ts';
import type { Files, Io } from '../../../core/ports.ts';
import { sha256 } from '../../../crypto/hash.ts';
import type { BroughtRole, CeremonyPlan } from '../../../formats/ceremony-plan.ts';
import { jsonMap } from '../../../formats/json/json.ts';
import { decodePublicFile } from '../../../formats/keys/public-file.ts';
import type { PublicIdentity } from '../../../formats/keys/public-file.ts';
import type { RoleStep } from '../../../plan/ceremony/steps.ts';
import { askInitials, idsMade, officers } from './ceremony.ts';
import type { Ceremony, StepAnswer } from './ceremony.ts';
import { typeBack } from './confirm.ts';
import { ceremonyPaths, readText, writeAndReadBack } from './folder.ts';

/** Takes in the keys of a role. @throws CEREMONY_KEY_OTHER, KEY_UNSUITABLE, KEY_DUPLICATE, CEREMONY_ANSWER_WRONG */
export async function bringRole(ceremony: Ceremony, { role }: RoleStep): Promise<StepAnswer> {
  const { io, asker, plan, folder, transcript } = ceremony;
  const taken: { keyId: string; text: string; identity: PublicIdentity }[] = [];
  for (const { file, keyId } of role.keys) {
    const text = await readText(io.files, file);
    const identity = decodePublicFile(utf8(text));
    requireKey({ role, file, keyId, identity });
    taken.push({ keyId, text, identity });
  }
  const mine = taken.flatMap(({ identity }) => identity.keys.map(({ keyId }) => keyId));
  refuseTwice(mine, new Set([...idsMade(transcript.entries), ...(await idsOfOthers(ceremony, role))]));
  for (const { identity } of taken) for (const key of identity.keys) await typeBack(asker, key);
  for (const [i, { text }] of taken.entries()) {
    await writeAndReadBack(io, ceremonyPaths(folder).brought(role.role, i + 1), utf8(text));
  }
  const keys = taken.map((one) => keyFacts(io, one));
  return { initials: await askInitials(asker, officers(plan)), facts: { keys, threshold: role.threshold } };
}

function keyFacts({ engine }: Io, { text, identity }: { text: string; identity: PublicIdentity }) {
  const ids = identity.keys.map(({ keyId }) => keyId);
  return jsonMap({ ids, publicSha256: toHex(sha256(engine, utf8(text))), holder: identity.holder ?? '' });
}

function requireKey(found: { role: BroughtRole; file: string; keyId: string; identity: PublicIdentity }): void {
  const { role, file, keyId, identity } = found;
  if (!identity.keys.some((key) => key.keyId === keyId)) {
    const ids = identity.keys.map((key) => key.keyId).join(', ');
    throw new SecureevError('CEREMONY_KEY_OTHER', {
      message: `${file} is not the key that the plan names for ${role.role}: expected ${keyId}, found ${ids}`,
      hint: 'ask its holder for the fingerprint, by another way than the one the file came',
    });
  }
  const purpose = role.role === 'escrow' ? 'encryption' : 'signing';
  if (identity.purpose !== purpose || (role.role === 'escrow' && role.keys.length > 1)) {
    throw failure('KEY_UNSUITABLE', `${file} does not fit ${role.role}, which takes ${purpose} keys`);
  }
}

/** The keys that may not serve this role too: everyone's, but that a Director's online roles may share one. */
async function idsOfOthers({ io, plan, folder, transcript }: Ceremony, role: BroughtRole): Promise<readonly string[]> {
  const done = new Set(transcript.entries.filter(({ outcome }) => outcome === 'done').map(({ step }) => step));
  const director = (name: string): boolean => name.startsWith('director/');
  const others = plan.roles.filter(
    ({ role: name }) => done.has(`role:${name}`) && !(director(name) && director(role.role)),
  );
  const lists = await Promise.all(others.map((other) => broughtKeys(io.files, folder, other)));
  return lists.flat().flatMap(({ identity }) => identity.keys.map(({ keyId }) => keyId));
}

function refuseTwice(ids: readonly string[], others: ReadonlySet<string>): void {
  const twice = ids.find((id, i) => others.has(id) || ids.indexOf(id) !== i);
  if (twice === undefined) return;
  throw failure('KEY_DUPLICATE', `key ${twice} is there twice, or serves another role of this ceremony`, {
    keyId: twice,
  });
}

/** A public file that was taken in. */
export interface BroughtKey {
  readonly text: string;
  readonly identity: PublicIdentity;
}

/** The public files of a role, from the ceremony's folder. @throws FILE_NOT_FOUND, KEY_MALFORMED */
export async function broughtKeys(files: Files, folder: string, role: BroughtRole): Promise<readonly BroughtKey[]> {
  const keys: BroughtKey[] = [];
  for (let number = 1; number <= role.keys.length; number++) {
    const text = await readText(files, ceremonyPaths(folder).brought(role.role, number));
    keys.push({ text, identity: decodePublicFile(utf8(text)) });
  }
  return keys;
}

/** The role of that name, if the plan brings it. */
export function roleOf(plan: CeremonyPlan, name: string): BroughtRole | undefined {
  return plan.roles.find(({ role }) => role === name);
}
