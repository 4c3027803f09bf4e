/** Walks through a tree as a client will, before any of it is written. */
import { isFailure, SecureevError } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import type { TrustSource } from '../../trust/source.ts';
import { updateFrom } from '../../trust/update.ts';
import type { Publication } from './publication.ts';

/** Verifies the tree from its first root. @throws PUBLISH_REFUSED with the refusal as its cause */
export async function verifyPublication(io: Io, publication: Publication): Promise<void> {
  const { roots, targets, snapshot, timestamp } = publication;
  const files = new Map(
    [...roots, ...targets, snapshot, timestamp].map((file) => [file.path.slice(METADATA_FOLDER.length), file]),
  );
  const source: TrustSource = { fetch: (name) => Promise.resolve(files.get(name)?.bytes) };
  const pinnedRoot = roots[0]?.bytes ?? new Uint8Array();
  try {
    await updateFrom(source, { engine: io.engine, pinnedRoot, now: io.clock.now(), kind: 'image' });
  } catch (thrown) {
    if (!isFailure(thrown)) throw thrown;
    throw new SecureevError('PUBLISH_REFUSED', {
      message: `clients would refuse this: ${thrown.message}`,
      hint: hintFor(thrown.code),
      details: { code: thrown.code, ...thrown.details },
      cause: thrown,
    });
  }
}

const METADATA_FOLDER = 'metadata/';

function hintFor(code: string): string | undefined {
  if (code === 'TRUST_EXPIRED') return 'sign it again with `secureev renew`';
  if (code === 'TRUST_THRESHOLD' || code === 'TRUST_HYBRID_THRESHOLD') {
    return 'the root has changed: sign the other roles again with the keys it lists now';
  }
  return undefined;
}
