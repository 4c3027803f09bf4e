/**
 * Envelopes for the vehicles of a confidential campaign.
 *
 * A vehicle that `encrypt` or `envelope add` gave an envelope before needs nothing; for the others the escrow's private key
 * opens the content keys once, and each vehicle's envelope is made in the transaction that signs it.
 */
import { isFailure, SecureevError } from '../../../core/errors.ts';
import type { Vin } from '../../../core/brands.ts';
import type { KemId } from '../../../crypto/kems/index.ts';
import { decodeEnvelope } from '../../../formats/sealed/envelope.ts';
import { suiteNamed } from '../../../formats/sealed/suites.ts';
import type { Offers } from '../../../plan/assignment.ts';
import type { PassphraseChoice } from '../../../signers/index.ts';
import { sealedName } from '../../../plan/director-bodies.ts';
import { encryptionKeyOf } from '../../../store/fleet.ts';
import { addEnvelope, envelopesFor, escrowEnvelopes, findSealedPayload } from '../../../store/sealed.ts';
import type { SealedPayload } from '../../../store/sealed.ts';
import type { Reader, Tx } from '../../../store/reader.ts';
import { envelopeTo } from '../../release/envelope-file.ts';
import type { PayloadSecret } from '../../release/envelope-file.ts';
import { openForKey, openKey } from '../../release/envelope-opening.ts';
import { storedPrefix } from '../../release/envelope-payload.ts';
import { vehicleRecipient } from '../../release/envelope-recipients.ts';
import type { RecipientRules } from '../../release/envelope-recipients.ts';
import { isRehearsal } from '../../repository/rehearsal.ts';
import { completeTarget } from '../director/image-targets.ts';

/** The sealed payloads of a release by clear target, with their content keys where the escrow's key is at hand. */
export interface CampaignEnvelopes extends Disposable {
  /** The targets of `assigned` that the vehicle's key in use has no envelope for. */
  missing(reader: Reader, vehicle: string, assigned: readonly string[]): readonly string[];
  /** Why the missing ones of `targets` cannot be made; undefined where they can. */
  obstacle(reader: Reader, vin: Vin, targets: readonly string[]): string | undefined;
  /** Makes the missing ones. @throws VEHICLE_KEY_*, SEALED_KEM_NOT_ALLOWED */
  add(tx: Tx, vehicle: { id: string; vin: Vin }, assigned: readonly string[]): number;
}

/** The escrow's private key, as a signer address. */
export interface EscrowChoice {
  readonly key: string | undefined;
  readonly allowedKems: readonly KemId[];
  readonly passphrases: PassphraseChoice;
}

interface Sealed {
  readonly payload: SealedPayload;
  readonly secret: PayloadSecret | undefined;
}

/** Finds the sealed payloads of what a release offers, and opens their content keys with the escrow's key where given. */
export async function campaignEnvelopes(
  reader: Reader,
  { offers }: Offers,
  escrow: EscrowChoice,
): Promise<CampaignEnvelopes> {
  const payloads = offers.flatMap(({ target }) => {
    const sealed = completeTarget(reader, sealedName(target));
    const payload = sealed === undefined ? undefined : findSealedPayload(reader, sealed.sha256);
    return payload === undefined ? [] : [payload];
  });
  const sealed = new Map<string, Sealed>();
  for (const { payload, secret } of await openAll(reader, payloads, escrow)) {
    sealed.set(payload.clearTarget, { payload, secret });
  }
  const missing: CampaignEnvelopes['missing'] = (...asked) => withoutEnvelope(sealed, ...asked);
  return {
    missing,
    obstacle(from, vin, targets) {
      const [first] = targets;
      if (first === undefined) return undefined;
      if (escrow.key === undefined) return `${first} is not encrypted for this vehicle`;
      const payloads = targets.map((target) => sealed.get(target)?.payload).filter((one) => one !== undefined);
      return recipientTrouble(from, vin, { payloads, escrow });
    },
    add(tx, vehicle, assigned) {
      const targets = missing(tx, vehicle.id, assigned);
      for (const target of targets) addOne(tx, vehicle, { sealed: sealed.get(target), escrow });
      return targets.length;
    },
    [Symbol.dispose]: () => {
      for (const { secret } of sealed.values()) secret?.contentKey.fill(0);
    },
  };
}

function withoutEnvelope(
  sealed: ReadonlyMap<string, Sealed>,
  ...[reader, vehicle, assigned]: Parameters<CampaignEnvelopes['missing']>
): readonly string[] {
  const wanted = assigned.filter((target) => sealed.has(target));
  const keyId = wanted.length === 0 ? undefined : encryptionKeyOf(reader, vehicle)?.keyId;
  return wanted.filter((target) => {
    const payload = sealed.get(target)?.payload.sha256;
    return payload !== undefined && !envelopesFor(reader, payload, vehicle).some((known) => known.keyId === keyId);
  });
}

async function openAll(
  reader: Reader,
  payloads: readonly SealedPayload[],
  { key: address, passphrases }: EscrowChoice,
): Promise<readonly Sealed[]> {
  if (address === undefined || payloads.length === 0)
    return payloads.map((payload) => ({ payload, secret: undefined }));
  using key = await openKey(reader.io, { key: address, passphrases, rehearsal: isRehearsal(reader) });
  const opened: Sealed[] = [];
  for (const payload of payloads) {
    const prefix = await storedPrefix(reader, payload);
    const envelopes = escrowEnvelopes(reader, payload.sha256).map(({ envelope }) => decodeEnvelope(envelope));
    const { contentKey } = await openForKey(reader.io, envelopes, { key, prefix });
    const { headerBytes } = prefix;
    opened.push({ payload, secret: { headerBytes, suite: prefix.header.suite, contentKey, expires: null } });
  }
  return opened;
}

/** Why a vehicle's key gets no envelope: it is of a KEM that nobody allowed. */
function recipientTrouble(
  reader: Reader,
  vin: Vin,
  { payloads, escrow }: { payloads: readonly SealedPayload[]; escrow: EscrowChoice },
): string | undefined {
  try {
    for (const { suite } of payloads) vehicleRecipient(reader, vin, rulesFor(suite, escrow));
    return undefined;
  } catch (thrown) {
    if (isFailure(thrown)) return thrown.message;
    throw thrown;
  }
}

/** The release's model is planned for already. */
function rulesFor(suite: string, { allowedKems }: EscrowChoice): RecipientRules {
  return { suite: suiteNamed(suite), allowedKems, model: undefined };
}

function addOne(
  tx: Tx,
  vehicle: { vin: Vin },
  { sealed, escrow }: { sealed: Sealed | undefined; escrow: EscrowChoice },
): void {
  if (sealed?.secret === undefined) {
    throw new SecureevError('CAMPAIGN_NOT_ENCRYPTED', {
      message: `vehicle ${vehicle.vin} has no envelope of what it is assigned`,
      hint: 'give it one with `secureev encrypt --vehicle` or `envelope add`, or name the escrow key with --escrow-key',
      details: { vin: vehicle.vin },
    });
  }
  const { payload, secret } = sealed;
  const recipient = vehicleRecipient(tx, vehicle.vin, rulesFor(payload.suite, escrow));
  const envelope = envelopeTo(tx.io, recipient, secret);
  const { keyId, vehicle: id } = recipient;
  addEnvelope(tx, { payload: payload.sha256, keyId, vehicle: id, envelope, expires: null });
}
