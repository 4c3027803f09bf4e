/** Writes a signing request: freezes the next version of a role and puts all that an offline signer needs into one file. */
import { requireFreePath } from '../../core/free-path.ts';
import { parseRoleName } from '../../core/brands.ts';
import { toHex } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import { sha256 } from '../../crypto/hash.ts';
import { encodeRequest } from '../../formats/requests/request.ts';
import { delegatorOf, isBinsPrefix } from '../../store/delegations.ts';
import { addRequest } from '../../store/requests.ts';
import type { Reader, Tx } from '../../store/reader.ts';
import type { Identity } from '../../store/repository.ts';
import { findRole, roleAt } from '../../store/roles.ts';
import type { RepositoryKind, RoleAddress, StoredRole } from '../../store/roles.ts';
import { completeAt, completeVersions, frozenVersion, lastComplete } from '../../store/versions.ts';
import { advanceRole } from './advance-role.ts';
import { isTopLevel } from './definitions.ts';
import { refuseIfHeld } from './hold.ts';
import { openChosen } from './locate.ts';
import type { RepositoryChoice } from './locate.ts';
import { roleText, signedRole } from './role-address.ts';
import { situationOf } from './situation.ts';

/** What to ask for. */
export interface RequestCreateInput {
  readonly repository: RepositoryChoice;
  readonly role: string;
  readonly out: string;
  readonly dryRun?: boolean | undefined;
}

/** What was written. */
export interface CreatedRequest {
  readonly role: string;
  readonly version: number;
  /** SHA-256 of the request file, hex. */
  readonly digest: string;
  /** SHA-256 of the payload, hex: what people compare for a first root. */
  readonly payloadDigest: string;
  readonly sizeBytes: number;
}

/** Writes the request. @throws REPOSITORY_HELD, REQUEST_NOTHING_TO_SIGN, ROLE_NOT_COMPLETE, FILE_EXISTS */
export async function createRequest(input: RequestCreateInput, io: Io): Promise<CreatedRequest> {
  const address = signedRole(input.role);
  await requireFreePath(io.files, input.out);
  using repository = await openChosen(io, input.repository);
  const { dryRun } = input;
  const made = await repository.transactAsync({ command: 'request create', summary: '', dryRun }, async (tx) => {
    refuseIfHeld(tx);
    refuseBins(tx, address);
    return await freezeForRequest(tx, address, repository.identity);
  });
  if (dryRun !== true) await io.files.write(input.out, made.bytes);
  return made.created;
}

function refuseBins(tx: Tx, { repository, name }: RoleAddress): void {
  if (repository === 'director' || !isBinsPrefix(tx, name)) return;
  throw failure('REQUEST_NOTHING_TO_SIGN', `${name} are many files: ask for one of them, or sign them at once`);
}

async function freezeForRequest(
  tx: Tx,
  address: RoleAddress,
  identity: Identity,
): Promise<{ bytes: Uint8Array; created: CreatedRequest }> {
  const signing = { identity, keys: [], purpose: 'sign', pretend: false, forRequest: true } as const;
  if (address.repository === 'image' && isBinsPrefix(tx, address.name)) {
    throw failure(
      'REQUEST_NOTHING_TO_SIGN',
      `${address.name} are many files: ask for one of them, or sign them at once`,
    );
  }
  const outcome = await advanceRole(tx, address, signing);
  const role = roleAt(tx, address);
  const frozen = frozenVersion(tx, role);
  if (frozen === undefined) {
    const reason = outcome.reason ?? 'nothing of it has changed';
    throw failure('REQUEST_NOTHING_TO_SIGN', `there is no version of ${roleText(address)} to sign: ${reason}`);
  }
  const bytes = requestBytes(tx, { address, role, identity, payload: frozen.payload });
  const digest = sha256(tx.io.engine, bytes);
  addRequest(tx, { digest, roleId: role.id, version: frozen.version });
  tx.about(`role:${roleText(address)}`);
  tx.summarize(`request for ${roleText(address)} ${frozen.version}: sha256 ${toHex(digest)}`);
  const created = {
    role: roleText(address),
    version: frozen.version,
    digest: toHex(digest),
    payloadDigest: toHex(sha256(tx.io.engine, frozen.payload)),
    sizeBytes: bytes.length,
  };
  return { bytes, created };
}

interface RequestContent {
  readonly address: RoleAddress;
  readonly role: StoredRole;
  readonly identity: Identity;
  readonly payload: Uint8Array;
}

function requestBytes(tx: Tx, { address, role, identity, payload }: RequestContent): Uint8Array {
  return encodeRequest({
    subject: 'role',
    repository: identity.uuid,
    kind: address.repository,
    role: parseRoleName(address.name),
    created: tx.now,
    payload,
    roots: completeRoots(tx, address.repository),
    last: lastFile(tx, role),
    delegators: completeDelegators(tx, role.name),
    target: undefined,
  });
}

/** The last complete version; for a delegated role only where its delegator's keys of now have signed it. */
function lastFile(tx: Tx, role: StoredRole): Uint8Array | undefined {
  const isGood = isTopLevel(role.name) || situationOf(tx, role, { now: tx.now }).meetsThresholds;
  return isGood ? lastComplete(tx, role)?.file : undefined;
}

/** The files that lead to a delegated role, Targets first; none for a role of the root. */
export function completeDelegators(reader: Reader, name: string): readonly Uint8Array[] {
  const files: Uint8Array[] = [];
  for (let at = delegatorOf(reader, name); at && files.length < 32; at = delegatorOf(reader, at.role.name)) {
    files.unshift(lastComplete(reader, at.role)?.file ?? new Uint8Array());
  }
  return files;
}

/** Every complete root file, oldest first. */
export function completeRoots(reader: Reader, repository: RepositoryKind): readonly Uint8Array[] {
  const root = findRole(reader, { repository, name: 'root' });
  if (root === undefined) return [];
  return completeVersions(reader, root)
    .toSorted((a, b) => a - b)
    .flatMap((version) => completeAt(reader, root, version)?.file ?? []);
}
