/** Writes a request for the signatures that a packaged bundle still lacks. */
import { requireFreePath } from '../../core/free-path.ts';
import { atPath } from '../../core/at-path.ts';
import { parseRoleName } from '../../core/brands.ts';
import type { TargetName } from '../../core/brands.ts';
import { equalBytes, toHex } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import { sha256 } from '../../crypto/hash.ts';
import { openBundle } from '../../formats/otap/index.ts';
import { encodeRequest } from '../../formats/requests/request.ts';
import { addBundleRequest, findPendingBundle } from '../../store/pending-bundles.ts';
import type { PendingBundle } from '../../store/pending-bundles.ts';
import { owningRole } from '../../store/targets.ts';
import { refuseIfHeld } from '../repository/hold.ts';
import { openChosen } from '../repository/locate.ts';
import type { RepositoryChoice } from '../repository/locate.ts';
import { completeDelegators, completeRoots } from '../repository/request-create.ts';
import { bundleTargetName } from './bundle-names.ts';
import type { Reader } from '../../store/reader.ts';

/** Which bundle. */
export interface BundleRequestInput {
  readonly repository: RepositoryChoice;
  /** The bundle that `package --incomplete` wrote. */
  readonly bundle: string;
  readonly out: string;
  readonly dryRun?: boolean | undefined;
}

/** What was written. */
export interface CreatedBundleRequest {
  readonly target: TargetName;
  /** SHA-256 of the request file, hex. */
  readonly digest: string;
  /** SHA-256 of header and manifest, hex. */
  readonly payloadDigest: string;
}

const BLOCK_BYTES = 64 * 1024;

/** Writes the request. @throws REQUEST_NOTHING_TO_SIGN, FILE_EXISTS, OTAP_*, REPOSITORY_HELD */
export async function createBundleRequest(input: BundleRequestInput, io: Io): Promise<CreatedBundleRequest> {
  await requireFreePath(io.files, input.out);
  using repository = await openChosen(io, input.repository);
  refuseIfHeld(repository);
  const pending = await pendingOf(repository, input.bundle);
  const role = owningRole(repository, pending.target, [pending.gateway]);
  const bytes = encodeRequest({
    subject: 'bundle',
    repository: repository.identity.uuid,
    kind: 'image',
    role: parseRoleName(role),
    created: io.clock.now(),
    payload: pending.parts,
    roots: completeRoots(repository, 'image'),
    last: undefined,
    delegators: completeDelegators(repository, role),
    target: pending.target,
  });
  const digest = sha256(io.engine, bytes);
  const summary = `request for ${pending.target}: sha256 ${toHex(digest)}`;
  const { dryRun } = input;
  await repository.transactAsync({ command: 'request create', summary, dryRun }, async (tx) => {
    addBundleRequest(tx, { digest, target: pending.target });
    tx.about(`release:${pending.release}`);
  });
  if (dryRun !== true) await io.files.write(input.out, bytes);
  return { target: pending.target, digest: toHex(digest), payloadDigest: toHex(sha256(io.engine, pending.parts)) };
}

/** The waiting bundle that a file is, header and manifest byte for byte. @throws REQUEST_NOTHING_TO_SIGN */
export async function pendingOf(reader: Reader, path: string): Promise<PendingBundle> {
  const { io } = reader;
  await using file = await io.files.open(path);
  const { head } = await atPath(path, () => openBundle(file.stream({ chunkBytes: BLOCK_BYTES }), io.engine));
  const target = bundleTargetName(head.manifest.unverified.release, head.gateway);
  const pending = findPendingBundle(reader, target);
  const own = pending === undefined ? undefined : await file.read(0, pending.parts.length);
  if (pending === undefined || own === undefined || !sameParts(own, pending.parts)) {
    throw failure('REQUEST_NOTHING_TO_SIGN', `${path} is not a bundle of this repository that waits for signatures`);
  }
  return pending;
}

/** Header and manifest of a file stand before its signatures; only the signatures' length differs. */
function sameParts(own: Uint8Array, parts: Uint8Array): boolean {
  const zeroed = own.slice();
  const at = 9 + (zeroed[8] ?? 0) + 8;
  zeroed.fill(0, at, at + 4);
  return equalBytes(zeroed, parts);
}
