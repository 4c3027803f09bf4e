/** Where a repository stands, as text. */
import { formatInstant } from '../core/brands.ts';
import type { Instant } from '../core/brands.ts';
import { elsewhereText } from './delegations.ts';
import { keyText, thresholdsText } from './role-outcomes.ts';
import type { ShownKey, ShownThreshold } from './role-outcomes.ts';
import { indented, table } from './table.ts';
import { count, duration, printableLine } from './text.ts';

/** How many of how many keys must sign. */
export interface ShownQuorum {
  readonly threshold: number;
  readonly keys: number;
}

/** Where a role stands. */
export interface ShownRoleStatus {
  readonly role: string;
  readonly version: number | null;
  readonly expires: Instant | null;
  readonly expired: boolean;
  readonly due: boolean;
  readonly delegator: string | null;
  readonly quorum: ShownQuorum | null;
  readonly stagedQuorum: ShownQuorum | null;
  readonly staged: number;
  readonly reasons: readonly string[];
  readonly pending: { readonly version: number; readonly thresholds: readonly ShownThreshold[] } | null;
  readonly bins?: { readonly total: number; readonly complete: number; readonly waiting: number } | undefined;
}

/** Where a repository stands. */
export interface ShownStatus {
  readonly identity: { readonly name: string; readonly dialect: string; readonly uuid: string };
  readonly hold: string | null;
  readonly log: number;
  readonly vehicles: number;
  readonly roles: readonly ShownRoleStatus[];
  readonly elsewhere: readonly { readonly role: string; readonly targets: number }[];
  readonly director: ShownDirector | null;
  readonly revoked: readonly ShownRevokedListing[];
}

/** A role that lists a revoked key. */
export interface ShownRevokedListing extends ShownKey {
  readonly role: string;
  readonly needs: 'replace' | 'remove' | 'sign';
  readonly command: string;
}

/** Where the Director's vehicles stand, in numbers of vehicles. */
export interface ShownDirector {
  readonly signed: number;
  readonly changed: number;
  readonly due: number;
  readonly expired: number;
  readonly nextExpiry: Instant | null;
}

const REASONS: Readonly<Record<string, string>> = {
  first: 'no version yet',
  staged: 'staged changes',
  listed: 'lists older versions',
  keys: 'keys of the root have changed',
};

/** The repository, a table of roles, and what waits for signatures. */
export function statusText(status: ShownStatus, now: Instant): string {
  const { name, dialect, uuid } = status.identity;
  const head = `${printableLine(name)} (${dialect}, ${uuid})`;
  const counts = `${count(status.vehicles, 'vehicle')}, ${count(status.log, 'log entry', 'log entries')}`;
  const hold = status.hold === null ? [] : [`ON HOLD: ${printableLine(status.hold)}`];
  const rows = status.roles.map((role) => [
    nameText(role),
    role.version === null ? '-' : String(role.version),
    quorumsText(role),
    expiryText(role, now),
    nextText(role),
  ]);
  const roles = table({ head: ['role', 'version', 'quorum', 'expires', 'next'], rows, right: [1] });
  return [
    `${head}, ${counts}`,
    ...hold,
    roles,
    ...status.roles.flatMap(pendingText),
    ...status.revoked.map(revokedText),
    ...elsewhereText(status.elsewhere),
    ...directorText(status.director, now),
  ].join('\n');
}

const NEEDS = {
  replace: 'NEEDS A REPLACEMENT',
  remove: 'must be taken out',
  sign: 'counts until the next version is signed',
} as const;

function revokedText(listing: ShownRevokedListing): string {
  const { role, needs, command } = listing;
  return `${role} lists the revoked key ${keyText(listing)}, which ${NEEDS[needs]}: \`${command}\``;
}

function directorText(director: ShownDirector | null, now: Instant): readonly string[] {
  if (director === null) return [];
  const { signed, changed, due, expired, nextExpiry } = director;
  const parts = [
    `${count(signed, 'vehicle')} signed`,
    ...(changed === 0 ? [] : [`${changed} changed since: \`secureev sign director\``]),
    ...(due === 0 ? [] : [`${due} due`]),
    ...(expired === 0 ? [] : [`${expired} EXPIRED`]),
    ...(nextExpiry === null ? [] : [firstExpiry(nextExpiry, now)]),
  ];
  return [`director: ${parts.join(', ')}`];
}

function firstExpiry(next: Instant, now: Instant): string {
  const when = next <= now ? 'past' : `in ${duration(next - now)}`;
  return `first expiry ${formatInstant(next)} ${when}`;
}

function nameText({ role, bins }: ShownRoleStatus): string {
  return bins === undefined ? role : `${role} (${bins.complete} of ${bins.total} bins)`;
}

/** What is in force, and what is staged beside it. */
function quorumsText({ quorum, stagedQuorum }: ShownRoleStatus): string {
  const quorums = [
    ...(quorum === null ? [] : [`${quorum.threshold} of ${quorum.keys}`]),
    ...(stagedQuorum === null ? [] : [`${stagedQuorum.threshold} of ${stagedQuorum.keys} (staged)`]),
  ];
  return quorums.length === 0 ? 'no keys' : quorums.join(', ');
}

function expiryText(role: ShownRoleStatus, now: Instant): string {
  if (role.expires === null) return '-';
  if (role.expired) return `${formatInstant(role.expires)} EXPIRED`;
  const left = `in ${duration(role.expires - now)}`;
  return `${formatInstant(role.expires)} ${left}${role.due ? ', due' : ''}`;
}

function nextText(role: ShownRoleStatus): string {
  if (role.pending !== null) return `version ${role.pending.version} waits for signatures`;
  const reasons = role.reasons.map((reason) => reasonText(role, reason));
  const staged = role.staged === 0 ? '' : ` (${role.staged})`;
  return reasons.length === 0 ? '-' : reasons.join(', ').replace('staged changes', `staged changes${staged}`);
}

/** Keys are given by the root, or by whoever delegates. */
function reasonText({ delegator }: ShownRoleStatus, reason: string): string {
  if (reason === 'keys' && delegator !== null) return `keys that ${delegator} delegates to have changed`;
  return REASONS[reason] ?? reason;
}

function pendingText(role: ShownRoleStatus): readonly string[] {
  if (role.pending === null) return [];
  return [`${role.role} ${role.pending.version}:`, indented(thresholdsText(role.pending.thresholds))];
}
