/**
 * Encrypts targets: one payload per file, an envelope for the escrow key and for each vehicle, the payload staged as a target.
 *
 * Invariants: nothing is sealed without the escrow; the content key lives in memory only, until its envelopes are made;
 * files, targets, envelopes and audit entry are there together or not at all.
 *
 * The first file is on its way while the repository's side is still being loaded and looked at: what is refused then has
 * left nothing but a temporary file, which goes.
 */
import type { Instant, TargetName, Vin } from '../../core/brands.ts';
import { disposables } from '../../core/disposables.ts';
import type { Disposables } from '../../core/disposables.ts';
import { SecureevError, failure } from '../../core/errors.ts';
import type { Io, OutputFile } from '../../core/ports.ts';
import { DEFAULT_CHUNK_BYTES } from '../../formats/sealed/header.ts';
import { DEFAULT_SUITE, suiteNamed } from '../../formats/sealed/suites.ts';
import type { Suite } from '../../formats/sealed/suites.ts';
import type { RepositoryChoice } from '../repository/locate.ts';
import { baseName, envelopesBeside } from './sealed-names.ts';
import { sealFile } from './sealed-payload.ts';
import type { SealedFile } from './sealed-payload.ts';

/** What to encrypt, and to whom. */
export interface EncryptInput {
  readonly repository: RepositoryChoice;
  readonly files: readonly string[];
  readonly vins: readonly Vin[];
  /** A file with one VIN a line. */
  readonly vehicles?: string | undefined;
  /** The folder for `NAME.sev` and `NAME.sevk`. */
  readonly out: string;
  readonly suite?: string | undefined;
  /** Which target a single file is, where several have its bytes. */
  readonly target?: string | undefined;
  readonly expires?: Instant | undefined;
  /** Names of KEMs that are allowed beside the suite's. */
  readonly allowedKems: readonly string[];
  /** Seal again what is sealed already. */
  readonly reseal?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
}

/** A payload that was made. */
export interface EncryptedFile {
  readonly file: string;
  readonly payload: string;
  readonly envelopeFile: string;
  readonly clearTarget: TargetName;
  readonly target: TargetName;
  /** The roles that will list it. */
  readonly roles: readonly string[];
  readonly suite: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** The escrow's included. */
  readonly envelopes: number;
}

/** A file sealed to a temporary one. */
export interface SealedDraft {
  readonly path: string;
  readonly output: OutputFile;
  /** Where its envelopes belong; empty so far. */
  readonly envelopes: OutputFile;
  readonly file: SealedFile;
}

/** Encrypts files. @throws ESCROW_MISSING, SEALED_*, VEHICLE_*, FILE_*, DISK_FULL */
export async function encrypt(input: EncryptInput, io: Io): Promise<readonly EncryptedFile[]> {
  requireUsable(input);
  const suite = input.suite === undefined ? DEFAULT_SUITE : suiteNamed(input.suite);
  const stop = new AbortController();
  await using drafts = disposables();
  const seal = (path: string): Promise<SealedDraft> =>
    sealDraft(io, drafts, { path, out: input.out, suite, signal: stop.signal });
  const [first = '', ...others] = input.files;
  const sealing = seal(first);
  sealing.catch(() => undefined);
  try {
    const { openRecorder } = await import('./encrypt-record.ts');
    using recorder = await openRecorder(input, io, suite);
    recorder.accept(await sealing);
    for (const path of others) recorder.accept(await seal(path));
    return await recorder.record();
  } finally {
    stop.abort();
    await sealing.catch(() => undefined);
  }
}

function requireUsable({ files, target, vins, vehicles }: EncryptInput): void {
  const names = new Set(files.map(baseName));
  if (names.size !== files.length) throw failure('USAGE', 'two of the files have the same name');
  if (target !== undefined && files.length !== 1) throw failure('USAGE', '--target goes with a single file');
  if (vins.length > 0 || vehicles !== undefined) return;
  throw new SecureevError('USAGE', {
    message: 'no vehicle is named',
    hint: 'name vehicles with --vehicle VIN or --vehicles FILE',
  });
}

interface DraftRequest {
  readonly path: string;
  readonly out: string;
  readonly suite: Suite;
  readonly signal: AbortSignal;
}

/** Disposing `drafts` removes what was not committed. */
async function sealDraft(io: Io, drafts: Disposables, request: DraftRequest): Promise<SealedDraft> {
  const { path, out, suite, signal } = request;
  const payloadPath = `${out}/${baseName(path)}.sev`;
  await using input = await io.files.open(path);
  const envelopes = drafts.use(await io.files.create(envelopesBeside(payloadPath)));
  const output = drafts.use(await io.files.create(payloadPath));
  const file = await sealFile(io, { input, output }, { suite, chunkBytes: DEFAULT_CHUNK_BYTES, signal });
  return { path, output, envelopes, file };
}
