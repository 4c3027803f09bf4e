/** What every check of a kit works with. */
import { formatInstant } from '../../core/brands.ts';
import type { Instant, Vin } from '../../core/brands.ts';
import { failure } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import type { KitIndex } from '../../formats/kit/kit-index.ts';
import type { TrustedSet } from '../../trust/state.ts';
import { refusalOf } from '../release/check-book.ts';
import type { CheckBook } from '../release/check-book.ts';

/** The checks, in their order; `director` only where there is a Director's part or its root is given. */
export const KIT_CHECKS = {
  files: 'the files are those that the kit names, and no links',
  metadata: 'metadata chain from the pinned root to Targets',
  expiry: 'metadata is unexpired, or stale no longer than accepted',
  hybrid: 'post-quantum thresholds where the root demands them',
  targets: 'length and hashes of every target are those listed',
  release: 'every bundle of the release is there',
  envelopes: 'envelopes are for the payloads that they lie beside, and for the vehicle',
  director: "the Director's metadata of each vehicle, matched with the Image repository",
} as const;

/** The id of a check of {@link KIT_CHECKS}. */
export type KitCheckId = keyof typeof KIT_CHECKS;

/** What to verify and under what. */
export interface VerifyKitInput {
  readonly kit: string;
  /** Path of the pinned root of the Image repository. */
  readonly root: string;
  /** Path of the pinned root of the Director. */
  readonly directorRoot: string | undefined;
  readonly now: Instant;
  readonly requireHybrid: boolean;
  readonly vin: Vin | undefined;
  /** The release that must be there; what the kit says of itself where it is left out. */
  readonly release: string | undefined;
  /** How long after their expiry Timestamp and Snapshot pass. */
  readonly maxStalenessSeconds: number;
  readonly allowSkip: readonly string[];
}

type Book = CheckBook<KitCheckId>;

/** One verification under way. */
export interface KitWork {
  readonly io: Io;
  readonly input: VerifyKitInput;
  readonly book: Book;
  readonly index: KitIndex;
  /** The paths that the index names. */
  readonly named: ReadonlySet<string>;
}

/** Runs one check; a refusal is its outcome. */
export async function attempt<T>(book: Book, id: KitCheckId, work: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (thrown) {
    book.fail(id, refusalOf(thrown));
    return undefined;
  }
}

/** The release that must be whole. @throws KIT_MALFORMED where the kit says another one than is asked for */
export function releaseOf({ input, index }: KitWork): string | null {
  if (input.release === undefined || index.release === null || input.release === index.release) {
    return input.release ?? index.release;
  }
  throw failure('KIT_TARGET_MISSING', `the kit is of release ${index.release}, not of ${input.release}`, {
    expected: input.release,
    found: index.release,
  });
}

/** What has expired in a verified set and passed all the same: Timestamp and Snapshot, never anything else. */
export function staleRoles({ timestamp, snapshot, terms }: TrustedSet): readonly string[] {
  const signed = [timestamp, snapshot].flatMap((file) => (file === undefined ? [] : [file.verified.signed]));
  return signed
    .filter(({ expires }) => expires <= terms.now)
    .map(({ role, version, expires }) => `${role} ${version} expired ${formatInstant(expires)}`);
}

/** What is stale, in a check's detail. */
export function staleText(stale: readonly string[], maxStalenessSeconds: number): string {
  const shown = stale.length > 4 ? `${stale.slice(0, 4).join(', ')} and ${stale.length - 4} more` : stale.join(', ');
  const accepted = `accepted for ${Math.floor(maxStalenessSeconds / 3600)} h after expiry by --max-staleness`;
  return `STALE: ${shown}; ${accepted}; newer updates may be withheld`;
}

/** A number and its noun, in a check's detail. */
export function counted(number: number, singular: string): string {
  return `${number} ${singular}${number === 1 ? '' : 's'}`;
}
