/** Every later change of a role's keys, staged for the next root. */
import { failure, SecureevError } from '../../core/errors.ts';
import { utf8 } from '../../core/bytes.ts';
import type { Io } from '../../core/ports.ts';
import { decodePublicFile } from '../../formats/keys/public-file.ts';
import { changedDefinition, requireFollowable } from '../../plan/role-definition.ts';
import type { RoleChange } from '../../plan/role-definition.ts';
import type { Tx } from '../../store/reader.ts';
import { findSetting } from '../../store/settings.ts';
import { definitionsIn } from './definitions.ts';
import { lostBundlesNote } from './lost-bundles.ts';
import { openChosen } from './locate.ts';
import type { RepositoryChoice } from './locate.ts';
import { membersGone, requireNotRevoked, restoredNotes, restoredSummary } from './revoked-keys.ts';
import { definedRole } from './role-address.ts';
import { comingRoot } from './root-quorum.ts';
import type { ComingRoot } from './root-quorum.ts';
import { readPublicFile, setEscrow, shownRole, stageDefinition } from './role-set.ts';
import type { ShownRole } from './role-set.ts';

/** A change of a role's keys. */
export interface RoleChangeInput {
  readonly repository: RepositoryChoice;
  readonly role: string;
  /** Paths of public files. */
  readonly add: readonly string[];
  /** Key ids, or their first digits. */
  readonly remove: readonly string[];
  readonly replace: readonly { readonly old: string; readonly file: string }[];
  readonly threshold?: number | undefined;
  readonly lifetimeSeconds?: number | undefined;
  /** Versions may expire earlier than those they replace. */
  readonly shorterExpiry?: boolean | undefined;
  /** Keys may come back that were revoked; they are so no more. */
  readonly allowRevoked?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
}

/** The role before and after. */
export interface RoleChangeAnswer {
  readonly before: ShownRole;
  readonly after: ShownRole;
  readonly warnings: readonly string[];
  /** What the loss of a key means. */
  readonly notes: readonly string[];
  /** The root that makes the change true, and who must sign it; null for the escrow key. */
  readonly root: ComingRoot | null;
}

/** Stages the change. @throws ROLE_KEYS_MISSING, KEY_NOT_IN_ROLE, KEY_DUPLICATE, KEY_REVOKED, THRESHOLD_UNREACHABLE, HYBRID_DROPPED, LIFETIME_SHORTENED */
export async function changeRole(input: RoleChangeInput, io: Io): Promise<RoleChangeAnswer> {
  const add = await Promise.all(input.add.map((path) => readPublicFile(io, path)));
  const replace = await Promise.all(
    input.replace.map(async ({ old, file }) => ({ old, publicFile: await readPublicFile(io, file) })),
  );
  if (add.length + replace.length + input.remove.length === 0 && input.threshold === undefined) {
    if (input.lifetimeSeconds === undefined) throw failure('USAGE', 'nothing to change was given');
  }
  using repository = await openChosen(io, input.repository);
  const change = { command: 'role change', summary: `changed the keys of ${input.role}`, dryRun: input.dryRun };
  const { remove, threshold, lifetimeSeconds } = input;
  const address = input.role === 'escrow' ? undefined : definedRole(input.role);
  const files = [...add, ...replace.map(({ publicFile }) => publicFile)];
  return repository.transact(change, (tx) => {
    const restored = requireNotRevoked(tx, files, input.allowRevoked);
    if (address === undefined) return replaceEscrow(tx, replace);
    const others = definitionsIn(tx, address.repository, 'next');
    const before = others.get(address.name);
    if (before === undefined) throw noKeys(input.role);
    const asked = { add, remove, replace, threshold, lifetimeSeconds };
    const definition = changedDefinition(address.name, before, asked);
    const inForce = definitionsIn(tx, address.repository, 'complete').get(address.name);
    if (inForce !== undefined) {
      // An earlier change of this plan may have been allowed to shorten it.
      const shorterExpiry = input.shorterExpiry === true || lifetimeSeconds === undefined;
      requireFollowable(input.role, { inForce, after: definition }, { shorterExpiry });
    }
    const { warnings } = stageDefinition(tx, address, { definition, others });
    if (restored.length > 0) tx.summarize(restoredSummary(input.role, restored));
    const loses = address.repository === 'image' && membersGone(before, definition).length > 0;
    const notes = [...lostBundlesNote(tx, new Set(loses ? [address.name] : [])), ...restoredNotes(restored)];
    const root = comingRoot(tx, address.repository);
    return { before: shownRole(before), after: shownRole(definition), warnings, notes, root };
  });
}

function replaceEscrow(tx: Tx, replace: RoleChange['replace']): RoleChangeAnswer {
  const before = findSetting(tx, 'escrow');
  const [first, ...more] = replace;
  if (before === undefined) throw noKeys('escrow');
  if (first === undefined || more.length > 0) throw failure('USAGE', 'escrow takes one --replace OLD=NEW.pub');
  const { keys, holder } = decodePublicFile(utf8(before));
  if (!keys.some((key) => first.old.length >= 8 && key.keyId.startsWith(first.old))) {
    throw failure('KEY_NOT_IN_ROLE', `${first.old} is not the escrow key`);
  }
  const members = [{ holder: holder ?? '', keys: keys.map(({ algorithm, keyId }) => ({ algorithm, keyId })) }];
  const { definition, warnings } = setEscrow(tx, [first.publicFile], true);
  return {
    before: { members, threshold: 1, lifetimeSeconds: null },
    after: definition,
    warnings,
    notes: [],
    root: null,
  };
}

function noKeys(role: string): SecureevError {
  return new SecureevError('ROLE_KEYS_MISSING', {
    message: `${role} has no keys yet`,
    hint: `give it its first ones with \`secureev role set ${role} --key ...\``,
  });
}
