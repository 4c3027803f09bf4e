/** The files of one vehicle in a Director's tree: its envelopes, then its metadata, Timestamp last. */
import { equalBytes, fromHex } from '../../../core/bytes.ts';
import { failure, isFailure, SecureevError } from '../../../core/errors.ts';
import type { EngineName } from '../../../core/ports.ts';
import { sha256 } from '../../../crypto/hash.ts';
import { isJsonMap } from '../../../formats/json/json.ts';
import type { Json } from '../../../formats/json/json.ts';
import type { Dialect } from '../../../formats/metadata/dialect.ts';
import { decodeRole } from '../../../formats/metadata/envelope.ts';
import type { Root, Targets } from '../../../formats/metadata/types.ts';
import { directorFile, VEHICLE_ROLES } from '../../../store/director.ts';
import type { DirectorFile } from '../../../store/director.ts';
import type { Reader } from '../../../store/reader.ts';
import { envelopeForUse } from '../../../store/sealed.ts';
import type { PublishedFile } from '../../repository/publication.ts';
import type { PlainFile, TreeFile } from '../../repository/tree-writer.ts';
import { requireRootPolicy } from '../../repository/verify-complete.ts';

/** How a tree is made. */
export interface VehiclePublishing {
  readonly reader: Reader;
  readonly dialect: Dialect;
  /** The Director's root in force. */
  readonly root: Root;
}

/** What a vehicle gets. */
export interface VehiclePublication {
  /** In the order in which they are written. */
  readonly files: readonly TreeFile[];
  /** Sealed targets that it is assigned without having an envelope. */
  readonly withoutEnvelope: readonly string[];
}

/** Where the files of a vehicle lie in a Director's tree; `id` is its random id. */
export function vehicleFolder(id: string): string {
  return `vehicles/${id}`;
}

/** Where a vehicle's envelope of a target lies in its folder. */
export function envelopePath(clearTarget: string): string {
  return `envelopes/${clearTarget}.sevk`;
}

/** Collects a vehicle's files, or undefined where it has none. @throws DIRECTOR_NOT_SIGNED, DATABASE_DAMAGED */
export function vehiclePublication(publishing: VehiclePublishing, id: string): VehiclePublication | undefined {
  const { reader, dialect } = publishing;
  const stored = VEHICLE_ROLES.map((role) => directorFile(reader, id, role)).filter((file) => file !== undefined);
  const [targets, , timestamp] = stored;
  if (targets === undefined || timestamp === undefined) return undefined;
  requireSound(publishing, stored);
  const { signed } = decodeRole(targets.file, 'targets').unverified;
  const metadata = stored.map((file) => metadataFile(id, file, dialect));
  const { envelopes, withoutEnvelope } = envelopesOf(reader, id, signed);
  return { files: [...envelopes, ...metadata], withoutEnvelope };
}

/** What is stored is what was signed, and the root in force accepts it. */
function requireSound({ reader, root }: VehiclePublishing, files: readonly DirectorFile[]): void {
  const { engine } = reader.io;
  for (const { role, file, sha256: expected } of files) {
    if (!equalBytes(sha256(engine, file), expected)) {
      throw failure('DATABASE_DAMAGED', `repository database: a vehicle's ${role} is not what was signed`);
    }
    if (role === 'timestamp') requireAccepted(engine, root, file);
  }
}

function requireAccepted(engine: EngineName, root: Root, timestamp: Uint8Array): void {
  try {
    requireRootPolicy(engine, decodeRole(timestamp, 'timestamp').unverified, { root, role: 'timestamp' });
  } catch (cause) {
    if (!isFailure(cause, 'TRUST_THRESHOLD') && !isFailure(cause, 'TRUST_HYBRID_THRESHOLD')) throw cause;
    throw new SecureevError('DIRECTOR_NOT_SIGNED', {
      message: "the Director's root lists other keys than those that vehicles were signed with",
      hint: '`secureev sign director --key ...` signs them with the new ones',
      cause,
    });
  }
}

function metadataFile(id: string, { role, version, file }: DirectorFile, dialect: Dialect): PublishedFile {
  const isNumbered = role !== 'timestamp' && dialect.consistentSnapshot;
  const name = isNumbered ? `${version}.${role}.json` : `${role}.json`;
  return { role, version, path: `${vehicleFolder(id)}/metadata/${name}`, bytes: file };
}

function envelopesOf(
  reader: Reader,
  id: string,
  signed: Targets,
): { envelopes: readonly PlainFile[]; withoutEnvelope: readonly string[] } {
  const envelopes: PlainFile[] = [];
  const withoutEnvelope: string[] = [];
  for (const [name, { custom }] of signed.targets) {
    const payload = sealedHash(custom?.get('encryptedTarget'));
    if (payload === undefined) continue;
    const newest = envelopeForUse(reader, payload, id);
    if (newest === undefined) withoutEnvelope.push(name);
    else envelopes.push({ path: `${vehicleFolder(id)}/${envelopePath(name)}`, bytes: newest.envelope });
  }
  return { envelopes, withoutEnvelope };
}

/** SHA-256 of a sealed payload as Targets of ours name it. */
function sealedHash(encrypted: Json | undefined): Uint8Array | undefined {
  const hashes = isJsonMap(encrypted) ? encrypted.get('hashes') : undefined;
  const hash = isJsonMap(hashes) ? hashes.get('sha256') : undefined;
  return typeof hash === 'string' ? fromHex(hash) : undefined;
}
