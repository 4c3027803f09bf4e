/**
 * A repository in memory that builds and signs real metadata, and misbehaves when told to.
 *
 * Tests change its keys and bodies (`edit`, `rotate`, `delegate`), `publish` what they want clients to see, and tamper
 * with `files` or with the source. All cryptography is real; keys come from seeds.
 */
import { instantOf, parseInstant, parseTargetName, parseVersion } from '../core/brands.ts';
import type { Instant, KeyId } from '../core/brands.ts';
import { toHex, utf8 } from '../core/bytes.ts';
import { sha256 } from '../crypto/hash.ts';
import type { SignatureId } from '../crypto/signatures/index.ts';
import { jsonMap } from '../formats/json/json.ts';
import type {
  Delegation,
  KeyRing,
  MetaFile,
  MetadataKey,
  RepositoryKind,
  Root,
  Signed,
  SignedExtension,
  Snapshot,
  SuccinctRoles,
  TargetFile,
  Targets,
  Timestamp,
} from '../formats/metadata/types.ts';
import { dialectOf } from '../formats/metadata/index.ts';
import type { DialectId } from '../formats/metadata/index.ts';
import { metadataFileName } from '../trust/file-names.ts';
import { TEST_NOW } from './clock.ts';
import { signBody, testKey } from './metadata-keys.ts';
import type { RoleSigners } from './metadata-keys.ts';

const ENGINE = 'native';
const DAY = 86_400;

/** How a repository begins. */
export interface SimulatorSetup {
  readonly hybrid?: boolean;
  readonly kind?: RepositoryKind;
  /** UUID; `null` for one without our extension. */
  readonly repository?: string | null;
  readonly consistent?: boolean;
  /** Dialect `aktualizr` goes with Ed25519 keys and un-numbered files. */
  readonly dialect?: DialectId;
  readonly classical?: SignatureId;
  /** Tells the keys of one repository from another's. */
  readonly label?: string;
}

/** The bodies of the roles as they will be signed next. */
export interface Bodies {
  root: Root;
  timestamp: Timestamp;
  snapshot: Snapshot;
  targets: Targets;
}

/** What a published tree is made from, and the tree. */
export interface Simulator {
  readonly now: Instant;
  /** File name -> bytes, as a server has them. */
  readonly files: Map<string, Uint8Array>;
  /** How the tree calls the file of a role other than root and Timestamp. */
  fileName(role: string, version: number): string;
  /** Keys that sign each role from now on. */
  readonly signers: Map<string, RoleSigners>;
  readonly bodies: Bodies;
  /** Delegated roles by name. */
  readonly delegated: Map<string, Targets>;
  /** Changes a body before it is signed. */
  edit<R extends keyof Bodies>(role: R, change: (body: Bodies[R]) => Partial<Bodies[R]>): void;
  editDelegated(role: string, change: (body: Targets) => Partial<Targets>): void;
  /** New keys for a role, and the root (or delegator) that names them with them; not published. */
  rotate(role: string, threshold?: number): void;
  /** Lists a target with this content in `role`. */
  addTarget(name: string, content: Uint8Array | string, role?: string): TargetFile;
  /** Makes a delegation from `from`, and an empty role with fresh keys for each of its roles. */
  delegate(from: string, delegation: TestDelegation): void;
  /** Makes hashed bins below `from`. */
  delegateBins(from: string, bins: { namePrefix: string; bitLength: number }): void;
  /** Signs the next root (or the first, unchanged) and puts it in the tree. */
  publishRoot(): Uint8Array;
  /** Signs new versions of delegated roles, Targets, Snapshot and Timestamp, and puts them in the tree. */
  publish(): void;
  /** Signs Snapshot as it is edited, then Timestamp over it. */
  publishSnapshot(): void;
  publishTimestamp(): void;
  /** Signs any body with the keys of `role`, or with those given. */
  sign(body: Signed, by: string | RoleSigners): Uint8Array;
}

/** A delegation to make; a role is named as the delegation unless `roles` says otherwise. */
export interface TestDelegation extends Partial<Omit<Delegation, 'roles' | 'name'>> {
  readonly name: string;
  readonly paths?: readonly string[];
  readonly roles?: readonly string[];
}

/** The repository's UUID unless a test says otherwise. */
export const TEST_REPOSITORY = '5b1f3f0e-0d3a-4a39-9a3c-6f4f3a0c6c01';

/** Makes a repository with one key a role, two targets, everything published in version 1. */
export function simulateRepository(setup: SimulatorSetup = {}): Simulator {
  const { hybrid = false, kind = 'image', classical = 'ed25519', label = 'a' } = setup;
  const dialect = dialectOf(setup.dialect ?? 'tuf');
  const { consistent = dialect.consistentSnapshot } = setup;
  const repository = setup.repository === undefined ? TEST_REPOSITORY : setup.repository;
  const now = parseInstant(TEST_NOW);
  const files = new Map<string, Uint8Array>();
  const signers = new Map<string, RoleSigners>();
  const delegated = new Map<string, Targets>();
  let generation = 0;

  const freshSigners = (role: string, threshold = 1): RoleSigners => {
    generation++;
    const make = (algorithm: SignatureId) =>
      Array.from({ length: threshold }, (_, index) => testKey(algorithm, `${label} ${role} ${generation} ${index}`));
    return { classical: make(classical), postQuantum: hybrid ? make('ml-dsa-65') : [], threshold };
  };

  const extension = (own: Partial<SignedExtension> = {}): SignedExtension | undefined =>
    repository === null ? undefined : { repository, kind, log: undefined, hybrid: undefined, ...own };

  const common = (days: number) => ({
    specVersion: '1.0.34',
    version: parseVersion(1),
    expires: instantOf(now + days * DAY),
    extension: extension(),
  });

  const signersOf = (role: string): RoleSigners => {
    const found = signers.get(role);
    if (found === undefined) throw new Error(`no keys for ${role}`);
    return found;
  };

  for (const role of TOP) signers.set(role, freshSigners(role));

  const bodies: Bodies = {
    root: {
      role: 'root',
      ...common(365),
      consistentSnapshot: consistent,
      keys: new Map(),
      roles: new Map(),
    },
    timestamp: { role: 'timestamp', ...common(1), snapshot: metaFile(1) },
    snapshot: { role: 'snapshot', ...common(30), meta: new Map() },
    targets: { role: 'targets', ...common(90), targets: new Map(), delegations: undefined, custom: undefined },
  };

  const ringOf = (family: 'classical' | 'postQuantum', roles: readonly string[]): KeyRing => {
    const all = roles.map((role) => [role, signersOf(role)] as const);
    const keys = new Map<KeyId, MetadataKey>();
    for (const { publicKey } of all.flatMap(([, one]) => one[family])) {
      keys.set(publicKey.keyId, { keyId: publicKey.keyId, publicKey });
    }
    const listed = all.map(([role, one]) => {
      return [role, { keyIds: one[family].map((key) => key.publicKey.keyId), threshold: one.threshold }] as const;
    });
    return { keys, roles: new Map(listed) };
  };

  const nameRootKeys = (): void => {
    const own = hybrid ? { hybrid: ringOf('postQuantum', TOP) } : {};
    bodies.root = { ...bodies.root, ...ringOf('classical', TOP), extension: extension(own) };
  };
  nameRootKeys();

  const targetsOf = (role: string): Targets => {
    const found = role === 'targets' ? bodies.targets : delegated.get(role);
    if (found === undefined) throw new Error(`no role ${role}`);
    return found;
  };
  const setTargets = (role: string, body: Targets): void => {
    if (role === 'targets') bodies.targets = body;
    else delegated.set(role, body);
  };

  const sign = (body: Signed, by: string | RoleSigners): Uint8Array => {
    const keys = typeof by === 'string' ? signersOf(by) : by;
    return signBody(body, keys, dialect);
  };

  const fileName = (role: string, version: number | undefined): string => {
    const folder = TOP.some((top) => top === role) ? '' : dialect.delegationsFolder;
    return folder + metadataFileName(role, version);
  };

  const write = (role: string, body: Signed, isNumbered = consistent || body.role === 'root'): Uint8Array => {
    const bytes = sign(body, role);
    files.set(fileName(role, isNumbered && body.role !== 'timestamp' ? body.version : undefined), bytes);
    return bytes;
  };

  const previousRoots: RoleSigners[] = [];
  const publishRoot = (): Uint8Array => {
    const isFirst = !files.has('1.root.json');
    if (!isFirst) bodies.root = { ...bodies.root, version: parseVersion(bodies.root.version + 1) };
    const own = signersOf('root');
    const before = previousRoots.at(-1) ?? own;
    const isSame = before === own;
    const keys = {
      classical: isSame ? own.classical : [...own.classical, ...before.classical],
      postQuantum: isSame ? own.postQuantum : [...own.postQuantum, ...before.postQuantum],
    };
    const bytes = signBody(bodies.root, keys, dialect);
    previousRoots.push(own);
    files.set(metadataFileName('root', bodies.root.version), bytes);
    return bytes;
  };

  const publishTimestamp = (): void => {
    write('timestamp', bodies.timestamp);
  };
  const publishSnapshot = (): void => {
    const bytes = write('snapshot', bodies.snapshot);
    const hashes = new Map([['sha256', toHex(sha256(ENGINE, bytes))]]);
    const listed = { version: bodies.snapshot.version, length: bytes.length, hashes };
    bodies.timestamp = { ...bodies.timestamp, snapshot: listed };
    publishTimestamp();
  };

  const bump = <T extends Signed>(role: string, body: T): T => {
    const name = fileName(role, consistent ? body.version : undefined);
    return files.has(name) ? { ...body, version: parseVersion(body.version + 1) } : body;
  };

  const publish = (): void => {
    for (const [role, body] of delegated) delegated.set(role, bump(role, body));
    bodies.targets = bump('targets', bodies.targets);
    bodies.snapshot = bump('snapshot', bodies.snapshot);
    if (files.has('timestamp.json')) {
      bodies.timestamp = { ...bodies.timestamp, version: parseVersion(bodies.timestamp.version + 1) };
    }
    const meta = new Map<string, MetaFile>();
    for (const [role, body] of [...delegated, ['targets', bodies.targets] as const]) {
      write(role, body);
      meta.set(`${role}.json`, metaFile(body.version));
    }
    bodies.snapshot = { ...bodies.snapshot, meta };
    publishSnapshot();
  };

  const nameDelegates = (from: string, change: { add?: Delegation; succinct?: SuccinctRoles }): void => {
    const body = targetsOf(from);
    const roles = [...(body.delegations?.roles ?? []), ...(change.add === undefined ? [] : [change.add])].map(
      (one) => ({
        ...one,
        roles: one.roles.map(({ name }) => ({ name, ...keysOf(name, 'classical') })),
      }),
    );
    const before = change.succinct ?? body.delegations?.succinct;
    const succinct = before && { ...before, ...keysOf(before.namePrefix, 'classical') };
    const names =
      succinct === undefined ? roles.flatMap((one) => one.roles.map(({ name }) => name)) : [succinct.namePrefix];
    const delegations = { keys: ringOf('classical', names).keys, roles: succinct === undefined ? roles : [], succinct };
    const own = hybrid ? { hybrid: ringOf('postQuantum', [...new Set(names)]) } : {};
    setTargets(from, { ...body, delegations, extension: extension(own) });
  };
  const keysOf = (role: string, family: 'classical' | 'postQuantum') => {
    const one = signersOf(role);
    return { keyIds: one[family].map(({ publicKey }) => publicKey.keyId), threshold: one.threshold };
  };
  const emptyTargets = (): Targets => {
    return { role: 'targets', ...common(90), targets: new Map(), delegations: undefined, custom: undefined };
  };

  const simulator: Simulator = {
    now,
    files,
    fileName: (role, version) => fileName(role, consistent ? version : undefined),
    signers,
    bodies,
    delegated,
    edit(role, change) {
      bodies[role] = { ...bodies[role], ...change(bodies[role]) };
    },
    editDelegated(role, change) {
      const body = targetsOf(role);
      setTargets(role, { ...body, ...change(body) });
    },
    rotate(role, threshold) {
      const old = signersOf(role);
      const fresh = freshSigners(role, threshold ?? old.threshold);
      for (const [name, one] of signers) if (one === old) signers.set(name, fresh);
      if (TOP.some((top) => top === role)) nameRootKeys();
      else for (const from of delegatorsOf(role, ['targets', ...delegated.keys()], targetsOf)) nameDelegates(from, {});
    },
    addTarget(name, content, role = 'targets') {
      const bytes = typeof content === 'string' ? utf8(content) : content;
      const hashes = new Map([['sha256', toHex(sha256(ENGINE, bytes))]]);
      const custom = jsonMap({ hardwareIds: ['HW-1'], releaseCounter: 1, version: '1' });
      const target: TargetFile = { length: bytes.length, hashes, custom };
      const body = targetsOf(role);
      setTargets(role, { ...body, targets: new Map(body.targets).set(parseTargetName(name), target) });
      return target;
    },
    delegate(from, { name, paths = ['*'], roles = [name], ...more }) {
      for (const role of roles) {
        if (!signers.has(role)) signers.set(role, freshSigners(role));
        if (!delegated.has(role) && role !== 'targets') delegated.set(role, emptyTargets());
      }
      const unkeyed = roles.map((role) => ({ name: role, keyIds: [], threshold: 1 }));
      const terms = { scope: { paths }, terminating: false, hardwareIds: undefined, minRolesInAgreement: roles.length };
      nameDelegates(from, { add: { ...terms, ...more, name, roles: unkeyed } });
    },
    delegateBins(from, { namePrefix, bitLength }) {
      signers.set(namePrefix, freshSigners(namePrefix));
      const digits = (2 ** bitLength - 1).toString(16).length;
      for (let bin = 0; bin < 2 ** bitLength; bin++) {
        const name = `${namePrefix}-${bin.toString(16).padStart(digits, '0')}`;
        signers.set(name, signersOf(namePrefix));
        delegated.set(name, emptyTargets());
      }
      nameDelegates(from, { succinct: { keyIds: [], threshold: 1, namePrefix, bitLength } });
    },
    publishRoot,
    publish,
    publishSnapshot,
    publishTimestamp,
    sign,
  };
  simulator.addTarget('EV-1/BRAKE/1.0/brake.bin', 'brake firmware 1.0');
  simulator.addTarget('bundles/1.0/ZG.otap', 'a bundle');
  publishRoot();
  publish();
  return simulator;
}

const TOP = ['root', 'targets', 'snapshot', 'timestamp'] as const;

function metaFile(version: number): MetaFile {
  return { version: parseVersion(version), length: undefined, hashes: undefined };
}

function delegatorsOf(role: string, all: readonly string[], targetsOf: (role: string) => Targets): readonly string[] {
  return all.filter((from) => {
    const { delegations } = targetsOf(from);
    const names = delegations?.roles.flatMap(({ roles }) => roles.map(({ name }) => name)) ?? [];
    return names.includes(role) || delegations?.succinct?.namePrefix === role;
  });
}
