/** Releases as text and as JSON. */
import { formatInstant } from '../core/brands.ts';
import type { Instant } from '../core/brands.ts';
import { shortId } from './fingerprint.ts';
import { fields, indented, table } from './table.ts';
import { printableLine, size } from './text.ts';

/** A release in a list. */
export interface ShownListedRelease {
  readonly name: string;
  readonly model: string;
  readonly confidential: boolean;
  readonly createdAt: Instant;
  readonly state: string;
  readonly sealed: boolean | null;
  readonly publishable: boolean;
  readonly published: boolean;
  readonly outdated: boolean;
  readonly images: number;
  readonly bundles: number;
}

/** A target of a release. */
export interface ShownReleaseTarget {
  readonly target: string;
  readonly state: string;
  readonly role: string | null;
  readonly roleVersion: number | null;
  readonly length: number | null;
  readonly sha256: string | null;
  readonly hardwareIds: readonly string[];
  readonly version: string | null;
  readonly releaseCounter: number | null;
}

/** All of a release. */
export interface ShownReleaseDetails {
  readonly release: ShownListedRelease;
  readonly images: readonly (ShownReleaseTarget & { readonly ecus: readonly string[] })[];
  readonly bundles: readonly (ShownReleaseTarget & {
    readonly gateway: string;
    readonly sealed: { target: string; state: string; suite: string; envelopes: number } | null;
  })[];
  readonly plan: Readonly<Record<string, unknown>>;
}

/** What `release.yaml` says for people, in its order, and where images come from that others signed. */
const RECORD = ['purpose', 'notes', 'approvals', 'evidence', 'provenance'] as const;

/** Releases, newest first. */
export function releasesText(releases: readonly ShownListedRelease[]): string {
  if (releases.length === 0) return 'no releases';
  const rows = releases.map((release) => [
    release.name,
    release.model,
    formatInstant(release.createdAt),
    String(release.images),
    String(release.bundles),
    stateText(release),
  ]);
  return table({ head: ['release', 'model', 'packaged', 'images', 'bundles', 'state'], rows, right: [3, 4] });
}

/** A release as JSON. */
export function listedReleaseJson(release: ShownListedRelease): Readonly<Record<string, unknown>> {
  return { ...release, createdAt: formatInstant(release.createdAt) };
}

/** All of a release as JSON. */
export function releaseJson({
  release,
  images,
  bundles,
  plan,
}: ShownReleaseDetails): Readonly<Record<string, unknown>> {
  return { release: listedReleaseJson(release), images, bundles, ...recordOf(plan), plan };
}

/** All of a release. */
export function releaseText({ release, images, bundles, plan }: ShownReleaseDetails): string {
  const head = fields([
    ['release', release.name],
    ['model', release.model],
    ['packaged', formatInstant(release.createdAt)],
    ['state', stateText(release)],
    ...Object.entries(recordOf(plan)).map(([name, value]): readonly [string, string] => [name, recordText(value)]),
  ]);
  const imageRows = images.map((image) => [image.target, image.ecus.join(', '), ...targetCells(image)]);
  const bundleRows = bundles.map((bundle) => [
    bundle.target,
    bundle.gateway,
    ...targetCells(bundle),
    sealedText(bundle),
  ]);
  const columns = ['hardware', 'version', 'counter', 'size', 'sha256', 'listed by'];
  return [
    head,
    `images\n${indented(table({ head: ['target', 'ECUs', ...columns], rows: imageRows, right: [4, 5] }))}`,
    `bundles\n${indented(table({ head: ['target', 'gateway', ...columns, 'sealed'], rows: bundleRows, right: [4, 5] }))}`,
  ].join('\n\n');
}

function recordOf(plan: ShownReleaseDetails['plan']): Readonly<Record<string, unknown>> {
  const written: object = typeof plan['record'] === 'object' && plan['record'] !== null ? plan['record'] : {};
  const all: Readonly<Record<string, unknown>> = { ...written, provenance: plan['provenance'] };
  return Object.fromEntries(RECORD.flatMap((name) => (all[name] === undefined ? [] : [[name, all[name]]])));
}

function recordText(value: unknown): string {
  return printableLine(typeof value === 'string' ? value : JSON.stringify(value));
}

function targetCells(target: ShownReleaseTarget): readonly string[] {
  return [
    target.hardwareIds.join(', '),
    target.version ?? '',
    String(target.releaseCounter ?? ''),
    target.length === null ? '' : size(target.length),
    target.sha256 === null ? '' : shortId(target.sha256),
    listedText(target),
  ];
}

function listedText({ state, role, roleVersion }: ShownReleaseTarget): string {
  if (state === 'complete') return `${role} ${roleVersion}`;
  if (state === 'staged') return `${role}, staged`;
  return state === 'unsigned' ? 'waits for signatures' : 'nobody any more';
}

function sealedText({ sealed }: ShownReleaseDetails['bundles'][number]): string {
  if (sealed === null) return 'no';
  return `${sealed.suite}, ${sealed.envelopes} envelopes${sealed.state === 'complete' ? '' : ', staged'}`;
}

const STATES: Readonly<Record<string, string>> = {
  unsigned: 'bundles wait for signatures',
  staged: 'staged, to be signed',
  complete: 'signed',
  removed: 'no longer listed in full',
};

function stateText({ state, sealed, publishable, published, outdated }: ShownListedRelease): string {
  const text = STATES[state] ?? state;
  if (outdated) return `${text}, OUTDATED: images have higher counters now; build it again with --reissue`;
  if (sealed === null && !publishable) return `${text}, not confidential`;
  if (sealed === false) return `${text}, not sealed yet`;
  const how = sealed === null ? 'in clear' : 'sealed';
  if (!publishable) return `${text}, ${how}`;
  return `${text}, ${how}, ${published ? 'published' : 'to be published'}`;
}
