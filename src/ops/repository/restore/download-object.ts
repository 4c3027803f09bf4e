/** A published target into the objects of a repository that is being restored. */
import { isFailure } from '../../../core/errors.ts';
import type { Io } from '../../../core/ports.ts';
import { targetFileName } from '../../../trust/file-names.ts';
import { startTargetCheck } from '../../../trust/target-check.ts';
import type { Placed } from './extract.ts';
import type { PublishedState } from './published.ts';
import type { UnknownTarget } from './take-over.ts';

/** What to fetch to where. */
export interface ObjectDownload {
  readonly state: PublishedState;
  readonly one: UnknownTarget;
  readonly to: string;
  readonly placed: Placed;
}

/** Fetches and verifies it; whether the tree has it. @throws HTTP_*, FILE_ACCESS, DISK_FULL */
export async function downloadObject(io: Io, { state, one, to, placed }: ObjectDownload): Promise<boolean> {
  const { name, target } = one;
  const check = startTargetCheck({ engine: io.engine, name, target });
  const folder = to.slice(0, to.lastIndexOf('/'));
  placed.folders.push(folder);
  await using file = await io.files.create(to);
  const sink = async (bytes: Uint8Array): Promise<void> => {
    check.update(bytes);
    await file.write(bytes);
  };
  try {
    const path = targetFileName(name, target, state.isConsistent);
    if (!(await state.tree.readTarget(path, { maxBytes: target.length, sink }))) return false;
    check.finish();
  } catch (thrown) {
    if (isFailure(thrown, 'TRUST_ARBITRARY_SOFTWARE') || isFailure(thrown, 'TRUST_ENDLESS_DATA')) return false;
    if (isFailure(thrown, 'HTTP_ENDLESS')) return false;
    throw thrown;
  }
  placed.files.push(to);
  await file.commit();
  return true;
}
