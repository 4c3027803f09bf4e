/** Single firmware images in the Image repository, without a release. */
import type { Name, TargetName, Version } from '../../core/brands.ts';
import { equalBytes, toHex } from '../../core/bytes.ts';
import { SecureevError } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import { assignedTo } from '../../store/assignments.ts';
import type { AssignedTo } from '../../store/assignments.ts';
import { hasObject, OBJECT_MODE, objectPath } from '../../store/objects.ts';
import type { Repository } from '../../store/repository.ts';
import { targetsRoles } from '../../store/delegations.ts';
import { findCompleteTarget, findTarget, nextTargets, stageTarget, stageTargetRemoval } from '../../store/targets.ts';
import type { Target } from '../../store/targets.ts';
import { copyVerified, hashFile } from './copy-verified.ts';
import { openChosen } from './locate.ts';
import type { RepositoryChoice } from './locate.ts';
import { isReached } from './lost-targets.ts';

/** An image to add. */
export interface TargetAddInput {
  readonly repository: RepositoryChoice;
  readonly file: string;
  readonly name: TargetName;
  readonly hardwareIds: readonly Name[];
  readonly releaseCounter: Version;
  readonly version: Name;
  /** Whether its clear bytes may be published; otherwise only a sealed payload of it is. */
  readonly clear: boolean;
  /** It may take the place of other content that is signed under its name. */
  readonly replace?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
}

/** Stages an image as a target, and keeps its bytes where they may be published. @throws COUNTER_TAKEN, TARGET_NAME_TAKEN */
export async function addTarget(input: TargetAddInput, io: Io): Promise<Target & { role: string }> {
  using repository = await openChosen(io, input.repository);
  const { sizeBytes, sha256 } = await hashFile(io, input.file);
  if (input.clear && input.dryRun !== true) {
    await keepBytes(repository, { from: input.file, sizeBytes, sha256 });
  }
  const { hardwareIds, releaseCounter, version, name } = input;
  const custom = { hardwareIds, releaseCounter, version };
  const target = { name, length: sizeBytes, sha256, custom, confidential: !input.clear, insideBundle: false };
  return repository.transact(
    { command: 'target add', summary: `staged target ${name} ${version}`, dryRun: input.dryRun },
    (tx) => {
      if (input.replace !== true) refuseOtherContent(findCompleteTarget(tx, name), sha256);
      refuseLowerCounter(findTarget(tx, name), releaseCounter);
      const roles = stageTarget(tx, target);
      tx.about(`target:${name}`, ...roles.map((role) => `role:${role}`));
      return { ...target, role: roles.join(', ') };
    },
  );
}

/** Stages the removal of a target; says to which vehicles it is assigned. @throws TARGET_UNKNOWN */
export async function removeTarget(
  input: { repository: RepositoryChoice; name: TargetName; dryRun?: boolean | undefined },
  io: Io,
): Promise<AssignedTo> {
  using repository = await openChosen(io, input.repository);
  const change = { command: 'target remove', summary: `staged the removal of ${input.name}`, dryRun: input.dryRun };
  return repository.transact(change, (tx) => {
    const roles = stageTargetRemoval(tx, input.name);
    tx.about(`target:${input.name}`, ...roles.map((role) => `role:${role}`));
    return assignedTo(tx, input.name);
  });
}

/** A target, the role that lists it, and whether clients are led to that role. */
export interface TargetOfRole extends Target {
  readonly role: string;
  readonly findable: boolean;
}

/** The targets whose names begin with `prefix` as the next version will list them, at most `limit`. */
export async function listTargets(
  input: { repository: RepositoryChoice; prefix: string; limit: number },
  io: Io,
): Promise<{ targets: readonly TargetOfRole[]; more: boolean }> {
  using repository = await openChosen(io, input.repository, { readOnly: true });
  const targets: TargetOfRole[] = [];
  for (const role of targetsRoles(repository)) {
    let findable: boolean | undefined;
    for (const target of nextTargets(repository, role, input.prefix)) {
      if (targets.length === input.limit) return { targets, more: true };
      findable ??= isReached(repository, role.name);
      targets.push({ ...target, role: role.name, findable });
    }
  }
  return { targets: targets.sort((a, b) => (a.name < b.name ? -1 : 1)), more: false };
}

/** Copied, not linked: the user's file may be written to again. */
async function keepBytes(
  repository: Repository,
  file: { from: string; sizeBytes: number; sha256: Uint8Array },
): Promise<void> {
  if (await hasObject(repository, file.sha256)) return;
  await copyVerified(repository.io, { ...file, to: objectPath(repository, file.sha256), mode: OBJECT_MODE });
}

/** What was signed under a name is in bundles and in vehicles: other bytes would make all of those wrong. */
function refuseOtherContent(signed: Target | undefined, sha256: Uint8Array): void {
  if (signed === undefined || equalBytes(signed.sha256, sha256)) return;
  throw new SecureevError('TARGET_NAME_TAKEN', {
    message: `${signed.name} is signed with other content`,
    hint: 'give the new content a new name, for instance with its version in it, or say that it is meant: --replace',
    details: { target: signed.name, before: toHex(signed.sha256), now: toHex(sha256) },
  });
}

function refuseLowerCounter(known: Target | undefined, counter: number): void {
  const last = Number(known?.custom['releaseCounter'] ?? 0);
  if (counter >= last) return;
  throw new SecureevError('COUNTER_TAKEN', {
    message: `release counter ${counter} is below ${last}, the one of ${known?.name ?? ''} now: vehicles would refuse it`,
    details: { last, found: counter },
  });
}
