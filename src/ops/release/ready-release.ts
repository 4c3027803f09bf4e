/**
 * Signers opened and images stored, both of which take long.
 *
 * Invariants: where somebody may be asked for a passphrase, that comes first; else both are done at once, and a signer that
 * cannot be opened, or keys that are not enough, stop the work on the images and are what is told.
 */
import type { Io } from '../../core/ports.ts';
import { openSigners } from '../../signers/index.ts';
import type { OpenSigners } from '../../signers/index.ts';
import type { PassphraseChoice } from '../../signers/signer.ts';
import type { Repository } from '../../store/repository.ts';
import { isRehearsal } from '../repository/rehearsal.ts';
import { bundleSigners } from './bundle-signing.ts';
import type { BundleSigners } from './bundle-signing.ts';
import { storeImages } from './release-images.ts';
import type { ImageSources, ReleaseImages } from './release-images.ts';
import type { ResolvedPlan } from './resolve-plan.ts';
import type { StorageOptions } from './store-image.ts';

/** What to make ready. */
export interface ReadyRequest extends Omit<StorageOptions, 'signal'>, ImageSources {
  /** Signer URIs. */
  readonly signers: readonly string[];
  readonly passphrases: PassphraseChoice;
  readonly deterministic: boolean;
  /** The roles that will list the bundles. */
  readonly roles: readonly string[];
  /** Others sign later by request. */
  readonly incomplete: boolean;
}

/** Disposing forgets secrets and frees scratch space. */
export interface ReadyRelease extends AsyncDisposable {
  readonly signers: BundleSigners;
  readonly images: ReleaseImages;
}

/** @throws BUNDLE_THRESHOLD, KEY_NOT_OF_ROLE, and those of signers and of {@link storeImages} */
export async function readyRelease(
  repository: Repository,
  resolved: ResolvedPlan,
  request: ReadyRequest,
): Promise<ReadyRelease> {
  const stop = new AbortController();
  const opening = openEnough(repository, request);
  opening.catch(() => stop.abort());
  if (repository.io.terminal.interactive) await opening;
  const storing = storeImages(repository, resolved, { ...request, signal: stop.signal });
  const [opened, stored] = await Promise.allSettled([opening, storing]);
  if (opened.status === 'rejected') {
    if (stored.status === 'fulfilled') await stored.value[Symbol.asyncDispose]();
    throw opened.reason;
  }
  if (stored.status === 'rejected') {
    opened.value.open[Symbol.dispose]();
    throw stored.reason;
  }
  return ready(opened.value, stored.value);
}

interface Opened {
  readonly open: OpenSigners;
  readonly signers: BundleSigners;
}

function ready({ open, signers }: Opened, images: ReleaseImages): ReadyRelease {
  const dispose = async (): Promise<void> => {
    open[Symbol.dispose]();
    await images[Symbol.asyncDispose]();
  };
  return { signers, images, [Symbol.asyncDispose]: dispose };
}

async function openEnough(repository: Repository, request: ReadyRequest): Promise<Opened> {
  const { passphrases, deterministic } = request;
  const io: Io = repository.io;
  const open = await openSigners(request.signers, {
    io,
    passphrases,
    deterministic,
    rehearsal: isRehearsal(repository),
  });
  try {
    return { open, signers: bundleSigners(repository, request, open.keys) };
  } catch (thrown) {
    open[Symbol.dispose]();
    throw thrown;
  }
}
