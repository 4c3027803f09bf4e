/**
 * Encrypts targets: one payload per file, an envelope for the escrow key and for each vehicle, the payload staged as a target.
 *
 * Invariants: nothing is sealed without the escrow; the content key lives in memory only, until its envelopes are made;
 * files, targets, envelopes and audit entry are there together or not at all.
 */
import type { Instant, TargetName, Vin } from '../../core/brands.ts';
import { toHex, utf8 } from '../../core/bytes.ts';
import { SecureevError, failure } from '../../core/errors.ts';
import type { Io, OutputFile } from '../../core/ports.ts';
import { sha256 } from '../../crypto/hash.ts';
import type { KemId } from '../../crypto/kems/index.ts';
import { DEFAULT_CHUNK_BYTES } from '../../formats/sealed/header.ts';
import { DEFAULT_SUITE, suiteNamed } from '../../formats/sealed/suites.ts';
import type { Suite } from '../../formats/sealed/suites.ts';
import { addObject, hasObject, objectPath } from '../../store/objects.ts';
import type { Reader, Tx } from '../../store/reader.ts';
import type { Repository } from '../../store/repository.ts';
import { addEnvelope, addSealedPayload } from '../../store/sealed.ts';
import type { ListedTarget } from '../../store/targets.ts';
import { openChosen } from '../repository/locate.ts';
import type { RepositoryChoice } from '../repository/locate.ts';
import { envelopeTo, envelopeWriter } from './envelope-file.ts';
import { escrowRecipient, readVins, vehicleRecipient } from './envelope-recipients.ts';
import type { RecipientRules, StoredRecipient } from './envelope-recipients.ts';
import { sealFile } from './sealed-payload.ts';
import type { SealedFile } from './sealed-payload.ts';
import { baseName, envelopesBeside } from './sealed-names.ts';
import { clearTargetOf, isSealedAlready, modelOf, requireSuiteSignatures, stageSealedTarget } from './sealed-target.ts';

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
  readonly allowedKems?: readonly KemId[] | undefined;
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
  readonly suite: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** The escrow's included. */
  readonly envelopes: number;
}

/** A file sealed to a temporary one. */
interface Sealed {
  readonly path: string;
  readonly output: OutputFile;
  readonly envelopes: OutputFile;
  readonly file: SealedFile;
  readonly clear: ListedTarget;
  readonly rules: RecipientRules;
  readonly expires: Instant | null;
}

/** Beyond these many, the audit entry names vehicles by count and by the hash of their list only. */
const SUBJECTS_MAX = 1000;

/** Encrypts files. @throws ESCROW_MISSING, SEALED_*, VEHICLE_*, FILE_*, DISK_FULL */
export async function encrypt(input: EncryptInput, io: Io): Promise<readonly EncryptedFile[]> {
  const suite = input.suite === undefined ? DEFAULT_SUITE : suiteNamed(input.suite);
  requireUsable(input);
  using repository = await openChosen(io, input.repository);
  const escrow = escrowRecipient(repository);
  const vins = await readVins(io, input.vins, input.vehicles);
  const allowedKems = input.allowedKems ?? [];
  for (const vin of vins) vehicleRecipient(repository, vin, { suite, allowedKems, model: undefined });
  await using files = new AsyncDisposableStack();
  const sealed: Sealed[] = [];
  for (const path of input.files) sealed.push(await sealOne(repository, files, { input, suite, path, vins }));
  return await record(repository, input, { sealed, vins, escrow });
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

interface SealRequest {
  readonly input: EncryptInput;
  readonly suite: Suite;
  readonly path: string;
  readonly vins: readonly Vin[];
}

async function sealOne(reader: Reader, files: AsyncDisposableStack, request: SealRequest): Promise<Sealed> {
  const { input, suite, path, vins } = request;
  const { io } = reader;
  const payloadPath = `${input.out}/${baseName(path)}.sev`;
  await using source = await io.files.open(path);
  await requireSuiteSignatures(io, source, suite);
  const envelopes = files.use(await io.files.create(envelopesBeside(payloadPath)));
  const output = files.use(await io.files.create(payloadPath));
  const file = await sealFile(io, { input: source, output }, { suite, chunkBytes: DEFAULT_CHUNK_BYTES });
  const clear = clearTargetOf(reader, { path, clear: file.clear, wanted: input.target });
  if (input.reseal !== true && isSealedAlready(reader, clear)) throw sealedAlready(clear);
  const rules = { suite, allowedKems: input.allowedKems ?? [], model: modelOf(reader, clear.name) };
  for (const vin of vins) vehicleRecipient(reader, vin, rules);
  return { path, output, envelopes, file, clear, rules, expires: input.expires ?? null };
}

function sealedAlready(clear: ListedTarget): SecureevError {
  return new SecureevError('SEALED_ALREADY', {
    message: `${clear.name} is sealed already`,
    hint: 'give more vehicles an envelope with `secureev envelope add`, or seal it anew with --reseal',
    details: { target: clear.name },
  });
}

interface Recording {
  readonly sealed: readonly Sealed[];
  readonly vins: readonly Vin[];
  readonly escrow: StoredRecipient;
}

async function record(repository: Repository, input: EncryptInput, work: Recording): Promise<readonly EncryptedFile[]> {
  const { io } = repository;
  const appeared: string[] = [];
  const change = { command: 'encrypt', summary: summaryOf(io, work), dryRun: input.dryRun };
  try {
    return await repository.transactAsync(change, async (tx) => {
      if (work.vins.length <= SUBJECTS_MAX) tx.about(...work.vins.map((vin) => `vehicle:${vin}`));
      const made: EncryptedFile[] = [];
      for (const sealed of work.sealed) {
        made.push(await recordOne(tx, sealed, work));
        if (input.dryRun !== true) await publishFiles(tx, sealed, appeared);
      }
      return made;
    });
  } catch (thrown) {
    for (const path of appeared) await io.files.remove(path);
    throw thrown;
  }
}

/** The list of vehicles is part of the record even where it is too long to be written out. */
function summaryOf(io: Io, { sealed, vins }: Recording): string {
  const names = sealed.map(({ clear }) => clear.name).join(', ');
  const hash = toHex(sha256(io.engine, utf8(vins.join('\n'))));
  const listed = vins.length > SUBJECTS_MAX ? ` (SHA-256 of their list ${hash})` : `: ${vins.join(', ')}`;
  return `encrypted ${names} to the escrow key and ${vins.length} vehicle${vins.length === 1 ? '' : 's'}${listed}`;
}

async function recordOne(tx: Tx, sealed: Sealed, work: Recording): Promise<EncryptedFile> {
  const { file, clear, output, envelopes } = sealed;
  const target = stageSealedTarget(tx, clear, file);
  addSealedPayload(tx, {
    sha256: file.sealed.sha256,
    target,
    clearTarget: clear.name,
    length: file.sealed.sizeBytes,
    clearLength: file.clear.sizeBytes,
    headerSha256: sha256(tx.io.engine, file.headerBytes),
    suite: file.header.suite.name,
    fileName: baseName(output.path),
  });
  await writeEnvelopes(tx, sealed, work);
  return {
    file: sealed.path,
    payload: output.path,
    envelopeFile: envelopes.path,
    clearTarget: clear.name,
    target,
    suite: file.header.suite.name,
    sizeBytes: file.sealed.sizeBytes,
    sha256: toHex(file.sealed.sha256),
    envelopes: work.vins.length + 1,
  };
}

async function writeEnvelopes(tx: Tx, sealed: Sealed, { vins, escrow }: Recording): Promise<void> {
  const { io } = tx;
  const { headerBytes, contentKey, sealed: payload } = sealed.file;
  const writer = envelopeWriter(sealed.envelopes);
  const task = io.progress.start(`envelopes of ${baseName(sealed.path)}`, vins.length + 1, 'items');
  const expires = sealed.expires;
  const add = async (recipient: StoredRecipient): Promise<void> => {
    io.signal.throwIfAborted();
    const envelope = envelopeTo(io, recipient, { headerBytes, contentKey, suite: sealed.rules.suite, expires });
    const { keyId, vehicle } = recipient;
    addEnvelope(tx, { payload: payload.sha256, keyId, vehicle, envelope, expires: vehicle === null ? null : expires });
    await writer.add(envelope);
    task.advance(1);
  };
  await add(escrow);
  for (const vin of vins) await add(vehicleRecipient(tx, vin, sealed.rules));
  await writer.finish();
  task.done();
}

/** Gives the files their names and the payload its place among the objects; `appeared` remembers what to take back. */
async function publishFiles(tx: Tx, sealed: Sealed, appeared: string[]): Promise<void> {
  const { output, envelopes, file } = sealed;
  const hash = file.sealed.sha256;
  await envelopes.commit();
  appeared.push(envelopes.path);
  await output.commit();
  appeared.push(output.path);
  if (!(await hasObject(tx, hash))) appeared.push(objectPath(tx, hash));
  await addObject(tx, output.path, hash);
}
