/**
 * Envelopes of payloads that exist: given to more vehicles, taken away, listed, extracted.
 *
 * Invariants: the payload never changes; the content key comes out of the escrow's envelope and goes nowhere but into new
 * ones; an envelope that is taken away stays on record, for it revokes nothing that was delivered.
 */
import type { Instant, Vin } from '../../core/brands.ts';
import { SecureevError, failure } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import type { KemId } from '../../crypto/kems/index.ts';
import { decodeEnvelope } from '../../formats/sealed/envelope.ts';
import { suiteNamed } from '../../formats/sealed/suites.ts';
import type { PassphraseChoice } from '../../signers/index.ts';
import { findVehicleById, vehicleOfVin } from '../../store/fleet.ts';
import type { Reader, Tx } from '../../store/reader.ts';
import {
  addEnvelope,
  countEnvelopes,
  envelopesFor,
  envelopesOf,
  escrowEnvelopes,
  removeEnvelopesOfVehicle,
  sealedPayloads,
} from '../../store/sealed.ts';
import type { SealedPayload } from '../../store/sealed.ts';
import { openChosen } from '../repository/locate.ts';
import type { RepositoryChoice } from '../repository/locate.ts';
import { isRehearsal } from '../repository/rehearsal.ts';
import { envelopeTo, envelopeWriter } from './envelope-file.ts';
import type { PayloadSecret } from './envelope-file.ts';
import { openForKey, openKey } from './envelope-opening.ts';
import { findPayload, payloadSummary, storedPrefix } from './envelope-payload.ts';
import { readVins, vehicleRecipient } from './envelope-recipients.ts';
import { modelOf } from './sealed-target.ts';

/** Which payload, and which vehicles. */
export interface EnvelopeChange {
  readonly repository: RepositoryChoice;
  /** The `.sev` file, or the name of its target. */
  readonly payload: string;
  readonly vins: readonly Vin[];
  /** A file with one VIN a line. */
  readonly vehicles?: string | undefined;
  readonly dryRun?: boolean | undefined;
}

/** Envelopes to add. */
export interface EnvelopeAddInput extends EnvelopeChange {
  /** The escrow's private key, as a signer address. */
  readonly key: string;
  readonly passphrases: PassphraseChoice;
  readonly expires?: Instant | undefined;
  readonly allowedKems?: readonly KemId[] | undefined;
}

/** What a change led to. */
export interface EnvelopeState {
  readonly payload: ReturnType<typeof payloadSummary>;
  /** How many were added or taken away. */
  readonly changed: number;
  /** Recipients now, the escrow included, and recipients ever. */
  readonly now: number;
  readonly ever: number;
  /** The `.sevk` file that was written anew. */
  readonly envelopeFile: string | null;
}

/** A payload and how many recipients it has. */
export interface ListedPayload extends ReturnType<typeof payloadSummary> {
  readonly createdAt: number;
  readonly now: number;
  readonly ever: number;
}

/** One recipient of a payload. */
export interface ListedEnvelope {
  /** Null for the escrow key. */
  readonly vin: Vin | null;
  readonly keyId: string;
  readonly expires: number | null;
  readonly addedAt: number;
  readonly removedAt: number | null;
}

/** Gives more vehicles an envelope. @throws SEALED_UNKNOWN, ENVELOPE_*, SEALED_COMMITMENT, VEHICLE_*, SEALED_KEM_NOT_ALLOWED */
export async function addEnvelopes(input: EnvelopeAddInput, io: Io): Promise<EnvelopeState> {
  using repository = await openChosen(io, input.repository);
  const { payload, envelopeFile } = await findPayload(repository, input.payload);
  const vins = await chosenVins(io, input);
  const suite = suiteNamed(payload.suite);
  const rules = { suite, allowedKems: input.allowedKems ?? [], model: modelOf(repository, payload.clearTarget) };
  for (const vin of vins) vehicleRecipient(repository, vin, rules);
  const secret = await contentKeyOf(repository, payload, input);
  const change = { command: 'envelope add', summary: summary('gave', payload, vins), dryRun: input.dryRun };
  return await repository.transactAsync(change, async (tx) => {
    for (const vin of vins) {
      io.signal.throwIfAborted();
      const { vehicle, ...recipient } = vehicleRecipient(tx, vin, rules);
      removeEnvelopesOfVehicle(tx, { payload: payload.sha256, vehicle: vehicle ?? '' });
      const envelope = envelopeTo(io, { ...recipient, vehicle }, secret);
      const { keyId } = recipient;
      addEnvelope(tx, { payload: payload.sha256, keyId, vehicle, envelope, expires: secret.expires });
    }
    return changed(tx, { payload, vins, envelopeFile, dryRun: input.dryRun === true });
  });
}

/** Takes vehicles' envelopes away. @throws SEALED_UNKNOWN, ENVELOPE_NOT_THERE, VEHICLE_UNKNOWN */
export async function removeEnvelopes(input: EnvelopeChange, io: Io): Promise<EnvelopeState> {
  using repository = await openChosen(io, input.repository);
  const { payload, envelopeFile } = await findPayload(repository, input.payload);
  const vins = await chosenVins(io, input);
  const change = { command: 'envelope remove', summary: summary('took away', payload, vins), dryRun: input.dryRun };
  return await repository.transactAsync(change, async (tx) => {
    for (const vin of vins) {
      const removed = removeEnvelopesOfVehicle(tx, { payload: payload.sha256, vehicle: vehicleOfVin(tx, vin).id });
      if (removed === 0) throw notThere(payload, vin);
    }
    return changed(tx, { payload, vins, envelopeFile, dryRun: input.dryRun === true });
  });
}

/** Every payload, newest first. */
export async function listPayloads(repository: RepositoryChoice, io: Io): Promise<readonly ListedPayload[]> {
  using opened = await openChosen(io, repository, { readOnly: true });
  return sealedPayloads(opened).map((payload) => ({
    ...payloadSummary(payload),
    createdAt: payload.createdAt,
    ...countEnvelopes(opened, payload.sha256),
  }));
}

/** The recipients of a payload, at most `limit`; with `everyone` those whose envelope was taken away too. @throws SEALED_UNKNOWN */
export async function listEnvelopes(
  input: { repository: RepositoryChoice; payload: string; everyone: boolean; limit: number },
  io: Io,
): Promise<{ payload: ListedPayload; envelopes: readonly ListedEnvelope[]; more: boolean }> {
  using repository = await openChosen(io, input.repository, { readOnly: true });
  const { payload } = await findPayload(repository, input.payload);
  const rows = [];
  let more = false;
  for (const row of envelopesOf(repository, payload.sha256, input.everyone)) {
    more = rows.length === input.limit;
    if (more) break;
    rows.push(row);
  }
  const envelopes = rows.map(({ vehicle, keyId, expires, addedAt, removedAt }) => {
    const vin = vehicle === null ? null : (findVehicleById(repository, vehicle)?.vin ?? null);
    return { vin, keyId, expires, addedAt, removedAt };
  });
  const counts = countEnvelopes(repository, payload.sha256);
  return { payload: { ...payloadSummary(payload), createdAt: payload.createdAt, ...counts }, envelopes, more };
}

/** Writes one vehicle's envelope to a file of its own. @throws SEALED_UNKNOWN, ENVELOPE_NOT_THERE, VEHICLE_UNKNOWN, FILE_EXISTS */
export async function extractEnvelope(
  input: { repository: RepositoryChoice; payload: string; vin: Vin; out: string },
  io: Io,
): Promise<{ out: string; vin: Vin; keyId: string; sizeBytes: number }> {
  using repository = await openChosen(io, input.repository, { readOnly: true });
  const { payload } = await findPayload(repository, input.payload);
  const [found] = envelopesFor(repository, payload.sha256, vehicleOfVin(repository, input.vin).id);
  if (found === undefined) throw notThere(payload, input.vin);
  await io.files.write(input.out, found.envelope);
  return { out: input.out, vin: input.vin, keyId: found.keyId, sizeBytes: found.envelope.length };
}

async function chosenVins(io: Io, input: EnvelopeChange): Promise<readonly Vin[]> {
  const vins = await readVins(io, input.vins, input.vehicles);
  if (vins.length === 0) throw failure('USAGE', 'no vehicle is named; name some with --vehicle VIN or --vehicles FILE');
  return vins;
}

/** Opens the escrow's envelope; the payload's commitment is checked on the way. */
async function contentKeyOf(reader: Reader, payload: SealedPayload, input: EnvelopeAddInput): Promise<PayloadSecret> {
  const prefix = await storedPrefix(reader, payload);
  const envelopes = escrowEnvelopes(reader, payload.sha256).map(({ envelope }) => decodeEnvelope(envelope));
  using key = await openKey(reader.io, { ...input, rehearsal: isRehearsal(reader) });
  const { contentKey } = await openForKey(reader.io, envelopes, { key, prefix });
  return { headerBytes: prefix.headerBytes, suite: prefix.header.suite, contentKey, expires: input.expires ?? null };
}

interface Changed {
  readonly payload: SealedPayload;
  readonly vins: readonly Vin[];
  readonly envelopeFile: string | undefined;
  readonly dryRun: boolean;
}

async function changed(tx: Tx, { payload, vins, envelopeFile, dryRun }: Changed): Promise<EnvelopeState> {
  tx.about(`target:${payload.target}`, ...vins.map((vin) => `vehicle:${vin}`));
  if (envelopeFile !== undefined && !dryRun) await writeAnew(tx, payload, envelopeFile);
  const counts = countEnvelopes(tx, payload.sha256);
  return { payload: payloadSummary(payload), changed: vins.length, ...counts, envelopeFile: envelopeFile ?? null };
}

/** The file is what the repository has on record. */
async function writeAnew(reader: Reader, payload: SealedPayload, path: string): Promise<void> {
  await using file = await reader.io.files.create(path, { overwrite: true });
  const writer = envelopeWriter(file);
  for (const { envelope } of envelopesOf(reader, payload.sha256)) await writer.add(envelope);
  await writer.finish();
  await file.commit();
}

function summary(did: string, payload: SealedPayload, vins: readonly Vin[]): string {
  return `${did} envelopes of ${payload.target} for ${vins.length} vehicle${vins.length === 1 ? '' : 's'}`;
}

function notThere(payload: SealedPayload, vin: Vin): SecureevError {
  return new SecureevError('ENVELOPE_NOT_THERE', {
    message: `${payload.target} has no envelope for vehicle ${vin}`,
    hint: `see who has one with \`secureev envelope list ${payload.target}\``,
    details: { vin, target: payload.target },
  });
}
