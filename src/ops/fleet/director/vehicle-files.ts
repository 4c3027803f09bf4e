/**
 * Makes the files of some vehicles: bodies, messages, signatures, envelopes.
 *
 * Two rounds: Targets and Snapshot do not need each other's bytes and are signed together, Timestamp names the Snapshot's
 * hash and comes after.
 */
import type { Instant } from '../../../core/brands.ts';
import type { EngineName } from '../../../core/ports.ts';
import { sha256 } from '../../../crypto/hash.ts';
import type { Dialect, KeySignature } from '../../../formats/metadata/dialect.ts';
import { assembleEnvelope, canonicalOf, encodeSigned, signatureMessage } from '../../../formats/metadata/envelope.ts';
import type { Signed } from '../../../formats/metadata/types.ts';
import type { DirectorFile, VehicleRole } from '../../../store/director.ts';
import type { DirectorKey, DirectorKeys } from './keys.ts';
import { requireReadableSize } from '../../repository/readable-size.ts';

/** What makes the files of one vehicle; a role without a maker keeps its last file. */
export interface VehicleDraft {
  readonly vehicle: string;
  readonly targets: Signed | undefined;
  readonly snapshot: Signed | undefined;
  /** The Timestamp of the Snapshot that is in force when the others are made. */
  readonly timestamp: (snapshot: SnapshotFile | undefined) => Signed | undefined;
}

/** What a Timestamp says of a Snapshot. */
export type SnapshotFile = Pick<DirectorFile, 'version' | 'length' | 'sha256'>;

/** The files that were made for a vehicle, in the order in which they may be published. */
export interface VehicleFiles {
  readonly vehicle: string;
  readonly files: readonly DirectorFile[];
}

/** What files are made with. */
export interface FileMaking {
  readonly engine: EngineName;
  readonly dialect: Dialect;
  readonly keys: DirectorKeys;
}

/** Makes the files of some vehicles, in their order. @throws ENGINE_DISAGREES, METADATA_MALFORMED, SIGNER_* */
export async function makeFiles(making: FileMaking, drafts: readonly VehicleDraft[]): Promise<readonly VehicleFiles[]> {
  const [targets, snapshots] = await Promise.all([
    signAll(
      making,
      'targets',
      drafts.map((draft) => draft.targets),
    ),
    signAll(
      making,
      'snapshot',
      drafts.map((draft) => draft.snapshot),
    ),
  ]);
  const bodies = drafts.map((draft, index) => draft.timestamp(snapshots[index]));
  const timestamps = await signAll(making, 'timestamp', bodies);
  return drafts.map(({ vehicle }, index) => ({
    vehicle,
    files: [targets[index], snapshots[index], timestamps[index]].filter((file) => file !== undefined),
  }));
}

interface Encoded {
  readonly body: Signed;
  readonly payload: Uint8Array<ArrayBuffer>;
  readonly canonical: Uint8Array<ArrayBuffer>;
}

/** Signs one role of all vehicles; where there is no body there is no file. */
async function signAll(
  making: FileMaking,
  role: VehicleRole,
  bodies: readonly (Signed | undefined)[],
): Promise<readonly (DirectorFile | undefined)[]> {
  const encoded = bodies.map((body) => (body === undefined ? undefined : encode(making, body)));
  const wanted = encoded.filter((one) => one !== undefined);
  if (wanted.length === 0) return bodies.map(() => undefined);
  const keys = making.keys.roles[role];
  const signed = await Promise.all(keys.map((key) => signatures(making, key, wanted)));
  let at = 0;
  return encoded.map((one) => {
    if (one === undefined) return undefined;
    const own = keys.map((key, index) => ({ key, signature: signed[index]?.[at] ?? new Uint8Array() }));
    at += 1;
    return assemble(making, role, { ...one, signatures: own });
  });
}

const BACKSLASH = 0x5c;

/** What was encoded here is canonical already, unless text in it needed escapes. */
function encode({ dialect }: FileMaking, body: Signed): Encoded {
  const payload = encodeSigned(body, dialect);
  return { body, payload, canonical: payload.includes(BACKSLASH) ? canonicalOf(payload) : payload };
}

async function signatures(
  { engine }: FileMaking,
  key: DirectorKey,
  encoded: readonly Encoded[],
): Promise<readonly Uint8Array[]> {
  return await key.sign(encoded.map(({ canonical }) => signatureMessage(key.family, canonical, engine)));
}

function assemble(
  { engine, dialect }: FileMaking,
  role: VehicleRole,
  made: Encoded & { readonly signatures: readonly { key: DirectorKey; signature: Uint8Array }[] },
): DirectorFile {
  const of = (family: DirectorKey['family']): readonly KeySignature[] =>
    made.signatures
      .filter(({ key }) => key.family === family)
      .map(({ key, signature }) => ({ key: key.publicKey, signature }));
  const lists = { classical: of('classical'), postQuantum: of('post-quantum') };
  const file = assembleEnvelope(made.payload, lists, dialect);
  requireReadableSize({ dialect: dialect.id }, { name: role, repository: 'director' }, file);
  const { version, expires } = made.body;
  return { role, version, expires: expires satisfies Instant, length: file.length, sha256: sha256(engine, file), file };
}
