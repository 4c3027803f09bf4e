/**
 * `delivery import`: a supplier's delivery, checked against the delegation and taken in: its images into `objects/`, its signed
 * metadata, byte for byte, as the role's next complete version.
 *
 * Invariants: nothing changes unless all of it is right; images lie aside until every one was seen to be what the metadata says,
 * in a folder named after the delivery, so that a second run clears what a killed one has left; the metadata is checked again
 * under the lock, and the role's new version is the last thing that changes.
 */
import { atPath } from '../../../core/at-path.ts';
import type { Instant } from '../../../core/brands.ts';
import { parseTargetName } from '../../../core/brands.ts';
import { equalBytes, fromHex, toHex } from '../../../core/bytes.ts';
import { failure, isFailure, SecureevError } from '../../../core/errors.ts';
import type { InputFile, Io } from '../../../core/ports.ts';
import { sha256 } from '../../../crypto/hash.ts';
import { writeJsonText } from '../../../formats/json/write.ts';
import { decodeRole } from '../../../formats/metadata/envelope.ts';
import { dialectOf } from '../../../formats/metadata/index.ts';
import type { Envelope, TargetFile, Targets } from '../../../formats/metadata/types.ts';
import { METADATA_BYTES_MAX } from '../../../formats/metadata/limits.ts';
import { addObject, hasObject } from '../../../store/objects.ts';
import { imageRoleAt, isDelegating } from '../../../store/delegations.ts';
import type { Reader, Tx } from '../../../store/reader.ts';
import type { Repository } from '../../../store/repository.ts';
import { adoptVersion } from '../../../store/restored.ts';
import { revokedKeys } from '../../../store/revoked-keys.ts';
import { completeItem, completeItems, findRole } from '../../../store/roles.ts';
import type { ItemValue } from '../../../store/roles.ts';
import { targetItem } from '../../../store/targets.ts';
import type { StoredSignature } from '../../../store/versions.ts';
import { completeAt } from '../../../store/versions.ts';
import type { RolePolicy } from '../../../trust/role-policy.ts';
import { refuseIfHeld } from '../../repository/hold.ts';
import { openChosen } from '../../repository/locate.ts';
import type { RepositoryChoice } from '../../repository/locate.ts';
import { checkDelivery } from './check-delivery.ts';
import type { CheckedDelivery } from './check-delivery.ts';
import { extractImage, imagesIn, readMetadata } from './read-delivery.ts';

/** A delivery to take in. */
export interface DeliveryImportInput {
  readonly repository: RepositoryChoice;
  readonly file: string;
  /** A pinned root that this repository's own roots must contain. */
  readonly root: string | undefined;
  /** Whether the images may be published as they are; otherwise they travel inside bundles alone. */
  readonly clear: boolean;
  readonly allowRemoval: boolean;
  readonly dryRun: boolean;
}

/** What was taken in. */
export interface ImportedDelivery {
  readonly role: string;
  readonly version: number;
  readonly before: number;
  readonly expires: Instant;
  readonly signedBy: readonly string[];
  readonly targets: readonly ImportedTarget[];
  readonly removed: readonly string[];
}

/** A target that is new or changed. */
export interface ImportedTarget {
  readonly name: string;
  readonly length: number;
  readonly sha256: string;
  readonly hardwareIds: readonly string[];
  readonly releaseCounter: number | null;
  readonly version: string | null;
}

/**
 * Takes a delivery in.
 *
 * @throws DELIVERY_*, KEY_REVOKED, ROLE_UNKNOWN, ROLE_NOT_COMPLETE, TRUST_*, METADATA_*, REPOSITORY_HELD, FILE_*, DISK_FULL
 */
export async function importDelivery(input: DeliveryImportInput, io: Io): Promise<ImportedDelivery> {
  using repository = await openChosen(io, input.repository);
  refuseIfHeld(repository);
  if (input.root !== undefined) await requirePinned(repository, input.root);
  await using file = await io.files.open(input.file);
  const metadata = await atPath(input.file, () => readMetadata(file));
  const { role, bytes } = metadata;
  const wanted = { identity: repository.identity, role, bytes, allowRemoval: input.allowRemoval };
  const checked = checkDelivery(repository, wanted);
  refuseRevoked(repository, checked);
  await takeImages(repository, { file, from: metadata.end, checked, dryRun: input.dryRun });
  const summary = `took in delivery ${role} ${checked.envelope.signed.version}: ${checked.changed.length} targets`;
  repository.transact({ command: 'delivery import', summary, dryRun: input.dryRun }, (tx) => {
    refuseIfHeld(tx);
    adopt(tx, checkDelivery(tx, wanted), input.clear);
  });
  return answerOf(checked);
}

/** Whoever has a stolen key would come this way: nobody here chose the keys of a delivery. @throws KEY_REVOKED */
function refuseRevoked(repository: Repository, { role, envelope, policy }: CheckedDelivery): void {
  const revoked = revokedKeys(repository);
  const signer = signaturesOf(envelope, policy).find(({ keyId }) => revoked.has(keyId));
  if (signer === undefined) return;
  throw new SecureevError('KEY_REVOKED', {
    message: `the delivery is signed by key ${signer.keyId} of ${role}, which was revoked in this repository`,
    hint: `give ${role} another key: \`secureev delegation change ${role} --replace ${signer.keyId.slice(0, 8)}=NEW.pub\`; the supplier then delivers anew`,
    details: { role, keyId: signer.keyId },
  });
}

/** The pinned root is, byte for byte, one of this repository's. @throws TRUST_WRONG_REPOSITORY */
async function requirePinned(repository: Repository, root: string): Promise<void> {
  const pinned = await repository.io.files.read(root, METADATA_BYTES_MAX.root);
  const { version } = decodeRole(pinned, 'root').unverified.signed;
  const own = findRole(repository, { repository: 'image', name: 'root' });
  const known = own === undefined ? undefined : completeAt(repository, own, version);
  if (known !== undefined && equalBytes(known.file, pinned)) return;
  throw failure('TRUST_WRONG_REPOSITORY', `root ${version} of this repository is not the pinned one`, { version });
}

interface AsideImages extends AsyncDisposable {
  /** Gives the images their places among the objects. */
  keep(): Promise<void>;
}

interface Incoming {
  readonly file: InputFile;
  readonly from: number;
  readonly checked: CheckedDelivery;
  readonly dryRun: boolean;
}

async function takeImages(repository: Repository, incoming: Incoming): Promise<void> {
  await using images = await setAside(repository, incoming);
  if (!incoming.dryRun) await images.keep();
}

/** Every image, verified, in a folder that is gone afterwards. @throws DELIVERY_IMAGE_MISSING, DELIVERY_IMAGE_DAMAGED */
async function setAside(repository: Repository, { file, from, checked }: Incoming): Promise<AsideImages> {
  const { io, folder } = repository;
  const name = toHex(sha256(io.engine, checked.envelope.bytes)).slice(0, 16);
  const aside = `${folder}/objects/incoming-${name}`;
  for (const left of await io.files.list(aside)) await io.files.remove(`${aside}/${left}`);
  const sizes = wantedSizes(checked);
  const taken: string[] = [];
  const remove = (): Promise<void> => removeAside(io, aside, taken);
  try {
    const task = io.progress.start(`taking in ${checked.role}`, file.sizeBytes, 'bytes');
    for await (const image of imagesIn(file, from)) {
      requireWanted(sizes, image);
      taken.push(image.sha256);
      await extractImage(io, file, { ...image, to: `${aside}/${image.sha256}` });
      task.advance(image.sizeBytes);
    }
    task.done();
    await requireAll(repository, { sizes, own: checked.listedBefore }, taken);
  } catch (thrown) {
    await remove();
    throw thrown;
  }
  const keep = async (): Promise<void> => {
    for (const hash of taken) await addObject(repository, `${aside}/${hash}`, fromHex(hash));
  };
  return { keep, [Symbol.asyncDispose]: remove };
}

/** What cannot be taken away now, the next run of this delivery takes away. */
async function removeAside(io: Io, aside: string, taken: readonly string[]): Promise<void> {
  try {
    for (const hash of taken) await io.files.remove(`${aside}/${hash}`);
    await io.files.removeFolder(aside);
  } catch (thrown) {
    if (!isFailure(thrown)) throw thrown;
  }
}

function requireWanted(sizes: ReadonlyMap<string, number>, image: { sha256: string; sizeBytes: number }): void {
  const { sha256: hash, sizeBytes } = image;
  if (sizes.get(hash) === sizeBytes) return;
  throw failure('DELIVERY_MALFORMED', `the delivery holds an image that is not new in its metadata: ${hash}`, {
    sha256: hash,
  });
}

/** The images that are new, by hash. @throws DELIVERY_MALFORMED */
function wantedSizes({ changed, listedBefore }: CheckedDelivery): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>();
  for (const { name, sha256: bytes, length } of changed) {
    const hash = toHex(bytes);
    const known = sizes.get(hash) ?? listedBefore.get(hash) ?? length;
    if (known !== length) throw failure('DELIVERY_MALFORMED', `${name}: one image, ${hash}, of two lengths`);
    sizes.set(hash, length);
  }
  return sizes;
}

interface WantedImages {
  readonly sizes: ReadonlyMap<string, number>;
  readonly own: ReadonlyMap<string, number>;
}

/**
 * What the delivery does not bring, the role had before. That it lies among the objects is not enough: hashes are public, and
 * a supplier would have another's confidential image published under its own name.
 */
async function requireAll(reader: Reader, { sizes, own }: WantedImages, taken: readonly string[]): Promise<void> {
  const brought = new Set(taken);
  for (const hash of sizes.keys()) {
    if (brought.has(hash) || (own.has(hash) && (await hasObject(reader, fromHex(hash))))) continue;
    throw failure('DELIVERY_IMAGE_MISSING', `the delivery lacks image ${hash}`, { sha256: hash });
  }
}

function adopt(tx: Tx, { role: name, envelope, policy, changed }: CheckedDelivery, clear: boolean): void {
  const { signed, bytes } = envelope;
  const role = imageRoleAt(tx, name);
  const names = new Set<string>(changed.map((target) => target.name));
  const items = new Map<string, ItemValue>();
  for (const [listed, file] of signed.targets) {
    const item = targetItem(parseTargetName(listed));
    const known = names.has(listed) ? undefined : completeItem(tx, role, item);
    items.set(item, known ?? targetValue(file, clear));
  }
  for (const { item, value } of completeItems(tx, role)) if (isDelegating(item)) items.set(item, value);
  const facts = { version: signed.version, expires: signed.expires, signatures: signaturesOf(envelope, policy) };
  adoptVersion(tx, role, { ...facts, file: bytes, sha256: sha256(tx.io.engine, bytes), items });
  tx.about(`role:${name}`, ...[...names].slice(0, 1000).map((target) => `target:${target}`));
}

function targetValue(file: TargetFile, clear: boolean): ItemValue {
  const custom = JSON.parse(writeJsonText(file.custom ?? new Map())) as ItemValue;
  const sha256Text = file.hashes.get('sha256') ?? '';
  return { length: file.length, sha256: sha256Text, custom, confidential: !clear, insideBundle: !clear };
}

function signaturesOf(envelope: Envelope<Targets>, policy: RolePolicy): readonly StoredSignature[] {
  const { decodeSignature } = dialectOf(envelope.dialect);
  const classical = envelope.signatures.flatMap(({ keyId, encoded }): readonly StoredSignature[] => {
    const key = policy.classical.keys.get(keyId);
    if (key === undefined) return [];
    return [{ section: 'classical', keyId: key.keyId, signature: decodeSignature(key.algorithm, encoded) }];
  });
  const hybrid = envelope.hybridSignatures.flatMap(({ keyId, signature }): readonly StoredSignature[] => {
    const key = policy.postQuantum?.keys.get(keyId);
    return key === undefined ? [] : [{ section: 'post-quantum', keyId: key.keyId, signature }];
  });
  return [...classical, ...hybrid];
}

function answerOf({ role, envelope, policy, before, changed, removed }: CheckedDelivery): ImportedDelivery {
  const { version, expires } = envelope.signed;
  const signedBy = signaturesOf(envelope, policy).map(({ keyId }) => keyId);
  const targets = changed.map((target) => ({
    ...target,
    sha256: toHex(target.sha256),
    releaseCounter: target.releaseCounter ?? null,
    version: target.version ?? null,
  }));
  return { role, version, before, expires, signedBy, targets, removed };
}
