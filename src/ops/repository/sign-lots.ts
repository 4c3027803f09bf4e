/**
 * Makes, signs and completes versions of many hashed bins, lot by lot: while one lot is signed on all cores, the next
 * one is made ready.
 *
 * Invariants: keys that this process holds sign in bulk (each signature verified by its own engine, one in a fixed number
 * by the other too); keys elsewhere sign one by one; the first file of each lot is verified as a client does.
 */
import { parseKeyId } from '../../core/brands.ts';
import { equalBytes } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import type { SigningPool } from '../../core/ports.ts';
import { sha256 } from '../../crypto/hash.ts';
import type { PublicKey } from '../../formats/keys/public-key.ts';
import type { Dialect, KeySignature } from '../../formats/metadata/dialect.ts';
import { assembleEnvelope, decodeRole, signatureMessage } from '../../formats/metadata/envelope.ts';
import { expiryOf } from '../../plan/lifetime.ts';
import { versionAfter } from '../../plan/next-version.ts';
import type { SignerKey } from '../../signers/signer.ts';
import { imageRoleAt } from '../../store/delegations.ts';
import type { Tx } from '../../store/reader.ts';
import type { Identity } from '../../store/repository.ts';
import { addCompleteVersion } from '../../store/versions.ts';
import type { StoredSignature } from '../../store/versions.ts';
import { requireThresholds } from '../../trust/role-policy.ts';
import type { RolePolicy } from '../../trust/role-policy.ts';
import { binPayload } from './bin-payload.ts';
import type { BinContent } from './bin-payload.ts';
import type { Bin, BinsInForce } from './bins-situation.ts';
import { canonicalPayload, sectionOf } from './collect-signatures.ts';
import { delegatedPolicyOf } from './verify-complete.ts';

/** Which bins to sign with what. */
export interface LotsRequest {
  readonly bins: BinsInForce;
  /** None of them waits for signatures. */
  readonly wanted: readonly Bin[];
  /** Keys of the bins, enough for every threshold. */
  readonly keys: readonly SignerKey[];
  readonly identity: Identity;
  readonly dialect: Dialect;
  readonly pretend: boolean;
  readonly takesStaged: boolean;
}

/** Bins of one lot. */
const LOT = 64;
/** Lots that are made and not complete: threads that sign have something to go on with. */
const LOTS_AHEAD = 4;

/** A lot that is being signed. */
interface PendingLot {
  readonly made: readonly MadeBin[];
  readonly signatures: Promise<Signatures>;
}

/** Signs and completes all of them. @throws SIGNATURE_INVALID, ENGINE_DISAGREES, INTERRUPTED, and what signers throw */
export async function signLots(tx: Tx, request: LotsRequest): Promise<void> {
  const { wanted } = request;
  if (wanted.length === 0) return;
  const { io } = tx;
  await using signer = await lotSigner(tx, request);
  const policy = request.pretend
    ? undefined
    : delegatedPolicyOf(tx, { repository: 'image', name: wanted[0]?.name ?? '' });
  const task = io.progress.start(`signing ${request.bins.namePrefix}`, wanted.length, 'items');
  const pending: PendingLot[] = [];
  const completeFirst = async (): Promise<void> => {
    const first = pending.shift();
    if (first !== undefined) completeLot(tx, request, { ...first, signatures: await first.signatures, policy });
  };
  for (let at = 0; at < wanted.length; at += LOT) {
    if (io.signal.aborted) throw failure('INTERRUPTED', 'interrupted; nothing was changed');
    const made = wanted.slice(at, at + LOT).map((bin) => makeBin(tx, bin, request));
    const signatures = signer.sign(made);
    // An error shows when the lot is awaited, not before.
    signatures.catch(() => undefined);
    pending.push({ made, signatures });
    if (pending.length === LOTS_AHEAD) await completeFirst();
    task.advance(made.length);
  }
  while (pending.length > 0) await completeFirst();
  task.done();
}

interface MadeBin extends BinContent {
  readonly version: number;
  readonly expires: ReturnType<typeof expiryOf>;
  readonly payload: Uint8Array;
}

function makeBin(tx: Tx, bin: Bin, { bins, identity, dialect, takesStaged }: LotsRequest): MadeBin {
  const role = imageRoleAt(tx, bin.name);
  const version = versionAfter(role.lastVersion);
  const expires = expiryOf(tx.now, bins.definition.lifetimeSeconds);
  const facts = { version, expires, repository: identity.uuid, kind: 'image' } as const;
  const content = { role, takesStaged: takesStaged && bin.hasStaged };
  return { ...content, version, expires, payload: binPayload(tx, content, { facts, dialect }) };
}

/** Signatures of a lot: per key those of its bins. */
type Signatures = readonly (readonly Uint8Array[])[];

interface LotSigner extends AsyncDisposable {
  sign(made: readonly MadeBin[]): Promise<Signatures>;
}

async function lotSigner(tx: Tx, { keys, wanted, pretend, bins }: LotsRequest): Promise<LotSigner> {
  if (pretend) return { sign: async () => [], [Symbol.asyncDispose]: async () => undefined };
  for (const { publicKey } of keys) requireListed(bins, publicKey);
  const lent = keys.map((key) => key.lend?.());
  const held = lent.filter((key) => key !== undefined);
  const pool = held.length === 0 ? undefined : await tx.io.workers.signing(held, held.length * wanted.length);
  return {
    async sign(made) {
      const canonical = made.map(({ payload }) => canonicalPayload(payload));
      return await Promise.all(
        keys.map(async (key, index) => {
          const { section } = sectionOf(key.publicKey);
          const messages = canonical.map((bytes) => signatureMessage(section, bytes, tx.io.engine));
          const place = held.findIndex((one) => one === lent[index]);
          return pool === undefined || place === -1 ? await signEach(key, messages) : await pool.sign(place, messages);
        }),
      );
    },
    [Symbol.asyncDispose]: async () => await disposed(pool),
  };
}

async function disposed(pool: SigningPool | undefined): Promise<void> {
  await pool?.[Symbol.asyncDispose]();
}

async function signEach(key: SignerKey, messages: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
  const signatures: Uint8Array[] = [];
  for (const message of messages) signatures.push(await key.sign(message));
  return signatures;
}

/** The key as the delegator lists it, not as the signer claims it. */
function requireListed({ definition, namePrefix }: BinsInForce, claimed: PublicKey): PublicKey {
  const keys = definition.members.flatMap(({ classical, postQuantum }) => [
    classical,
    ...(postQuantum ? [postQuantum] : []),
  ]);
  const listed = keys.find(({ keyId }) => keyId === claimed.keyId);
  if (listed?.algorithm === claimed.algorithm && equalBytes(listed.bytes, claimed.bytes)) return listed;
  throw failure('KEY_NOT_OF_ROLE', `the signer's key is not the one listed for ${namePrefix} under ${claimed.keyId}`);
}

interface SignedLot {
  readonly made: readonly MadeBin[];
  readonly signatures: Signatures;
  readonly policy: RolePolicy | undefined;
}

function completeLot(tx: Tx, { keys, dialect }: LotsRequest, { made, signatures, policy }: SignedLot): void {
  for (const [index, { role, takesStaged, version, expires, payload }] of made.entries()) {
    const signed = keys.flatMap(({ publicKey }, of): readonly (KeySignature & StoredSignature)[] => {
      const signature = signatures[of]?.[index];
      const { section, keyId } = sectionOf(publicKey);
      return signature === undefined ? [] : [{ key: publicKey, signature, section, keyId: parseKeyId(keyId) }];
    });
    const lists = {
      classical: signed.filter(({ section }) => section === 'classical'),
      postQuantum: signed.filter(({ section }) => section === 'post-quantum'),
    };
    const file = assembleEnvelope(payload, lists, dialect);
    if (policy !== undefined && index === 0) {
      requireThresholds({ engine: tx.io.engine, envelope: decodeRole(file, 'targets').unverified, policy });
    }
    const hash = sha256(tx.io.engine, file);
    addCompleteVersion(tx, role, { version, expires, file, sha256: hash, signatures: signed, takesStaged });
  }
}
