/** Signing requests in words: what the bytes would change, who must sign, what came of it. */
import { formatInstant } from '../core/brands.ts';
import type { Instant } from '../core/brands.ts';
import { toHex } from '../core/bytes.ts';
import { changeJson, changeText } from './changes.ts';
import type { ShownChange } from './changes.ts';
import { fingerprint, shortId } from './fingerprint.ts';
import { indented, table } from './table.ts';
import { count, size } from './text.ts';
import type { Manifest } from '../formats/otap/bundle.ts';

/** A verified request. */
export interface ShownRequest {
  readonly digest: Uint8Array;
  readonly view: ShownRoleRequest | ShownBundleRequest;
  readonly thresholds: readonly {
    readonly delegator: string;
    readonly family: string;
    readonly threshold: number;
    readonly keyIds: readonly string[];
  }[];
}

/** A role's new version. */
export interface ShownRoleRequest {
  readonly kind: 'role';
  readonly role: string;
  readonly version: number;
  readonly expires: Instant;
  readonly previousExpires: Instant | undefined;
  readonly changes: readonly ShownChange[];
}

/** A bundle. */
export interface ShownBundleRequest {
  readonly kind: 'bundle';
  readonly role: string;
  readonly gateway: string;
  readonly manifest: Manifest;
}

/** What a person reads before signing. */
export function requestText({ digest, view, thresholds }: ShownRequest): string {
  const quorum = thresholds.map(
    ({ delegator, family, threshold, keyIds }) => `${threshold} of ${keyIds.length} ${family} keys of ${delegator}`,
  );
  const lines = view.kind === 'role' ? roleLines(view) : bundleLines(view);
  return [...lines, `request ${fingerprint(toHex(digest))}`, 'must be signed by:', indented(quorum.join('\n'))].join(
    '\n',
  );
}

function roleLines({ role, version, expires, previousExpires, changes }: ShownRoleRequest): readonly string[] {
  const was = previousExpires === undefined ? '' : ` (was ${formatInstant(previousExpires)})`;
  const words = changes.map(changeText).join('\n');
  return [
    `${role} ${version}, expires ${formatInstant(expires)}${was}`,
    'changes:',
    indented(words === '' ? 'none but version and expiry' : words),
  ];
}

function bundleLines({ gateway, manifest }: ShownBundleRequest): readonly string[] {
  const rows = manifest.images.map((image) => [
    image.target,
    image.version,
    String(image.releaseCounter),
    size(image.sizeBytes),
    toHex(image.sha256),
    image.ecus.map(({ id, hardwareId }) => `${id} (${hardwareId})`).join(', '),
  ]);
  return [
    `bundle of release ${manifest.release} for gateway ${gateway}, model ${manifest.model}, counter ${manifest.releaseCounter}, made ${formatInstant(manifest.time)}`,
    table({ head: ['image', 'version', 'counter', 'size', 'sha256', 'ECUs'], rows, right: [2, 3] }),
  ];
}

/** The same as JSON. */
export function requestJson({ digest, view, thresholds }: ShownRequest): Readonly<Record<string, unknown>> {
  const shared = { subject: view.kind, role: view.role, digest: toHex(digest), thresholds };
  if (view.kind === 'bundle') {
    const { gateway, manifest } = view;
    const images = manifest.images.map(({ target, version, releaseCounter, sizeBytes, sha256, ecus }) => {
      return { target, version, releaseCounter, sizeBytes, sha256: toHex(sha256), ecus: ecus.map(({ id }) => id) };
    });
    return { ...shared, gateway, release: manifest.release, model: manifest.model, images };
  }
  return {
    ...shared,
    version: view.version,
    expires: formatInstant(view.expires),
    previousExpires: view.previousExpires === undefined ? null : formatInstant(view.previousExpires),
    changes: view.changes.map(changeJson),
  };
}

/** A request in a list. */
export interface ListedRequest {
  readonly digest: Uint8Array;
  /** A role as people write it, or a bundle's target name. */
  readonly subject: string;
  /** Of a role. */
  readonly version: number | undefined;
  readonly createdAt: Instant;
  readonly state: 'waiting' | 'complete' | 'cancelled';
}

/** A table of requests. */
export function requestsText(requests: readonly ListedRequest[]): string {
  if (requests.length === 0) return 'no requests';
  const rows = requests.map(({ digest, subject, version, createdAt, state }) => [
    shortId(toHex(digest)),
    subject,
    version === undefined ? '' : String(version),
    formatInstant(createdAt),
    state,
  ]);
  return table({ head: ['request', 'for', 'version', 'created', 'state'], rows, right: [2] });
}

/** The same as JSON. */
export function listedRequestJson(request: ListedRequest): Readonly<Record<string, unknown>> {
  const { digest, subject, version = null, createdAt, state } = request;
  return { digest: toHex(digest), subject, version, created: formatInstant(createdAt), state };
}

/** What came of a bundle that signatures were imported for. */
export interface ShownCompletion {
  readonly target: string;
  readonly path: string;
  readonly complete: boolean;
  readonly added: number;
  readonly missing: readonly {
    readonly section: string;
    readonly needed: number;
    readonly signed: readonly string[];
    readonly missing: readonly string[];
  }[];
}

/** One paragraph a bundle. */
export function completionText({ target, path, complete, added, missing }: ShownCompletion): string {
  const head = `${path} (${target}): ${count(added, 'signature')} added`;
  if (complete) return `${head}, complete and staged`;
  const waits = missing.map(
    (one) =>
      `${one.signed.length} of ${one.needed} ${one.section} keys, waiting for ${one.missing.map(shortId).join(' or ')}`,
  );
  return `${head}\n${indented(waits.join('\n'))}`;
}
