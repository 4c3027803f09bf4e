/**
 * `delivery create`: the next version of a delegated role, made and signed by the supplier that holds its keys, with the images
 * that are new in it. Needs no repository: the program, a pinned root, the published tree, the key.
 *
 * Invariant: nothing is signed that the one who receives it would refuse for its place, its keys or its thresholds.
 */
import type { Instant, Name, RoleName, TargetName, Version } from '../../../core/brands.ts';
import { parseName, parseVersion } from '../../../core/brands.ts';
import { equalBytes, toHex } from '../../../core/bytes.ts';
import { failure } from '../../../core/errors.ts';
import type { Io } from '../../../core/ports.ts';
import { signatureAlgorithm } from '../../../crypto/signatures/index.ts';
import { jsonMap } from '../../../formats/json/json.ts';
import { SPEC_VERSION } from '../../../formats/metadata/body.ts';
import type { Dialect, KeySignature } from '../../../formats/metadata/dialect.ts';
import {
  assembleEnvelope,
  canonicalOf,
  decodeRole,
  encodeSigned,
  signatureMessage,
} from '../../../formats/metadata/envelope.ts';
import { dialectOf } from '../../../formats/metadata/index.ts';
import type { TargetFile, Targets } from '../../../formats/metadata/types.ts';
import { defaultLifetimeSeconds, expiryOf } from '../../../plan/lifetime.ts';
import { openSigners } from '../../../signers/index.ts';
import type { PassphraseChoice, SignerKey } from '../../../signers/index.ts';
import { findDelegatedRole, requireInChain } from '../../../trust/delegation-chain.ts';
import type { FoundRole } from '../../../trust/delegation-chain.ts';
import { requireThresholds } from '../../../trust/role-policy.ts';
import { updateFrom } from '../../../trust/update.ts';
import { hashFile } from '../../repository/copy-verified.ts';
import { isUrl, treeSource } from '../../repository/tree-source.ts';
import { readPinnedRoot } from '../pinned-trust.ts';
import { writeDelivery } from './write-delivery.ts';
import type { DeliveredImage } from './write-delivery.ts';

/** What to deliver. */
export interface DeliveryCreateInput {
  readonly role: RoleName;
  /** The published tree, a folder or URL with `metadata` below it. */
  readonly tree: string;
  /** Path of the pinned root. */
  readonly root: string;
  readonly images: readonly { readonly name: TargetName; readonly file: string }[];
  readonly hardwareIds: readonly Name[];
  readonly releaseCounter: Version | undefined;
  /** The third part of the target's name where it is not said. */
  readonly version: Name | undefined;
  /** Number of the metadata's version, where the one after the published one was used up. */
  readonly asVersion: number | undefined;
  readonly remove: readonly TargetName[];
  readonly lifetimeSeconds: number | undefined;
  readonly signers: readonly string[];
  readonly passphrases: PassphraseChoice;
  readonly out: string;
  readonly now: Instant;
  readonly dryRun: boolean;
}

/** What was made. */
export interface CreatedDelivery {
  readonly role: string;
  readonly version: number;
  readonly expires: Instant;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** How many targets the role lists now. */
  readonly targets: number;
  readonly signedBy: readonly string[];
  readonly sizeBytes: number;
}

/**
 * Makes a delivery.
 *
 * @throws ROLE_UNKNOWN, DELIVERY_*, KEY_NOT_OF_ROLE, TRUST_*, TARGET_UNKNOWN, FILE_*
 */
export async function createDelivery(input: DeliveryCreateInput, io: Io): Promise<CreatedDelivery> {
  const found = await verifiedRole(input, io);
  const images = await hashedImages(input, io);
  const { targets, removed } = nextTargets(found.last?.targets ?? new Map(), { input, images });
  checkImages(io, found, { input, images });
  const body = bodyOf(found, { input, targets });
  const dialect = dialectOf(found.set.root.verified.dialect);
  using open = await openSigners(input.signers, { io, passphrases: input.passphrases });
  const file = await signedFile(body, { keys: open.keys, found, dialect });
  const policy = found.policy;
  requireThresholds({ engine: io.engine, envelope: decodeRole(file, 'targets').unverified, policy });
  const delivery = { role: input.role, metadata: file, images, out: input.out };
  const sizeBytes = input.dryRun ? 0 : await writeDelivery(io, delivery);
  const { version, expires } = body;
  const added = images.map(({ name }) => name);
  const signedBy = open.signers.map(({ description }) => description);
  return { role: input.role, version, expires, added, removed, targets: targets.size, signedBy, sizeBytes };
}

async function verifiedRole(input: DeliveryCreateInput, io: Io): Promise<FoundRole> {
  const { root, tree, now } = input;
  const metadata = isUrl(tree) ? undefined : `${tree}/metadata`;
  const pinnedRoot = await readPinnedRoot(io, { root, metadata, now, requireHybrid: false });
  const source = treeSource(io, tree).metadata;
  const set = await updateFrom(source, { engine: io.engine, pinnedRoot, now, kind: 'image' });
  return await findDelegatedRole({ source }, set, input.role);
}

/** A new image, hashed. */
type NewImage = DeliveredImage & { readonly name: TargetName; readonly version: Name };

async function hashedImages(input: DeliveryCreateInput, io: Io): Promise<readonly NewImage[]> {
  const images: NewImage[] = [];
  for (const { name, file } of input.images) {
    const { sha256, sizeBytes } = await hashFile(io, file);
    if (sizeBytes === 0) throw failure('IMAGE_EMPTY', `${file} is empty`);
    const version = input.version ?? parseName(name.split('/')[2] ?? '', `version in the name ${name}`);
    images.push({ name, file, sha256, sizeBytes, version });
  }
  return images;
}

interface Wanted {
  readonly input: DeliveryCreateInput;
  readonly images: readonly NewImage[];
}

function nextTargets(
  last: Targets['targets'],
  { input, images }: Wanted,
): { targets: ReadonlyMap<string, TargetFile>; removed: readonly string[] } {
  const targets = new Map<string, TargetFile>(last);
  for (const name of input.remove) {
    if (!targets.delete(name)) throw failure('TARGET_UNKNOWN', `${input.role} lists no target ${name}`);
  }
  const { hardwareIds, releaseCounter } = input;
  for (const { name, sha256, sizeBytes, version } of images) {
    const custom = jsonMap({ hardwareIds, releaseCounter, version });
    targets.set(name, { length: sizeBytes, hashes: new Map([['sha256', toHex(sha256)]]), custom });
  }
  return { targets, removed: input.remove };
}

function checkImages(io: Io, { chain, last }: FoundRole, { input, images }: Wanted): void {
  if (images.length > 0 && (input.hardwareIds.length === 0 || input.releaseCounter === undefined)) {
    throw failure('USAGE', '--hardware and --release-counter are missing: images are for some hardware');
  }
  if (images.length === 0 && input.remove.length === 0 && last !== undefined && input.lifetimeSeconds === undefined) {
    throw failure('DELIVERY_NOTHING', 'nothing to deliver: name images, --remove, or --expires to sign it again');
  }
  for (const { name } of images) requireInChain(io.engine, chain, { name, hardwareIds: input.hardwareIds });
}

function bodyOf(
  { set, last }: FoundRole,
  { input, targets }: { input: DeliveryCreateInput; targets: ReadonlyMap<string, TargetFile> },
): Targets {
  const root = set.root.verified.signed;
  const repository = root.extension?.repository;
  const extension =
    repository === undefined
      ? undefined
      : { repository, kind: 'image' as const, log: undefined, hybrid: last?.extension?.hybrid };
  return {
    role: 'targets',
    specVersion: SPEC_VERSION,
    version: parseVersion(Math.max((last?.version ?? 0) + 1, input.asVersion ?? 0)),
    expires: expiryOf(input.now, input.lifetimeSeconds ?? defaultLifetimeSeconds(input.role)),
    extension,
    targets,
    delegations: last?.delegations,
    custom: last?.custom,
  };
}

async function signedFile(
  body: Targets,
  { keys, found, dialect }: { keys: readonly SignerKey[]; found: FoundRole; dialect: Dialect },
): Promise<Uint8Array> {
  const signed = encodeSigned(body, dialect);
  const canonical = canonicalOf(signed);
  const lists = { classical: new Array<KeySignature>(), 'post-quantum': new Array<KeySignature>() };
  for (const { publicKey: key, sign } of keys) {
    const { family } = signatureAlgorithm(key.algorithm);
    const wanted = family === 'classical' ? found.policy.classical : found.policy.postQuantum;
    const isListed = [...(wanted?.keys.values() ?? [])].some((known) => equalBytes(known.bytes, key.bytes));
    // A hybrid key also serves where the delegator asks for its classical half alone.
    if (!isListed && wanted === undefined) continue;
    if (!isListed)
      throw failure('KEY_NOT_OF_ROLE', `key ${key.keyId} is not a key of ${found.role}`, { keyId: key.keyId });
    lists[family].push({ key, signature: await sign(signatureMessage(family, canonical)) });
  }
  return assembleEnvelope(signed, { classical: lists.classical, postQuantum: lists['post-quantum'] }, dialect);
}
