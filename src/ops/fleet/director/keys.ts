/**
 * The Director's online keys, ready to sign for many vehicles.
 *
 * Invariants: a key signs only where the Director's root in force lists it, under the public key listed there; every
 * threshold can be met before anything is signed. Keys in files go to the threads of a pool; tokens and external signers
 * sign on the main thread, each signature verified here.
 */
import { equalBytes } from '../../../core/bytes.ts';
import { failure, SecureevError } from '../../../core/errors.ts';
import type { BulkKey, Io, SigningPool } from '../../../core/ports.ts';
import { signatureAlgorithm } from '../../../crypto/signatures/index.ts';
import type { PublicKey } from '../../../formats/keys/public-key.ts';
import type { RoleDefinition } from '../../../plan/role-definition.ts';
import type { SignerKey } from '../../../signers/signer.ts';
import { VEHICLE_ROLES } from '../../../store/director.ts';
import type { VehicleRole } from '../../../store/director.ts';
import type { Reader } from '../../../store/reader.ts';
import { named } from '../../repository/advance-role.ts';
import { definitionsIn } from '../../repository/definitions.ts';
import { revokedSigners } from '../../repository/revoked-keys.ts';

/** A key that signs for a role. */
export interface DirectorKey {
  readonly publicKey: PublicKey;
  readonly family: 'classical' | 'post-quantum';
  /** Raw signatures of messages, in order. @throws ENGINE_DISAGREES, SIGNATURE_INVALID, SIGNER_* */
  sign(messages: readonly Uint8Array[]): Promise<readonly Uint8Array[]>;
}

/** The keys of the three roles that each vehicle has. Disposing them ends the pool. */
export interface DirectorKeys extends AsyncDisposable {
  /** Exactly as many keys of each family as the role's thresholds ask for. */
  readonly roles: Readonly<Record<VehicleRole, readonly DirectorKey[]>>;
  readonly lifetimes: Readonly<Record<VehicleRole, number>>;
  readonly threads: number;
  /** Whether thousands of signatures are a matter of seconds: every key is held by this process, in the runtime's own form. */
  readonly fast: boolean;
  /** Revoked keys among them. */
  readonly warnings: readonly string[];
  /** Signatures that both engines have verified so far. */
  crossChecked(): number;
}

/** The definitions of the three roles in the Director's root in force. @throws DIRECTOR_ROOT_MISSING */
export function directorDefinitions(reader: Reader): Readonly<Record<VehicleRole, RoleDefinition>> {
  const definitions = definitionsIn(reader, 'director', 'complete');
  const [targets, snapshot, timestamp] = VEHICLE_ROLES.map((role) => definitions.get(role));
  if (targets !== undefined && snapshot !== undefined && timestamp !== undefined) {
    return { targets, snapshot, timestamp };
  }
  throw new SecureevError('DIRECTOR_ROOT_MISSING', {
    message: 'the Director has no complete root yet, so no vehicle would believe it',
    hint: '`secureev role set director/root --key ...`, the same for director/targets, director/snapshot and director/timestamp (one online key may serve all three), then `secureev sign director/root --key ...`',
  });
}

/** Makes the keys ready for about `vehicles` vehicles. @throws DIRECTOR_ROOT_MISSING, DIRECTOR_KEYS_MISSING, KEY_NOT_OF_ROLE */
export async function openDirectorKeys(
  reader: Reader,
  keys: readonly SignerKey[],
  vehicles: number,
): Promise<DirectorKeys> {
  const definitions = directorDefinitions(reader);
  const chosen = roleRecord((role) => chooseKeys(role, definitions[role], keys));
  refuseStrangers(keys, Object.values(definitions));
  const used = [...new Set(VEHICLE_ROLES.flatMap((role) => chosen[role]))];
  const lent = used.map((key) => ({ key, bulk: key.lend?.() })).filter(isLent);
  const signatures = vehicles * VEHICLE_ROLES.reduce((sum, role) => sum + chosen[role].length, 0);
  const pool = await reader.io.workers.signing(
    lent.map(({ bulk }) => bulk),
    lent.length === 0 ? 0 : signatures,
  );
  const ready = new Map(used.map((key) => [key, readyKey(reader.io, key, poolPlace(pool, lent, key))]));
  return {
    roles: roleRecord((role) => chosen[role].map((key) => ready.get(key)).filter((key) => key !== undefined)),
    lifetimes: roleRecord((role) => definitions[role].lifetimeSeconds),
    threads: pool.threads,
    fast: lent.length === used.length && reader.io.engine === 'native' && used.every(isNative),
    warnings: revokedAmong(reader, definitions, used),
    crossChecked: () => pool.crossChecked(),
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  };
}

function revokedAmong(
  reader: Reader,
  definitions: Readonly<Record<VehicleRole, RoleDefinition>>,
  used: readonly SignerKey[],
): readonly string[] {
  const members = Object.values(definitions).flatMap((definition) => definition.members);
  const keys = named(
    members,
    used.map(({ publicKey }) => publicKey),
  );
  return revokedSigners(reader, 'director', keys);
}

function roleRecord<T>(of: (role: VehicleRole) => T): Record<VehicleRole, T> {
  return { targets: of('targets'), snapshot: of('snapshot'), timestamp: of('timestamp') };
}

interface LentKey {
  readonly key: SignerKey;
  readonly bulk: BulkKey;
}

function isLent(lent: { key: SignerKey; bulk: BulkKey | undefined }): lent is LentKey {
  return lent.bulk !== undefined;
}

/** The keys that meet the thresholds of a role. @throws DIRECTOR_KEYS_MISSING */
function chooseKeys(role: VehicleRole, definition: RoleDefinition, keys: readonly SignerKey[]): readonly SignerKey[] {
  const { members, threshold } = definition;
  const classical = members.map((member) => member.classical);
  const postQuantum = members.map((member) => member.postQuantum).filter((key) => key !== undefined);
  const families = postQuantum.length === 0 ? [classical] : [classical, postQuantum];
  return families.flatMap((listed) => {
    const found = keys.filter(({ publicKey }) => listed.some((key) => sameKey(key, publicKey)));
    if (found.length >= threshold) return found.slice(0, threshold);
    throw keysMissing(role, definition, found);
  });
}

/** By algorithm and raw key, as the root lists it and not as the signer claims it. */
function sameKey(a: PublicKey, b: PublicKey): boolean {
  return a.algorithm === b.algorithm && equalBytes(a.bytes, b.bytes);
}

function keysMissing(role: VehicleRole, definition: RoleDefinition, found: readonly SignerKey[]): SecureevError {
  const { members, threshold } = definition;
  const holders = members.map(({ holder, classical }) => `${holder} (${classical.keyId.slice(0, 12)})`).join(', ');
  return new SecureevError('DIRECTOR_KEYS_MISSING', {
    message: `director/${role} is signed by ${threshold} of ${holders}; at hand: ${found.length}`,
    hint: 'name its signers with --key; vehicles are signed whole or not at all',
    details: { role: `director/${role}`, needed: threshold, found: found.length },
  });
}

/** A key that belongs to none of the roles was given by mistake. */
function refuseStrangers(keys: readonly SignerKey[], definitions: readonly RoleDefinition[]): void {
  const listed = definitions.flatMap(({ members }) =>
    members.flatMap(({ classical, postQuantum }) => [classical, ...(postQuantum === undefined ? [] : [postQuantum])]),
  );
  const stranger = keys.find(({ publicKey }) => !listed.some((key) => sameKey(key, publicKey)));
  if (stranger === undefined) return;
  const { keyId } = stranger.publicKey;
  throw failure('KEY_NOT_OF_ROLE', `key ${keyId} belongs to none of the Director's online roles`, { keyId });
}

/** Node before 24 has no ML-DSA of its own. */
function isNative({ publicKey }: SignerKey): boolean {
  return signatureAlgorithm(publicKey.algorithm).engines.includes('native');
}

interface PoolPlace {
  readonly pool: SigningPool;
  readonly index: number;
}

function poolPlace(pool: SigningPool, lent: readonly LentKey[], key: SignerKey): PoolPlace | undefined {
  const index = lent.findIndex((one) => one.key === key);
  return index === -1 ? undefined : { pool, index };
}

function readyKey(io: Io, key: SignerKey, place: PoolPlace | undefined): DirectorKey {
  const { publicKey } = key;
  const { family } = signatureAlgorithm(publicKey.algorithm);
  if (place !== undefined) return { publicKey, family, sign: (messages) => place.pool.sign(place.index, messages) };
  return { publicKey, family, sign: inTurn((messages) => signOneByOne(io, key, messages)) };
}

/** A token signs one thing at a time. */
function inTurn<In, Out>(work: (given: In) => Promise<Out>): (given: In) => Promise<Out> {
  let last: Promise<unknown> = Promise.resolve();
  return (given) => {
    const next = last.then(() => work(given));
    last = next.catch(() => undefined);
    return next;
  };
}

async function signOneByOne(io: Io, key: SignerKey, messages: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
  const algorithm = signatureAlgorithm(key.publicKey.algorithm);
  const signatures: Uint8Array[] = [];
  for (const message of messages) {
    const signature = await key.sign(message);
    algorithm.verify({ engine: io.engine, publicKey: key.publicKey.bytes, message, signature });
    signatures.push(signature);
  }
  return signatures;
}
