/**
 * What a delivery must be before anything of it is taken in: of this repository and role, signed by the delegation's keys, the
 * next version, and only about paths, hardware and counters that it may speak of (U19).
 */
import { equalBytes, toHex } from '../../../core/bytes.ts';
import { failure, SecureevError } from '../../../core/errors.ts';
import { decodeDeliveredTarget } from '../../../formats/delivery/delivery.ts';
import type { DeliveredTarget } from '../../../formats/delivery/delivery.ts';
import { writeJsonText } from '../../../formats/json/write.ts';
import { decodeRole, encodeSigned } from '../../../formats/metadata/envelope.ts';
import { dialectOf } from '../../../formats/metadata/index.ts';
import type { Delegation, Envelope, TargetFile, Targets } from '../../../formats/metadata/types.ts';
import { delegatorOf } from '../../../store/delegations.ts';
import type { Reader } from '../../../store/reader.ts';
import type { Identity } from '../../../store/repository.ts';
import { findRole } from '../../../store/roles.ts';
import type { StoredRole } from '../../../store/roles.ts';
import { listingRoles } from '../../../store/targets.ts';
import { lastComplete } from '../../../store/versions.ts';
import { requireInChain } from '../../../trust/delegation-chain.ts';
import { requireThresholds } from '../../../trust/role-policy.ts';
import type { RolePolicy } from '../../../trust/role-policy.ts';
import { isTopLevel } from '../../repository/definitions.ts';
import { delegatedPolicyOf } from '../../repository/verify-complete.ts';

/** A delivery that may be taken in. */
export interface CheckedDelivery {
  readonly role: string;
  readonly envelope: Envelope<Targets>;
  readonly policy: RolePolicy;
  /** The version before; 0 for none. */
  readonly before: number;
  /** New targets, and those whose content or metadata changed. */
  readonly changed: readonly DeliveredTarget[];
  readonly removed: readonly string[];
  /** SHA-256 in hex -> length of every image that the role lists in the version before. */
  readonly listedBefore: ReadonlyMap<string, number>;
}

/** What a delivery is checked for. */
export interface DeliveryToCheck {
  readonly identity: Identity;
  readonly role: string;
  readonly bytes: Uint8Array;
  readonly allowRemoval: boolean;
}

const DEPTH_MAX = 64;
/** How far a delivery may go ahead of the last version here: after the highest number there is, nothing could follow. */
const VERSIONS_AHEAD_MAX = 1_000_000;
/** Releases with an image that a supplier delivered count on from it: its counter must leave room for all that ever follow. */
const COUNTER_MAX = 2 ** 40;

/** Checks it against the repository as it is now. @throws ROLE_UNKNOWN, ROLE_NOT_COMPLETE, DELIVERY_*, TRUST_*, METADATA_* */
export function checkDelivery(reader: Reader, delivery: DeliveryToCheck): CheckedDelivery {
  const { role: name, identity, bytes } = delivery;
  const chain = isTopLevel(name) ? undefined : chainTo(reader, name);
  if (chain === undefined) throw failure('ROLE_UNKNOWN', `${name} is not a delegated role`, { role: name });
  const policy = delegatedPolicyOf(reader, { repository: 'image', name });
  const envelope = decodeRole(bytes, 'targets').unverified;
  requireThresholds({ engine: reader.io.engine, envelope, policy });
  const role = findRole(reader, { repository: 'image', name });
  requireNext(reader, { identity, name, role }, envelope);
  const last = role === undefined ? undefined : lastComplete(reader, role);
  const before = last === undefined ? undefined : decodeRole(last.file, 'targets').unverified.signed;
  requireSameDelegations(before, envelope.signed, identity);
  const changed = changedTargets(before, envelope.signed);
  const listed = targetsByPlace(before);
  for (const target of changed) {
    requireAllowed(reader, target, { name, chain });
    requireCounter(target, listed.get(placeOf(target.name)) ?? []);
  }
  const removed = [...(before?.targets.keys() ?? [])].filter((listed) => !envelope.signed.targets.has(listed));
  if (!delivery.allowRemoval) refuseRemoval(name, removed);
  const listedBefore = new Map([...listed.values()].flat().map(({ sha256, length }) => [toHex(sha256), length]));
  return { role: name, envelope, policy, before: before?.version ?? 0, changed, removed, listedBefore };
}

/** The delegations from Targets to a role, in force. @throws ROLE_UNKNOWN, ROLE_NOT_COMPLETE */
function chainTo(reader: Reader, name: string, depth = 0): readonly Delegation[] {
  if (name === 'targets') return [];
  const delegator = depth > DEPTH_MAX ? undefined : delegatorOf(reader, name)?.role;
  if (delegator === undefined) throw failure('ROLE_UNKNOWN', `no role delegates to ${name}`, { role: name });
  const complete = lastComplete(reader, delegator);
  const signed = complete && decodeRole(complete.file, 'targets').unverified.signed;
  const delegation = signed?.delegations?.roles.find(({ roles }) => roles.some((to) => to.name === name));
  if (delegation !== undefined) return [...chainTo(reader, delegator.name, depth + 1), delegation];
  throw new SecureevError('ROLE_NOT_COMPLETE', {
    message: `no complete version of ${delegator.name} delegates to ${name}`,
    hint: `\`secureev sign ${delegator.name} --key ...\``,
    details: { role: name, delegator: delegator.name },
  });
}

function requireNext(
  reader: Reader,
  { identity, name, role }: { identity: Identity; name: string; role: StoredRole | undefined },
  { signed, dialect }: Envelope<Targets>,
): void {
  const { extension, version, expires } = signed;
  const isOurs = extension === undefined || (extension.repository === identity.uuid && extension.kind === 'image');
  if (!isOurs || dialect !== identity.dialect) {
    throw failure('TRUST_WRONG_REPOSITORY', `${name} ${version} is of another repository, or of another dialect`, {
      expected: identity.uuid,
      found: extension?.repository,
    });
  }
  if (role !== undefined && role.frozenVersion !== null) throw waitsHere(name, role.frozenVersion);
  requireNextVersion({ name, version, last: role?.lastVersion ?? 0, published: role?.completeVersion ?? 0 });
  if (expires <= reader.io.clock.now()) throw failure('TRUST_EXPIRED', `${name} ${version} has expired`, { expires });
}

/** What was frozen here for signatures has the number that the supplier would give. */
function waitsHere(name: string, version: number): SecureevError {
  return new SecureevError('DELIVERY_VERSION', {
    message: `${name} ${version} waits for signatures here, so no other version can be taken in`,
    hint: `complete it, or give it up: \`secureev request cancel ${name}\``,
    details: { waiting: version },
  });
}

/** A number and the ones before it: the `last` that was given here, and that of the last complete version. */
export interface NextVersion {
  readonly name: string;
  readonly version: number;
  readonly last: number;
  readonly published: number;
}

/** Demands a version after `last`, and not so far after it that the numbers could run out. @throws DELIVERY_VERSION */
export function requireNextVersion({ name, version, last, published }: NextVersion): void {
  if (version > last + VERSIONS_AHEAD_MAX) {
    throw failure('DELIVERY_VERSION', `${name} ${version} is too far ahead: the last is ${last}`, {
      found: version,
      last,
    });
  }
  if (version > last) return;
  throw new SecureevError('DELIVERY_VERSION', {
    message: `${name} ${version} was here before, or an older one: the last is ${last}`,
    hint:
      last > published
        ? `version ${last} was begun here and given up: the supplier makes the delivery with --as-version ${last + 1}`
        : 'publish what was taken in; the supplier then makes the delivery again from that tree',
    details: { found: version, last },
  });
}

/** Whom a supplier delegates to is ours to record: a delivery leaves it as it is. */
function requireSameDelegations(before: Targets | undefined, signed: Targets, identity: Identity): void {
  const texts = [before, signed].map((file) => delegationText(file, { signed, identity }));
  if (texts[0] === texts[1]) return;
  throw failure('DELIVERY_DELEGATES', 'the delivery changes whom the role delegates to');
}

/** The delegations of `file` as a file like `signed` would write them. */
function delegationText(file: Targets | undefined, like: { signed: Targets; identity: Identity }): string {
  if (file?.delegations === undefined) return '';
  const { delegations, extension } = file;
  const bare = { ...like.signed, targets: new Map(), delegations, extension };
  return toHex(encodeSigned(bare, dialectOf(like.identity.dialect)));
}

function changedTargets(before: Targets | undefined, signed: Targets): readonly DeliveredTarget[] {
  return [...signed.targets]
    .filter(([name, file]) => !isSame(before?.targets.get(name), file))
    .map(([name, file]) => decodeDeliveredTarget(name, file));
}

function isSame(before: TargetFile | undefined, now: TargetFile): boolean {
  return before !== undefined && fileText(before) === fileText(now);
}

function fileText({ length, hashes, custom }: TargetFile): string {
  return `${length}:${writeJsonText(new Map(hashes))}:${custom === undefined ? '' : writeJsonText(custom)}`;
}

function requireAllowed(
  reader: Reader,
  target: DeliveredTarget,
  { name, chain }: { name: string; chain: readonly Delegation[] },
): void {
  requireInChain(reader.io.engine, chain, target);
  const agreeing = new Set(chain.at(-1)?.roles.map((role) => role.name));
  const other = listingRoles(reader, target.name).find((role) => !agreeing.has(role.name));
  if (other === undefined) return;
  throw failure('DELIVERY_LISTED', `${target.name} is listed by ${other.name} already`, { role: other.name, name });
}

function targetsByPlace(before: Targets | undefined): ReadonlyMap<string, readonly DeliveredTarget[]> {
  const byPlace = new Map<string, DeliveredTarget[]>();
  for (const [listed, file] of before?.targets ?? []) {
    const place = placeOf(listed);
    const others = byPlace.get(place) ?? [];
    if (others.length === 0) byPlace.set(place, others);
    others.push(decodeDeliveredTarget(listed, file));
  }
  return byPlace;
}

/** Among what the role lists for the same model and ECU, and for some of the same hardware, no counter may be higher. */
function requireCounter(target: DeliveredTarget, listed: readonly DeliveredTarget[]): void {
  const { releaseCounter, hardwareIds, name, sha256 } = target;
  if (releaseCounter === undefined) return;
  if (releaseCounter > COUNTER_MAX) {
    throw failure('DELIVERY_COUNTER', `${name}: release counter ${releaseCounter} is over ${COUNTER_MAX}`, {
      target: name,
      found: releaseCounter,
      limit: COUNTER_MAX,
    });
  }
  for (const known of listed) {
    if (!known.hardwareIds.some((id) => hardwareIds.includes(id))) continue;
    const last = known.releaseCounter ?? 0;
    const isOther = known.name === name && !equalBytes(known.sha256, sha256);
    if (releaseCounter > last || (releaseCounter === last && !isOther)) continue;
    const message = `${name}: release counter ${releaseCounter} after ${last} of ${known.name}: vehicles would refuse it`;
    throw failure('DELIVERY_COUNTER', message, { target: name, found: releaseCounter, last, sha256: toHex(sha256) });
  }
}

/** `MODEL/ECU` of a target's name. */
function placeOf(name: string): string {
  return name.split('/', 2).join('/');
}

function refuseRemoval(role: string, removed: readonly string[]): void {
  const [first] = removed;
  if (first === undefined) return;
  throw new SecureevError('DELIVERY_REMOVES', {
    message: `the delivery takes ${removed.length} targets out of ${role}, ${first} among them`,
    hint: 'let it with --allow-removal',
    details: { removed: removed.slice(0, 100) },
  });
}
