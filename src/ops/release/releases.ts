/**
 * `release list` and `release show`: what was packaged, from its plan to what of it is signed and sealed (R1, R5).
 */
import type { Instant, TargetName } from '../../core/brands.ts';
import { instantOf } from '../../core/brands.ts';
import { toHex } from '../../core/bytes.ts';
import { SecureevError } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import { findPendingBundle, pendingBundlesOf } from '../../store/pending-bundles.ts';
import { bundlesOf, findRelease, releaseImages, releases } from '../../store/releases.ts';
import type { Release } from '../../store/releases.ts';
import type { Reader } from '../../store/reader.ts';
import { findRole } from '../../store/roles.ts';
import { countEnvelopes, findSealedPayload } from '../../store/sealed.ts';
import { findTarget } from '../../store/targets.ts';
import { openChosen } from '../repository/locate.ts';
import type { RepositoryChoice } from '../repository/locate.ts';
import { isAllPublished } from '../repository/situation.ts';
import { raisedSince } from './outdated.ts';
import { sealedTargetName } from './sealed-target.ts';

/**
 * How far something is: bundles that lack signatures, staged for the next version of a role, listed in the last complete
 * version, or listed no more.
 */
export type ReleaseState = 'unsigned' | 'staged' | 'complete' | 'removed';

/** A target of a release. */
export interface ReleaseTarget {
  readonly target: TargetName;
  readonly state: ReleaseState;
  /** The role that lists it. */
  readonly role: string | null;
  /** The complete version of that role. */
  readonly roleVersion: number | null;
  readonly length: number | null;
  /** In hex. */
  readonly sha256: string | null;
  readonly hardwareIds: readonly string[];
  readonly version: string | null;
  readonly releaseCounter: number | null;
}

/** An image and the ECUs that get it. */
export interface ReleaseImageFacts extends ReleaseTarget {
  readonly ecus: readonly string[];
}

/** A bundle, and its sealed payload where there is one. */
export interface ReleaseBundleFacts extends ReleaseTarget {
  readonly gateway: string;
  readonly sealed: {
    readonly target: string;
    readonly state: ReleaseState;
    readonly suite: string;
    /** Recipients now, the escrow included. */
    readonly envelopes: number;
  } | null;
}

/** A release in a list. */
export interface ListedRelease {
  readonly name: string;
  readonly model: string;
  readonly confidential: boolean;
  readonly createdAt: Instant;
  readonly state: ReleaseState;
  /** A confidential one whose bundles all have a complete sealed payload; null for others. */
  readonly sealed: boolean | null;
  /** `publish image` would put it out. */
  readonly publishable: boolean;
  /** It is in the tree that was published last, and nothing was signed since. */
  readonly published: boolean;
  /** Images of it got higher release counters since its bundles were made, which vehicles therefore refuse. */
  readonly outdated: boolean;
  readonly images: number;
  readonly bundles: number;
}

/** All of a release. */
export interface ReleaseDetails {
  readonly release: ListedRelease;
  readonly images: readonly ReleaseImageFacts[];
  readonly bundles: readonly ReleaseBundleFacts[];
  /** The plan as it was packaged: purpose, notes, approvals and evidence as written, and what images demand. */
  readonly plan: Release['plan'];
}

/** All releases, newest first. */
export async function listReleases(
  input: { repository: RepositoryChoice; model?: string | undefined },
  io: Io,
): Promise<readonly ListedRelease[]> {
  using repository = await openChosen(io, input.repository, { readOnly: true });
  const wanted = releases(repository).filter(({ model }) => input.model === undefined || model === input.model);
  const isPublished = isAllPublished(repository);
  return wanted.map((release) => detailsOf(repository, release, isPublished).release);
}

/** One release. @throws RELEASE_UNKNOWN */
export async function showRelease(
  input: { repository: RepositoryChoice; name: string },
  io: Io,
): Promise<ReleaseDetails> {
  using repository = await openChosen(io, input.repository, { readOnly: true });
  return detailsOf(repository, requireRelease(repository, input.name), isAllPublished(repository));
}

/** A release by name. @throws RELEASE_UNKNOWN */
export function requireRelease(reader: Reader, name: string): Release {
  const release = findRelease(reader, name);
  if (release !== undefined) return release;
  throw new SecureevError('RELEASE_UNKNOWN', {
    message: `there is no release ${name}`,
    hint: '`secureev release list` shows them',
    details: { release: name },
  });
}

const STATES: readonly ReleaseState[] = ['removed', 'unsigned', 'staged', 'complete'];

function detailsOf(reader: Reader, release: Release, isPublished: boolean): ReleaseDetails {
  const { name, model, confidential, createdAt, plan } = release;
  const images = imagesOf(reader, name);
  const bundles = bundleFactsOf(reader, name);
  const states = new Set([...images, ...bundles].map((one) => one.state));
  const state = STATES.find((one) => states.has(one)) ?? 'removed';
  const sealed = confidential ? bundles.every((bundle) => bundle.sealed?.state === 'complete') : null;
  const counts = { images: images.length, bundles: bundles.length };
  const outdated = raisedSince(reader, name, 'complete').length > 0;
  const publishable = state === 'complete' && sealed !== false && !outdated;
  const facts = { name, model, confidential, createdAt: instantOf(createdAt), state, sealed, publishable };
  return { release: { ...facts, published: publishable && isPublished, outdated, ...counts }, images, bundles, plan };
}

function imagesOf(reader: Reader, release: string): readonly ReleaseImageFacts[] {
  const ecus = new Map<TargetName, string[]>();
  for (const { ecu, target } of releaseImages(reader, release)) ecus.set(target, [...(ecus.get(target) ?? []), ecu]);
  return [...ecus].map(([target, names]) => ({ ...targetFactsOf(reader, target), ecus: names }));
}

function bundleFactsOf(reader: Reader, release: string): readonly ReleaseBundleFacts[] {
  const signed = bundlesOf(reader, release).map(({ gateway, target }) => ({ gateway, target }));
  const waiting = pendingBundlesOf(reader, release).map(({ gateway, target }) => ({ gateway, target }));
  const all = new Map([...signed, ...waiting].map((bundle) => [bundle.target, bundle.gateway]));
  return [...all].map(([target, gateway]) => ({
    ...targetFactsOf(reader, target),
    ...(findPendingBundle(reader, target) !== undefined && { state: 'unsigned' as const }),
    gateway,
    sealed: sealedOf(reader, target),
  }));
}

function targetFactsOf(reader: Reader, target: TargetName): ReleaseTarget {
  const found = findTarget(reader, target);
  if (found === undefined) {
    const nothing = { role: null, roleVersion: null, length: null, sha256: null, version: null, releaseCounter: null };
    return { target, state: 'removed', hardwareIds: [], ...nothing };
  }
  const { hardwareIds, version, releaseCounter } = found.custom;
  const role = findRole(reader, { repository: 'image', name: found.role });
  return {
    target,
    state: found.complete ? 'complete' : 'staged',
    role: found.role,
    roleVersion: found.complete ? (role?.completeVersion ?? null) : null,
    length: found.length,
    sha256: toHex(found.sha256),
    hardwareIds: Array.isArray(hardwareIds) ? hardwareIds.map(String) : [],
    version: typeof version === 'string' ? version : null,
    releaseCounter: typeof releaseCounter === 'number' ? releaseCounter : null,
  };
}

/** A payload of an earlier issue of the bundle does not count. */
function sealedOf(reader: Reader, clear: TargetName): ReleaseBundleFacts['sealed'] {
  const listed = findTarget(reader, sealedTargetName(clear));
  const payload = listed && findSealedPayload(reader, listed.sha256);
  if (payload === undefined || listed === undefined) return null;
  const { target, suite, sha256 } = payload;
  return {
    target,
    suite,
    state: listed.complete ? 'complete' : 'staged',
    envelopes: countEnvelopes(reader, sha256).now,
  };
}
