/**
 * `manifest import`: vehicle version manifests taken in, from files of one or of many.
 *
 * Invariants: each manifest is taken in whole or not at all, whatever becomes of the others; memory holds one lot. A lot is one
 * transaction, so that a run that ended half-way is simply run again: what was taken in before is dropped as a replay.
 */
import { failure, isFailure } from '../../../core/errors.ts';
import type { ErrorCode, SecureevError } from '../../../core/errors.ts';
import type { Io } from '../../../core/ports.ts';
import { manifestLines } from '../../../formats/manifest/lines.ts';
import type { ManifestLine } from '../../../formats/manifest/lines.ts';
import { MANIFEST_LIMITS } from '../../../formats/manifest/manifest.ts';
import { attackText, followCampaigns, recordManifest } from '../../../store/manifests.ts';
import type { Tx } from '../../../store/reader.ts';
import { openChosen } from '../../repository/locate.ts';
import type { RepositoryChoice } from '../../repository/locate.ts';
import { checkManifest, imageLookup } from './check-manifest.ts';
import type { CheckedManifest, ManifestChecker } from './check-manifest.ts';

/** Files of manifests. */
export interface ManifestImportInput {
  readonly repository: RepositoryChoice;
  readonly files: readonly string[];
  /** One manifest a file, or one a line; by the file's name where it is not said. */
  readonly format?: 'json' | 'jsonl' | undefined;
  readonly dryRun?: boolean | undefined;
}

/** A manifest that was not taken in. */
export interface ManifestProblem {
  readonly file: string;
  /** The line, from 1. */
  readonly row: number;
  readonly code: ErrorCode;
  readonly message: string;
}

/** A vehicle that tells of an attack. */
export interface ToldAttack {
  readonly vin: string;
  readonly attack: string;
}

/** What became of the manifests. */
export interface ImportedManifests {
  readonly manifests: number;
  readonly accepted: number;
  /** Replays: here before, and now without effect. */
  readonly dropped: number;
  readonly refused: number;
  /** How many were dropped or refused for each reason. */
  readonly reasons: Readonly<Record<string, number>>;
  /** The first {@link SHOWN_MAX} of them. */
  readonly problems: readonly ManifestProblem[];
  readonly attacks: number;
  /** The first {@link SHOWN_MAX}. */
  readonly attacksTold: readonly ToldAttack[];
  /** Vehicles with an ECU that runs what no target of the Image repository is. */
  readonly unknownImages: number;
  /** Campaign -> vehicles that have now installed all of it. */
  readonly campaigns: Readonly<Record<string, number>>;
}

/** How many problems and attacks are told one by one. */
export const SHOWN_MAX = 1000;

const LOT_MANIFESTS = 256;
const LOT_BYTES = 8 * 1024 * 1024;
const CHUNK_BYTES = 1024 * 1024;
const LINES_ENDINGS = ['.jsonl', '.ndjson'];

interface Tally {
  accepted: number;
  dropped: number;
  refused: number;
  attacks: number;
  unknownImages: number;
  readonly reasons: Map<string, number>;
  readonly campaigns: Map<string, number>;
  readonly problems: ManifestProblem[];
  readonly attacksTold: ToldAttack[];
}

/** Takes manifests in. @throws FILE_*, REPOSITORY_BUSY */
export async function importManifests(input: ManifestImportInput, io: Io): Promise<ImportedManifests> {
  using repository = await openChosen(io, input.repository);
  const checker = { repository, images: imageLookup(repository) };
  const tally = emptyTally();
  for (const file of input.files) {
    for await (const lot of lotsOf(io, file, input.format)) {
      io.signal.throwIfAborted();
      takeLot(checker, { file, lot, tally, dryRun: input.dryRun });
    }
  }
  const { accepted, dropped, refused } = tally;
  return {
    ...tally,
    manifests: accepted + dropped + refused,
    reasons: Object.fromEntries(tally.reasons),
    campaigns: Object.fromEntries(tally.campaigns),
  };
}

function emptyTally(): Tally {
  const counts = { accepted: 0, dropped: 0, refused: 0, attacks: 0, unknownImages: 0 };
  return { ...counts, reasons: new Map(), campaigns: new Map(), problems: [], attacksTold: [] };
}

async function* lotsOf(
  io: Io,
  file: string,
  format: ManifestImportInput['format'],
): AsyncIterable<readonly ManifestLine[]> {
  const isLines = format === undefined ? LINES_ENDINGS.some((ending) => file.endsWith(ending)) : format === 'jsonl';
  if (!isLines) {
    yield [{ row: 1, bytes: await wholeFile(io, file) }];
    return;
  }
  await using open = await io.files.open(file);
  const task = io.progress.start(`importing ${file}`, open.sizeBytes, 'bytes');
  let lot: ManifestLine[] = [];
  let bytes = 0;
  for await (const lines of manifestLines(open.stream({ chunkBytes: CHUNK_BYTES, reuse: true }))) {
    for (const line of lines) {
      lot.push(line);
      bytes += 1 + (line.bytes?.length ?? 0);
      if (lot.length < LOT_MANIFESTS && bytes < LOT_BYTES) continue;
      yield lot;
      task.advance(bytes);
      [lot, bytes] = [[], 0];
    }
  }
  yield lot;
  task.advance(bytes);
  task.done();
}

async function wholeFile(io: Io, file: string): Promise<Uint8Array | undefined> {
  try {
    return await io.files.read(file, MANIFEST_LIMITS.bytesMax);
  } catch (thrown) {
    if (isFailure(thrown, 'FILE_TOO_LARGE')) return undefined;
    throw thrown;
  }
}

interface Lot {
  readonly file: string;
  readonly lot: readonly ManifestLine[];
  readonly tally: Tally;
  readonly dryRun: boolean | undefined;
}

/** Signatures are verified before the lock is taken. */
function takeLot(checker: ManifestChecker, { file, lot, tally, dryRun }: Lot): void {
  const checked = lot.flatMap((line) => {
    const manifest = attempt(() => checkManifest(checker, bytesOfLine(line)));
    if (!isFailure(manifest)) return [{ row: line.row, manifest }];
    note(tally, { file, row: line.row }, manifest);
    return [];
  });
  if (checked.length === 0) return;
  const summary = `manifests of ${checked.length} vehicles`;
  checker.repository.transact({ command: 'manifest import', summary, dryRun }, (tx) => {
    const before = { ...tally };
    for (const { row, manifest } of checked) {
      const refused = attempt(() => takeOne(tx, checker, { manifest, tally }));
      if (refused !== undefined) note(tally, { file, row }, refused);
    }
    const taken = tally.accepted - before.accepted;
    tx.summarize(`took in the manifests of ${taken} of ${checked.length} vehicles`);
  });
}

function bytesOfLine({ bytes }: ManifestLine): Uint8Array {
  if (bytes !== undefined) return bytes;
  throw failure('MANIFEST_TOO_LARGE', `a manifest of over ${MANIFEST_LIMITS.bytesMax} bytes`);
}

/** What `work` gives, or the failure that it ends with: only what a manifest can be guilty of. */
function attempt<T>(work: () => T): T | SecureevError {
  try {
    return work();
  } catch (thrown) {
    if (isFailure(thrown) && (thrown.code.startsWith('MANIFEST_') || thrown.code === 'VEHICLE_UNKNOWN')) return thrown;
    throw thrown;
  }
}

function note(tally: Tally, at: { file: string; row: number }, { code, message }: SecureevError): void {
  if (code === 'MANIFEST_REPLAY') tally.dropped += 1;
  else tally.refused += 1;
  tally.reasons.set(code, (tally.reasons.get(code) ?? 0) + 1);
  if (tally.problems.length < SHOWN_MAX) tally.problems.push({ ...at, code, message });
}

function takeOne(
  tx: Tx,
  { images }: ManifestChecker,
  { manifest, tally }: { manifest: CheckedManifest; tally: Tally },
): undefined {
  const { recorded, vehicle, unknownImages } = manifest;
  recordManifest(tx, recorded);
  const attack = attackText(recorded.reports);
  const done = followCampaigns(tx, vehicle.id, { attack, sha256Of: (target) => images(target)[0]?.sha256 });
  for (const campaign of done) {
    tally.campaigns.set(campaign, (tally.campaigns.get(campaign) ?? 0) + 1);
    tx.about(`campaign:${campaign}`);
  }
  tally.accepted += 1;
  tally.unknownImages += unknownImages.length > 0 ? 1 : 0;
  if (attack === null) return;
  tx.about(`vehicle:${vehicle.vin}`);
  tally.attacks += 1;
  if (tally.attacksTold.length < SHOWN_MAX) tally.attacksTold.push({ vin: vehicle.vin, attack });
}
