/** Signing requests in words: what the bytes would change, who must sign, what came of it. */
import { formatInstant } from '../core/brands.ts';
import type { Instant } from '../core/brands.ts';
import { toHex } from '../core/bytes.ts';
import { changeJson, changeText } from './changes.ts';
import type { ShownChange } from './changes.ts';
import { fingerprint, shortId } from './fingerprint.ts';
import { indented, table } from './table.ts';

/** A verified request. */
export interface ShownRequest {
  readonly digest: Uint8Array;
  readonly role: string;
  readonly version: number;
  readonly expires: Instant;
  readonly previousExpires: Instant | undefined;
  readonly changes: readonly ShownChange[];
  readonly thresholds: readonly {
    readonly delegator: string;
    readonly family: string;
    readonly threshold: number;
    readonly keyIds: readonly string[];
  }[];
}

/** What a person reads before signing. */
export function requestText(request: ShownRequest): string {
  const was = request.previousExpires === undefined ? '' : `, before ${formatInstant(request.previousExpires)}`;
  const changes = request.changes.map(changeText).join('\n');
  const quorum = request.thresholds.map(
    ({ delegator, family, threshold, keyIds }) => `${threshold} of ${keyIds.length} ${family} keys of ${delegator}`,
  );
  return [
    `${request.role} ${request.version}, expires ${formatInstant(request.expires)}${was}`,
    `request ${fingerprint(toHex(request.digest))}`,
    'changes:',
    indented(changes === '' ? 'none but version and expiry' : changes),
    'must be signed by:',
    indented(quorum.join('\n')),
  ].join('\n');
}

/** The same as JSON. */
export function requestJson(request: ShownRequest): Readonly<Record<string, unknown>> {
  return {
    role: request.role,
    version: request.version,
    digest: toHex(request.digest),
    expires: formatInstant(request.expires),
    previousExpires: request.previousExpires === undefined ? null : formatInstant(request.previousExpires),
    changes: request.changes.map(changeJson),
    thresholds: request.thresholds,
  };
}

/** A request in a list. */
export interface ListedRequest {
  readonly digest: Uint8Array;
  readonly repository: string;
  readonly role: string;
  readonly version: number;
  readonly createdAt: Instant;
  readonly state: string;
}

/** A table of requests. */
export function requestsText(requests: readonly ListedRequest[]): string {
  if (requests.length === 0) return 'no requests';
  const rows = requests.map((request) => [
    shortId(toHex(request.digest)),
    nameOf(request),
    String(request.version),
    formatInstant(request.createdAt),
    request.state === 'frozen' ? 'waiting' : request.state,
  ]);
  return table({ head: ['request', 'role', 'version', 'created', 'state'], rows, right: [2] });
}

/** The same as JSON. */
export function listedRequestJson(request: ListedRequest): Readonly<Record<string, unknown>> {
  const { version, state } = request;
  return {
    digest: toHex(request.digest),
    role: nameOf(request),
    version,
    created: formatInstant(request.createdAt),
    state: state === 'frozen' ? 'waiting' : state,
  };
}

function nameOf({ repository, role }: ListedRequest): string {
  return repository === 'director' ? `director/${role}` : role;
}
