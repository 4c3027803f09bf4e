/**
 * A bundle of a version that nobody signs, checked as far as it can be: whole, and where metadata is at hand what signed
 * Targets lists. The checks that have nothing to go by are skipped, so that such a bundle is refused unless they are waived.
 */
import { parseTargetName } from '../../core/brands.ts';
import type { TargetName } from '../../core/brands.ts';
import { toHex } from '../../core/bytes.ts';
import { failure, isFailure } from '../../core/errors.ts';
import type { Verified } from '../../core/verified.ts';
import type { OpenBundle, PayloadsContext } from '../../formats/otap/index.ts';
import { loadDelegated, requireTarget } from '../../trust/find-target.ts';
import type { FoundTarget } from '../../trust/find-target.ts';
import { compareTarget } from '../../trust/target-check.ts';
import { bundleFileName } from './bundle-names.ts';
import type { TargetLookup } from './bundle-targets.ts';
import type { CheckBook } from './check-book.ts';
import { refusalOf } from './check-book.ts';

/** The checks that are made here, and those that cannot be. */
type Id =
  | 'structure'
  | 'manifest-signatures'
  | 'hybrid'
  | 'chunk-tree'
  | 'image-content'
  | 'bundle-target'
  | 'image-targets'
  | 'hardware';

const UNSIGNED = ['manifest-signatures', 'hybrid', 'chunk-tree', 'hardware'] as const;

/** What to check it with. */
export interface UnsignedBundle {
  readonly opened: OpenBundle;
  readonly context: PayloadsContext;
  /** Undefined where no metadata was given. */
  readonly lookup: TargetLookup | undefined;
}

interface Measured {
  readonly sizeBytes: number;
  readonly sha256: Uint8Array;
}

/** Makes the checks of an unsigned bundle. @throws what is no refusal */
export async function checkUnsigned(book: CheckBook<Id>, bundle: UnsignedBundle): Promise<void> {
  const { opened, context, lookup } = bundle;
  const { version, gateway, manifest } = opened.head;
  for (const id of UNSIGNED) book.skip(id, `a bundle of version ${version} has no signature, tree or hardware ids`);
  const measured = await attempt(book, 'image-content', async () => {
    await opened.readPayloads(manifest.unverified.images, context);
    book.pass('image-content', `${manifest.unverified.images.length} images, by the hashes in the bundle itself`);
    return await opened.finish();
  });
  if (measured === undefined) return;
  book.pass('structure', `OTAP version ${version} for ${gateway}`);
  if (lookup === undefined) {
    for (const id of ['bundle-target', 'image-targets'] as const) book.skip(id, 'no metadata was given (--metadata)');
    return;
  }
  await attempt(book, 'bundle-target', () => checkListed(book, bundle, { lookup, measured }));
}

async function attempt<T>(book: CheckBook<Id>, id: Id, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (thrown) {
    book.fail(isFailure(thrown, 'OTAP_TRAILING_BYTES') ? 'structure' : id, refusalOf(thrown));
    return undefined;
  }
}

/** Finds the bundle, and each image, by its hash among verified Targets, and then by its name as a client would. */
async function checkListed(
  book: CheckBook<Id>,
  { opened }: UnsignedBundle,
  { lookup, measured }: { lookup: TargetLookup; measured: Measured },
): Promise<void> {
  const { source } = lookup;
  const listing = { source, set: await loadDelegated({ source }, lookup.set) };
  const { gateway, manifest } = opened.head;
  const file = bundleFileName(gateway);
  const found = await findByHash(listing, { what: `the bundle for ${gateway}`, file, measured });
  book.pass('bundle-target', found.verified.name);
  await attempt(book, 'image-targets', async () => {
    const names: TargetName[] = [];
    for (const { target, sizeBytes, sha256 } of manifest.unverified.images) {
      const image = await findByHash(listing, { what: target, measured: { sizeBytes, sha256 } });
      names.push(image.verified.name);
    }
    book.pass('image-targets', names.join(', '));
  });
}

interface Wanted {
  readonly what: string;
  /** The last segment that its name must have. */
  readonly file?: string;
  readonly measured: Measured;
}

async function findByHash(
  { source, set }: TargetLookup,
  { what, file, measured }: Wanted,
): Promise<Verified<FoundTarget>> {
  const sha256 = toHex(measured.sha256);
  for (const { file: listed } of set.targets.values()) {
    for (const [name, { length, hashes }] of listed.verified.signed.targets) {
      const isSame = length === measured.sizeBytes && hashes.get('sha256') === sha256;
      if (!isSame || (file !== undefined && !name.endsWith(`/${file}`))) continue;
      const { found } = await requireTarget({ source }, set, { name: parseTargetName(name), hardwareId: undefined });
      const hashed = { length: measured.sizeBytes, hashes: new Map([['sha256', sha256]]) };
      compareTarget(found.verified.name, found.verified.target, hashed);
      return found;
    }
  }
  throw failure('TRUST_TARGET_NOT_FOUND', `no signed Targets lists ${what} with this length and hash`, {
    what,
    sha256,
  });
}
