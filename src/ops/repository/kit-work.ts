/** What every check of a kit works with. */
import type { Instant, Vin } from '../../core/brands.ts';
import { failure } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import type { KitIndex } from '../../formats/kit/kit-index.ts';
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

/** A number and its noun, in a check's detail. */
export function counted(number: number, singular: string): string {
  return `${number} ${singular}${number === 1 ? '' : 's'}`;
}
