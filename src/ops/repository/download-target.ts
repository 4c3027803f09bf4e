/**
 * A target from a published tree into a folder of verified targets.
 *
 * Invariants: the folder holds verified targets and nothing else; a file that is good already is not fetched again; a
 * download that fails leaves the one before.
 */
import { isFailure } from '../../core/errors.ts';
import type { Io, OutputFile } from '../../core/ports.ts';
import type { Verified } from '../../core/verified.ts';
import { targetFileName } from '../../trust/file-names.ts';
import type { FoundTarget } from '../../trust/find-target.ts';
import { refusal } from '../../trust/refusal.ts';
import { startTargetCheck } from '../../trust/target-check.ts';
import type { TreeSource } from './tree-source.ts';

/** What to fetch from where to where. */
export interface Download {
  readonly tree: TreeSource;
  readonly found: Verified<FoundTarget>;
  readonly isConsistent: boolean;
  /** The folder for the target; undefined to verify it only. */
  readonly out: string | undefined;
}

/** What came of it. */
export interface Downloaded {
  /** Where the target is; undefined where it was verified only. */
  readonly path: string | undefined;
  readonly fetched: boolean;
}

/**
 * Downloads a verified target.
 *
 * @throws TRUST_FILE_MISSING, TRUST_ENDLESS_DATA, TRUST_ARBITRARY_SOFTWARE, TRUST_HASH_UNKNOWN, HTTP_*, FILE_ACCESS
 */
export async function downloadTarget(download: Download, io: Io): Promise<Downloaded> {
  const { out, found } = download;
  if (out === undefined) {
    await receive(download, io, undefined);
    return { path: undefined, fetched: true };
  }
  const path = `${out.replace(/(?<=.)\/+$/, '')}/${found.verified.name}`;
  if (await isGood(download, io, path)) return { path, fetched: false };
  await using file = await io.files.create(path, { overwrite: true });
  await receive(download, io, file);
  await file.commit();
  return { path, fetched: true };
}

/** Whether the file at `path` is the target already. */
async function isGood({ found }: Download, io: Io, path: string): Promise<boolean> {
  const { name, target } = found.verified;
  const status = await io.files.status(path);
  if (status?.kind !== 'file' || status.sizeBytes !== target.length) return false;
  const check = startTargetCheck({ engine: io.engine, name, target });
  await using file = await io.files.open(path);
  try {
    for await (const chunk of file.stream({ reuse: true })) check.update(chunk);
    check.finish();
    return true;
  } catch (thrown) {
    if (isFailure(thrown, 'TRUST_ARBITRARY_SOFTWARE') || isFailure(thrown, 'TRUST_ENDLESS_DATA')) return false;
    throw thrown;
  }
}

async function receive({ tree, found, isConsistent }: Download, io: Io, file: OutputFile | undefined): Promise<void> {
  const { name, target } = found.verified;
  const check = startTargetCheck({ engine: io.engine, name, target });
  const fileName = targetFileName(name, target, isConsistent);
  const sink = async (bytes: Uint8Array): Promise<void> => {
    check.update(bytes);
    await file?.write(bytes);
  };
  if (!(await readCapped(tree, fileName, { maxBytes: target.length, sink }))) {
    throw refusal('TRUST_FILE_MISSING', {
      role: found.verified.role,
      message: `target ${name} is listed, but not there`,
      details: { target: name, file: fileName },
    });
  }
  check.finish();
}

async function readCapped(...[tree, name, wanted]: readonly [TreeSource, ...Parameters<TreeSource['readTarget']>]) {
  try {
    return await tree.readTarget(name, wanted);
  } catch (thrown) {
    if (!isFailure(thrown, 'HTTP_ENDLESS')) throw thrown;
    throw refusal('TRUST_ENDLESS_DATA', {
      role: name,
      message: `${name} is longer than the ${wanted.maxBytes} bytes that Targets lists`,
      details: { target: name, limit: wanted.maxBytes },
    });
  }
}
