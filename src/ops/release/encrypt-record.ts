/**
 * The repository's side of encrypting: which targets the files are, whose keys the vehicles have, and the record of it all.
 *
 * Invariant: one transaction with one audit entry; when it ends, files and payloads have their names and places.
 */
import { atPath } from '../../core/at-path.ts';
import type { Instant, Vin } from '../../core/brands.ts';
import { toHex, utf8 } from '../../core/bytes.ts';
import { SecureevError } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import { sha256 } from '../../crypto/hash.ts';
import type { Suite } from '../../formats/sealed/suites.ts';
import { addObject, hasObject, objectPath } from '../../store/objects.ts';
import type { Reader, Tx } from '../../store/reader.ts';
import type { Repository } from '../../store/repository.ts';
import { addEnvelope, addSealedPayload } from '../../store/sealed.ts';
import type { ListedTarget } from '../../store/targets.ts';
import { openChosen } from '../repository/locate.ts';
import type { EncryptedFile, EncryptInput, SealedDraft } from './encrypt.ts';
import { envelopeTo, envelopeWriter } from './envelope-file.ts';
import { escrowRecipient, parseKems, readVins, vehicleRecipient } from './envelope-recipients.ts';
import type { RecipientRules, StoredRecipient } from './envelope-recipients.ts';
import { baseName } from './sealed-names.ts';
import { clearTargetOf, isSealedAlready, modelOf, requireSuiteSignatures, stageSealedTarget } from './sealed-target.ts';

/** Takes sealed files in and records them together. */
export interface Recorder extends Disposable {
  /** @throws SEALED_NOT_A_TARGET, SEALED_TARGET_AMBIGUOUS, SEALED_ALREADY, VEHICLE_OF_ANOTHER_MODEL */
  accept(draft: SealedDraft): void;
  /** @throws DATABASE_*, DISK_FULL, FILE_EXISTS */
  record(): Promise<readonly EncryptedFile[]>;
}

/** A sealed file and the target that it is. */
interface Sealed extends SealedDraft {
  readonly clear: ListedTarget;
  readonly rules: RecipientRules;
}

/** Beyond these many, the audit entry names vehicles by count and by the hash of their list only. */
const SUBJECTS_MAX = 1000;

/**
 * Opens the repository and refuses what can be refused before anything is sealed.
 *
 * @throws REPOSITORY_NOT_FOUND, ESCROW_MISSING, VEHICLE_*, SEALED_KEM_NOT_ALLOWED, SEALED_SIGNATURES_MISSING
 */
export async function openRecorder(input: EncryptInput, io: Io, suite: Suite): Promise<Recorder> {
  const repository = await openChosen(io, input.repository);
  try {
    return await recorderOf(repository, { input, io, suite });
  } catch (thrown) {
    repository[Symbol.dispose]();
    throw thrown;
  }
}

async function recorderOf(
  repository: Repository,
  { input, io, suite }: { input: EncryptInput; io: Io; suite: Suite },
): Promise<Recorder> {
  const escrow = escrowRecipient(repository);
  const vins = await readVins(io, input.vins, input.vehicles);
  const rules = { suite, allowedKems: parseKems(input.allowedKems), model: undefined };
  for (const vin of vins) vehicleRecipient(repository, vin, rules);
  for (const path of input.files) {
    await using file = await io.files.open(path);
    const { dialect } = repository.identity;
    await atPath(path, () => requireSuiteSignatures(io, file, { suite, dialect }));
  }
  const sealed: Sealed[] = [];
  return {
    accept: (draft) => sealed.push(accepted(repository, input, { draft, rules, vins })),
    record: () => recordAll(repository, input, { sealed, vins, escrow }),
    [Symbol.dispose]: () => repository[Symbol.dispose](),
  };
}

interface Acceptance {
  readonly draft: SealedDraft;
  readonly rules: RecipientRules;
  readonly vins: readonly Vin[];
}

function accepted(reader: Reader, input: EncryptInput, { draft, rules, vins }: Acceptance): Sealed {
  const clear = clearTargetOf(reader, { path: draft.path, clear: draft.file.clear, wanted: input.target });
  if (input.reseal !== true && isSealedAlready(reader, clear)) throw sealedAlready(clear);
  const model = modelOf(reader, clear.name);
  for (const vin of vins) vehicleRecipient(reader, vin, { ...rules, model });
  return { ...draft, clear, rules: { ...rules, model } };
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

async function recordAll(
  repository: Repository,
  input: EncryptInput,
  work: Recording,
): Promise<readonly EncryptedFile[]> {
  const { io } = repository;
  const appeared: string[] = [];
  const change = { command: 'encrypt', summary: summaryOf(io, work), dryRun: input.dryRun };
  try {
    return await repository.transactAsync(change, async (tx) => {
      if (work.vins.length <= SUBJECTS_MAX) tx.about(...work.vins.map((vin) => `vehicle:${vin}`));
      const made: EncryptedFile[] = [];
      for (const sealed of work.sealed) {
        made.push(await recordOne(tx, sealed, { ...work, expires: input.expires ?? null }));
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

interface Expiring {
  readonly expires: Instant | null;
}

async function recordOne(tx: Tx, sealed: Sealed, work: Recording & Expiring): Promise<EncryptedFile> {
  const { file, clear, output, envelopes } = sealed;
  const { name: target, roles } = stageSealedTarget(tx, clear, file);
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
    roles,
    suite: file.header.suite.name,
    sizeBytes: file.sealed.sizeBytes,
    sha256: toHex(file.sealed.sha256),
    envelopes: work.vins.length + 1,
  };
}

async function writeEnvelopes(tx: Tx, sealed: Sealed, { vins, escrow, expires }: Recording & Expiring): Promise<void> {
  const { io } = tx;
  const { headerBytes, contentKey, sealed: payload } = sealed.file;
  const writer = envelopeWriter(sealed.envelopes);
  const task = io.progress.start(`envelopes of ${baseName(sealed.path)}`, vins.length + 1, 'items');
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
