/**
 * What verifies but should not be so: a verified tree read as a careful colleague would.
 *
 * @see python-tuf `tuf/ngclient/config.py` and aktualizr `src/libaktualizr/uptane/fetcher.h` for their limits
 */
import { formatInstant, parseRoleName, parseTargetName } from '../../core/brands.ts';
import type { KeyId } from '../../core/brands.ts';
import { isFailure } from '../../core/errors.ts';
import { isJsonList } from '../../formats/json/json.ts';
import { dialectOf } from '../../formats/metadata/index.ts';
import type { Envelope, KeyRing, MetadataKey, RoleKeys, TargetFile } from '../../formats/metadata/types.ts';
import { keyIdentity } from '../../trust/role-policy.ts';
import type { TrustedSet } from '../../trust/state.ts';
import { lintDelegations } from './lint-delegations.ts';

/** What is looked for. */
export const LINT_CHECKS = {
  'lint-expiry': 'nothing expires soon, and Timestamp does not live long',
  'lint-thresholds': 'every threshold can be met by keys that are known here',
  'lint-shared-keys': 'no key serves two roles',
  'lint-orphan-keys': 'every listed key serves a role',
  'lint-targets': 'every target has a release counter and hardware ids',
  'lint-sizes': 'no file is over what known clients accept',
  'lint-paths': 'names are safe as paths and differ by more than case',
  'lint-delegations': 'every target is listed where its path is delegated to, and every delegation is asked',
} as const;

/** The id of a check of {@link LINT_CHECKS}. */
export type LintId = keyof typeof LINT_CHECKS;

/** One thing that should not be so. */
export interface LintFinding {
  readonly id: LintId;
  readonly role: string;
  readonly detail: string;
}

const HOUR = 3600;
const DAY = 24 * HOUR;
/** Seconds before its expiry from which on a file is reported. */
const NOTICE_SECONDS = { root: 30 * DAY, targets: 14 * DAY, snapshot: 2 * DAY, timestamp: 2 * HOUR } as const;
/** A Timestamp that lives longer lets a client be frozen that long. */
const TIMESTAMP_LIFE_MAX = 31 * DAY;

/** Bytes that known clients accept at most, and the dialects of which that is to be told. */
const CLIENTS = [
  {
    client: 'python-tuf',
    dialects: ['tuf'],
    bytesMax: { root: 512_000, timestamp: 16_384, snapshot: 2_000_000, targets: 5_000_000 },
    directorTargetsMax: 5_000_000,
  },
  {
    client: 'aktualizr',
    dialects: ['tuf', 'aktualizr'],
    bytesMax: { root: 65_536, timestamp: 65_536, snapshot: 65_536, targets: 8 * 1024 * 1024 },
    directorTargetsMax: 65_536,
  },
] as const;

/** A file and the name of its role. */
interface Named {
  readonly role: string;
  readonly file: Envelope;
}

/** Looks through what a client has verified. */
export function lintTree(set: TrustedSet): readonly LintFinding[] {
  const top = [set.root, set.timestamp, set.snapshot].flatMap((file) => (file === undefined ? [] : [file.verified]));
  const files: readonly Named[] = [
    ...top.map((file) => ({ role: file.signed.role, file })),
    ...[...set.targets].map(([role, { file }]) => ({ role, file: file.verified })),
  ];
  const rings = files.flatMap(ringsOf);
  return [
    ...files.flatMap((named) => expiryOf(named, set.terms.now)),
    ...rings.flatMap(unreachable),
    ...sharedKeys(rings),
    ...rings.flatMap(orphans),
    ...files.flatMap(targetFacts),
    ...files.flatMap(sizes),
    ...paths(files),
    ...lintDelegations(set),
  ];
}

function expiryOf({ role, file: { signed } }: Named, now: number): readonly LintFinding[] {
  const left = signed.expires - now;
  const id = 'lint-expiry';
  if (left < NOTICE_SECONDS[signed.role]) return [{ id, role, detail: `expires ${formatInstant(signed.expires)}` }];
  if (signed.role !== 'timestamp' || left <= TIMESTAMP_LIFE_MAX) return [];
  return [{ id, role, detail: `lives until ${formatInstant(signed.expires)}: a client can be frozen as long` }];
}

/** Keys, and the roles that a file gives them to. */
interface Ring {
  readonly by: string;
  readonly keys: KeyRing['keys'];
  readonly roles: readonly (RoleKeys & { readonly name: string })[];
}

function ringsOf({ role, file: { signed } }: Named): readonly Ring[] {
  const rings: Ring[] = [];
  const named = ({ roles }: KeyRing): Ring['roles'] => [...roles].map(([name, keys]) => ({ name, ...keys }));
  if (signed.role === 'root') rings.push({ by: role, keys: signed.keys, roles: named(signed) });
  if (signed.role === 'targets' && signed.delegations !== undefined) {
    const { keys, roles, succinct } = signed.delegations;
    const bins = succinct === undefined ? [] : [{ ...succinct, name: succinct.namePrefix }];
    rings.push({ by: role, keys, roles: [...roles.flatMap((one) => one.roles), ...bins] });
  }
  const hybrid = signed.extension?.hybrid;
  if (hybrid !== undefined) rings.push({ by: role, keys: hybrid.keys, roles: named(hybrid) });
  return rings;
}

function identity(key: MetadataKey | undefined): string | undefined {
  return key?.publicKey && keyIdentity(key.publicKey);
}

function unreachable({ keys, roles }: Ring): readonly LintFinding[] {
  return roles.flatMap(({ name, keyIds, threshold }) => {
    const usable = new Set(keyIds.map((id) => identity(keys.get(id))).filter((one) => one !== undefined));
    if (usable.size >= threshold) return [];
    const detail = `needs ${threshold} signatures, but only ${usable.size} different keys of it are known here`;
    return [{ id: 'lint-thresholds', role: name, detail }];
  });
}

function sharedKeys(rings: readonly Ring[]): readonly LintFinding[] {
  const users = new Map<string, { readonly keyId: KeyId; readonly roles: Set<string> }>();
  for (const { keys, roles } of rings) {
    for (const { name, keyIds } of roles) {
      for (const keyId of keyIds) {
        const key = identity(keys.get(keyId)) ?? keyId;
        const known = users.get(key) ?? { keyId, roles: new Set() };
        known.roles.add(name);
        users.set(key, known);
      }
    }
  }
  return [...users.values()].flatMap(({ keyId, roles: [first, ...others] }) => {
    if (first === undefined || others.length === 0) return [];
    return [{ id: 'lint-shared-keys', role: first, detail: `key ${short(keyId)} serves ${others.join(', ')} too` }];
  });
}

function orphans({ by, keys, roles }: Ring): readonly LintFinding[] {
  const used = new Set(roles.flatMap(({ keyIds }) => keyIds));
  const left = [...keys.keys()].filter((keyId) => !used.has(keyId));
  return left.map((keyId) => ({ id: 'lint-orphan-keys', role: by, detail: `key ${short(keyId)} serves no role` }));
}

function short(keyId: KeyId): string {
  return keyId.slice(0, 16);
}

const COUNTER = 'release counter';

function targetFacts({ role, file: { signed, dialect } }: Named): readonly LintFinding[] {
  if (signed.role !== 'targets') return [];
  const { targetsCount } = dialectOf(dialect);
  return [...signed.targets].flatMap(([name, target]) => {
    const missing = missingFacts(target).filter((fact) => targetsCount || fact !== COUNTER);
    if (missing.length === 0) return [];
    return [{ id: 'lint-targets', role, detail: `${name} has no ${missing.join(' and no ')}` }];
  });
}

function missingFacts({ custom }: TargetFile): readonly string[] {
  const hardware = custom?.get('hardwareIds');
  const hasHardware = isJsonList(hardware) && hardware.length > 0;
  const counter = custom?.get('releaseCounter');
  const hasCounter = typeof counter === 'number' || typeof counter === 'bigint';
  return [...(hasCounter ? [] : [COUNTER]), ...(hasHardware ? [] : ['hardware id'])];
}

function sizes({ role, file: { bytes, signed, dialect } }: Named): readonly LintFinding[] {
  const isDirector = signed.role === 'targets' && signed.extension?.kind === 'director';
  return CLIENTS.flatMap(({ client, dialects, bytesMax, directorTargetsMax }) => {
    const limit = isDirector ? directorTargetsMax : bytesMax[signed.role];
    if (bytes.length <= limit || !dialects.some((one) => one === dialect)) return [];
    return [{ id: 'lint-sizes', role, detail: `${bytes.length} bytes; ${client} accepts ${limit}` }];
  });
}

function paths(files: readonly Named[]): readonly LintFinding[] {
  return files.flatMap(({ role, file: { signed } }) => {
    if (signed.role !== 'targets') return [];
    const names = [...signed.targets.keys()];
    const unsafe = names.filter((name) => !isSafe(() => parseTargetName(name)));
    const details = [...unsafe.map((name) => `unsafe target name ${JSON.stringify(name)}`), ...alike(names)];
    if (role !== 'targets' && !isSafe(() => parseRoleName(role))) details.push('unsafe role name');
    return details.map((detail) => ({ id: 'lint-paths', role, detail }) as const);
  });
}

function alike(names: readonly string[]): readonly string[] {
  const seen = new Map<string, string>();
  return names.flatMap((name) => {
    const folded = name.toLowerCase();
    const other = seen.get(folded);
    seen.set(folded, name);
    return other === undefined ? [] : [`${JSON.stringify(other)} and ${JSON.stringify(name)} differ by case alone`];
  });
}

function isSafe(parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch (thrown) {
    if (isFailure(thrown, 'VALUE_MALFORMED')) return false;
    throw thrown;
  }
}
