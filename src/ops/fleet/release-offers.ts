/**
 * A release as it is offered to vehicles: every image for its ECU, every bundle for its gateway; and what is known of any
 * target that a vehicle has.
 */
import type { TargetName } from '../../core/brands.ts';
import { parseTargetName } from '../../core/brands.ts';
import { toHex } from '../../core/bytes.ts';
import { SecureevError } from '../../core/errors.ts';
import type { Offer, Offers, TargetFacts } from '../../plan/assignment.ts';
import { sealedName } from '../../plan/director-bodies.ts';
import type { Demand } from '../../plan/requirements.ts';
import { bundlesOf, findRelease, releaseImages } from '../../store/releases.ts';
import type { Release } from '../../store/releases.ts';
import type { Reader } from '../../store/reader.ts';
import { refuseOutdated } from '../release/outdated.ts';
import { isAllListed } from '../repository/situation.ts';
import { completeTarget } from './director/image-targets.ts';

/** A release and what it offers. */
export interface ReleaseOffers {
  readonly release: Release;
  readonly offers: Offers;
}

/** The offers of a release. @throws RELEASE_UNKNOWN, RELEASE_NOT_COMPLETE, RELEASE_NOT_ENCRYPTED, RELEASE_OUTDATED */
export function releaseOffers(reader: Reader, name: string): ReleaseOffers {
  const release = findRelease(reader, name);
  if (release === undefined) {
    throw new SecureevError('RELEASE_UNKNOWN', {
      message: `there is no release ${name}`,
      hint: '`secureev release list` shows them',
    });
  }
  const bundles = bundlesOf(reader, name).map(({ gateway, target }) => ({ ecu: gateway, target }));
  const pairs = [...releaseImages(reader, name), ...bundles];
  if (bundles.length === 0) throw notComplete(name, 'none of its bundles has all its signatures');
  const facts = targetFacts(reader);
  const offers = pairs.map(({ ecu, target }): Offer => {
    const known = facts(target);
    if (known === undefined) throw notComplete(name, `${target} is in no complete Targets`);
    return { ...known, ecu };
  });
  if (release.confidential) for (const { target } of bundles) requireSealed(reader, name, target);
  refuseOutdated(reader, name);
  if (!isAllListed(reader)) throw notComplete(name, 'Snapshot and Timestamp do not list yet what was signed');
  return { release, offers: { model: release.model, confidential: release.confidential, offers } };
}

function requireSealed(reader: Reader, release: string, target: TargetName): void {
  if (completeTarget(reader, sealedName(target)) !== undefined) return;
  throw new SecureevError('RELEASE_NOT_ENCRYPTED', {
    message: `release ${release} is confidential, and the sealed payload of ${target} is in no complete Targets`,
    hint: 'make it with `secureev encrypt`, then sign targets, snapshot and timestamp',
    details: { release, target },
  });
}

function notComplete(release: string, why: string): SecureevError {
  return new SecureevError('RELEASE_NOT_COMPLETE', {
    message: `release ${release} is not complete: ${why}`,
    hint: 'sign targets, snapshot and timestamp; `secureev status` shows what waits',
    details: { release },
  });
}

/** Targets whose facts are kept; a fleet is mostly on few releases. */
const KEPT_MAX = 4096;

/** Gives the facts of complete targets by name, each looked up once; undefined where nothing is known of it. */
export function targetFacts(reader: Reader): (target: string) => TargetFacts | undefined {
  const kept = new Map<string, TargetFacts | undefined>();
  return (target) => {
    if (kept.has(target)) return kept.get(target);
    if (kept.size >= KEPT_MAX) kept.clear();
    const facts = findFacts(reader, parseTargetName(target));
    kept.set(target, facts);
    return facts;
  };
}

function findFacts(reader: Reader, name: TargetName): TargetFacts | undefined {
  const target = completeTarget(reader, name);
  if (target === undefined) return undefined;
  const { hardwareIds, version, releaseCounter } = target.custom;
  return {
    target: name,
    sha256: toHex(target.sha256),
    hardwareIds: Array.isArray(hardwareIds) ? hardwareIds.map(String) : [],
    version: typeof version === 'string' ? version : undefined,
    releaseCounter: typeof releaseCounter === 'number' ? releaseCounter : undefined,
    ...demandsOf(reader, name),
  };
}

interface Demands {
  readonly requires: readonly Demand[];
  readonly conflicts: readonly Demand[];
}

/** What the plan of the release that a target came in says of it. */
function demandsOf(reader: Reader, target: TargetName): Demands {
  const row = reader
    .sql<{ release: string; ecu: string; type: string | null }>(
      `SELECT i.release, i.ecu, e.type FROM release_images AS i JOIN releases AS r ON r.name = i.release
       LEFT JOIN ecus AS e ON e.model = r.model AND e.id = i.ecu
       WHERE i.target = ? ORDER BY r.created_at LIMIT 1`,
    )
    .get(target);
  const plan = row === undefined ? undefined : findRelease(reader, row.release)?.plan;
  const images: readonly unknown[] = Array.isArray(plan?.['images']) ? plan['images'] : [];
  const own = images.find((image) => isFor(member(image, 'selector'), row));
  return { requires: demandList(member(own, 'requires')), conflicts: demandList(member(own, 'conflicts')) };
}

/** An image that is planned for one ECU goes before one for its type, as in the plan's own rules no ECU is named twice. */
function isFor(selector: unknown, row: { ecu: string; type: string | null } | undefined): boolean {
  const name = member(selector, 'name');
  return name === (member(selector, 'kind') === 'ecu' ? row?.ecu : row?.type);
}

function demandList(list: unknown): readonly Demand[] {
  const items: readonly unknown[] = Array.isArray(list) ? list : [];
  return items.map((item) => ({
    kind: member(item, 'kind') === 'ecu' ? 'ecu' : 'type',
    name: String(member(item, 'name')),
    version: String(member(item, 'version')),
  }));
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
