/**
 * `package --reissue`: a known release built again with higher release counters, so that vehicles that went on to a later
 * one take it.
 *
 * Invariants: the same targets with the same content for the same ECUs; only counters rise, and none that is high enough. A target that another role
 * delivered keeps its counter: only that role can raise it.
 */
import type { TargetName } from '../../core/brands.ts';
import { failure } from '../../core/errors.ts';
import type { SecureevError } from '../../core/errors.ts';
import { recordedPlan } from '../../formats/release-plan.ts';
import type { ReleasePlan } from '../../formats/release-plan.ts';
import { lastReleaseCounter, releaseImages } from '../../store/releases.ts';
import type { Reader } from '../../store/reader.ts';
import { findTarget } from '../../store/targets.ts';
import { raisedSince } from './outdated.ts';
import { ecuScope } from './release-images.ts';
import { requireRelease } from './releases.ts';
import { targetOf } from './resolve-plan.ts';
import type { ResolvedPlan } from './resolve-plan.ts';

/** The plan to build, and the targets that get a new counter. @throws RELEASE_UNKNOWN, RELEASE_REISSUE_DIFFERS */
export function reissuedPlan(
  reader: Reader,
  name: string,
  given: ReleasePlan | undefined,
): { plan: ReleasePlan; raised: ReadonlySet<TargetName> } {
  const release = requireRelease(reader, name);
  const recorded = recordedPlan(release.plan);
  const plan = given ?? fromTargets(recorded);
  if (plan.release !== name) throw differs(name, `the plan is of release ${plan.release}`);
  if (plan.model !== recorded.model) throw differs(name, `the plan is for model ${plan.model}`);
  if (plan.confidential !== recorded.confidential) {
    throw differs(name, `the plan is ${plan.confidential ? '' : 'not '}confidential`);
  }
  const own = recorded.images.filter(({ source }) => source.kind === 'file').map((image) => targetOf(recorded, image));
  const isRaised = raisedAlready(reader, { name, model: plan.model });
  return { plan, raised: new Set(own.filter((target) => !isRaised(target))) };
}

/**
 * What another release raised since, and is still the newest of all its ECUs, keeps that counter: raised again, it would
 * make the bundles of that other release wrong.
 */
function raisedAlready(
  reader: Reader,
  { name, model }: { name: string; model: string },
): (target: TargetName) => boolean {
  const raised = new Set(raisedSince(reader, name, 'next'));
  const images = releaseImages(reader, name);
  const isNewest = (target: TargetName): boolean => {
    const counter = Number(findTarget(reader, target)?.custom['releaseCounter']);
    const ecus = images.filter((image) => image.target === target).map(({ ecu }) => ecu);
    return ecus.every((ecu) => lastReleaseCounter(reader, ecuScope(model, ecu)) === counter);
  };
  return (target) => raised.has(target) && isNewest(target);
}

/** The images as the repository keeps them. */
function fromTargets(recorded: ReleasePlan): ReleasePlan {
  const images = recorded.images.map((image) => {
    return { ...image, source: { kind: 'target', name: targetOf(recorded, image), path: undefined } as const };
  });
  return { ...recorded, images };
}

/** Demands that every ECU gets the target that it had. @throws RELEASE_REISSUE_DIFFERS */
export function requireSameTargets(reader: Reader, { plan, images }: ResolvedPlan): void {
  const before = new Map(releaseImages(reader, plan.release).map(({ ecu, target }) => [ecu, target]));
  for (const { target, ecus } of images) {
    for (const { id } of ecus) {
      const had = before.get(id);
      if (had !== target) throw differs(plan.release, `ECU ${id} would get ${target}, it had ${had ?? 'nothing'}`);
      before.delete(id);
    }
  }
  const [left] = before;
  if (left !== undefined) throw differs(plan.release, `ECU ${left[0]} would get nothing, it had ${left[1]}`);
}

function differs(release: string, why: string): SecureevError {
  return failure('RELEASE_REISSUE_DIFFERS', `release ${release} cannot be issued again: ${why}`, { release });
}
