/**
 * Envelopes for the vehicles of a confidential campaign.
 *
 * A vehicle that `encrypt` or `envelope add` gave an envelope before needs nothing; for the others the escrow's private key
 * opens the content keys once, and each vehicle's envelope is made in the transaction that signs it.
 */
import { SecureevError } from '../../../core/errors.ts';
import type { Vin } from '../../../core/brands.ts';
import type { KemId } from '../../../crypto/kems/index.ts';
import { decodeEnvelope } from '../../../formats/sealed/envelope.ts';
import { suiteNamed } from '../../../formats/sealed/suites.ts';
import type { Offers } from '../../../plan/assignment.ts';
import type { PassphraseChoice } from '../../../signers/index.ts';
import { sealedName } from '../../../plan/director-bodies.ts';
import { encryptionKeyFacts } from '../../../store/fleet.ts';
import { addEnvelope, escrowEnvelopes, findSealedPayload, hasEnvelope } from '../../../store/sealed.ts';
import type { SealedPayload } from '../../../store/sealed.ts';
import type { Reader, Tx } from '../../../store/reader.ts';
import { envelopeTo } from '../../release/envelope-file.ts';
import type { PayloadSecret } from '../../release/envelope-file.ts';
import { openForKey, openKey } from '../../release/envelope-opening.ts';
import { storedPrefix } from '../../release/envelope-payload.ts';
import { vehicleRecipient } from '../../release/envelope-recipients.ts';
import type { RecipientRules, StoredRecipient } from '../../release/envelope-recipients.ts';
import { isRehearsal } from '../../repository/rehearsal.ts';
import { completeTarget } from '../director/image-targets.ts';

/** The sealed payloads of a release by clear target, with their content keys where the escrow's key is at hand. */
export interface CampaignEnvelopes extends Disposable {
  /** Why a vehicle cannot have an envelope of all that it would be assigned; undefined where it has them, or can. */
  obstacle(reader: Reader, vehicle: string, assigned: readonly string[]): string | undefined;
  /** Makes the envelopes that are missing; how many they were. @throws CAMPAIGN_NOT_ENCRYPTED, VEHICLE_KEY_*, SEALED_KEM_NOT_ALLOWED */
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
  const opened = await openAll(reader, payloads, escrow);
  const book: SealedBook = new Map(opened.map((sealed) => [sealed.payload.clearTarget, sealed]));
  return {
    obstacle: (from, vehicle, assigned) => obstacleFor(missingOf(from, { book, vehicle, assigned }), escrow),
    add(tx, vehicle, assigned) {
      const { missing } = missingOf(tx, { book, vehicle: vehicle.id, assigned });
      const [first] = missing;
      if (first === undefined) return 0;
      // All payloads of a release are of one suite: the recipient is looked up and checked once.
      const recipient = vehicleRecipient(tx, vehicle.vin, rulesFor(first, escrow));
      for (const sealed of missing) addOne(tx, recipient, sealed);
      return missing.length;
    },
    [Symbol.dispose]: () => {
      for (const { secret } of opened) secret?.contentKey.fill(0);
    },
  };
}

type SealedBook = ReadonlyMap<string, Sealed>;

interface Missing {
  /** The KEM of the vehicle's key; undefined where it has none. */
  readonly kem: string | undefined;
  readonly missing: readonly Sealed[];
}

/** What of `assigned` the vehicle's key in use has no envelope of. */
function missingOf(
  reader: Reader,
  { book, vehicle, assigned }: { book: SealedBook; vehicle: string; assigned: readonly string[] },
): Missing {
  const sealed = assigned.map((target) => book.get(target)).filter((one) => one !== undefined);
  if (sealed.length === 0) return { kem: undefined, missing: [] };
  const key = encryptionKeyFacts(reader, vehicle);
  const has = ({ payload }: Sealed): boolean => key !== undefined && hasEnvelope(reader, payload.sha256, key.keyId);
  return { kem: key?.algorithm, missing: sealed.filter((one) => !has(one)) };
}

function obstacleFor({ kem, missing }: Missing, { key, allowedKems }: EscrowChoice): string | undefined {
  const [first] = missing;
  if (first === undefined) return undefined;
  if (key === undefined) return `${first.payload.clearTarget} is not encrypted for this vehicle`;
  if (allowedKems.some((allowed) => allowed === kem)) return undefined;
  const other = missing.find(({ payload }) => suiteNamed(payload.suite).kem !== kem);
  if (other === undefined) return undefined;
  return `its key is of ${kem ?? 'no KEM'}, suite ${other.payload.suite} wants ${suiteNamed(other.payload.suite).kem}`;
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

/** The release's model is planned for already. */
function rulesFor({ payload }: Sealed, { allowedKems }: EscrowChoice): RecipientRules {
  return { suite: suiteNamed(payload.suite), allowedKems, model: undefined };
}

function addOne(tx: Tx, recipient: StoredRecipient, { payload, secret }: Sealed): void {
  if (secret === undefined) {
    throw new SecureevError('CAMPAIGN_NOT_ENCRYPTED', {
      message: `vehicle ${recipient.vin} has no envelope of what it is assigned`,
      hint: 'give it one with `secureev encrypt --vehicle` or `envelope add`, or name the escrow key with --escrow-key',
      details: { vin: recipient.vin },
    });
  }
  const envelope = envelopeTo(tx.io, recipient, secret);
  const { keyId, vehicle } = recipient;
  addEnvelope(tx, { payload: payload.sha256, keyId, vehicle, envelope, expires: null });
}
