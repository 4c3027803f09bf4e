/**
 * Deliveries: what a supplier hands over for its delegated role, in one file: the role's next signed Targets metadata, then
 * the images that are new in it.
 *
 * @see FORMAT.md
 */
import { parseName, parseRoleName, parseTargetName, parseVersion } from '../../core/brands.ts';
import type { Name, RoleName, TargetName, Version } from '../../core/brands.ts';
import { fromHex, toHex } from '../../core/bytes.ts';
import { failure, isFailure } from '../../core/errors.ts';
import { decodeTarHeader, encodeTarHeader } from '../backup/tar.ts';
import type { TarEntry } from '../backup/tar.ts';
import { isJsonList } from '../json/json.ts';
import type { TargetFile } from '../metadata/types.ts';
import { METADATA_BYTES_MAX } from '../metadata/limits.ts';

/** The limits of a delivery. */
export const DELIVERY_LIMITS = {
  /** Characters of a role's name, so that its entry has a name. */
  roleNameMax: 80,
  metadataBytesMax: METADATA_BYTES_MAX.targets,
  /** Images of one delivery. */
  imagesMax: 10_000,
  imageBytesMax: 2 ** 40,
} as const;

const METADATA = /^metadata\/([^/]+)\.json$/;
const IMAGE = /^targets\/([0-9a-f]{64})$/;

/** The header of the metadata's entry, which is the first one. @throws DELIVERY_ROLE_NAME */
export function metadataHeader(role: string, sizeBytes: number, modified: number): Uint8Array {
  if (role.length > DELIVERY_LIMITS.roleNameMax) {
    throw failure('DELIVERY_ROLE_NAME', `a role of a delivery has a name of at most ${DELIVERY_LIMITS.roleNameMax}`);
  }
  return encodeTarHeader({ name: `metadata/${role}.json`, sizeBytes, modified });
}

/** The header of an image's entry; entries rise by hash. */
export function imageHeader(sha256: Uint8Array, sizeBytes: number, modified: number): Uint8Array {
  return encodeTarHeader({ name: `targets/${toHex(sha256)}`, sizeBytes, modified });
}

/** The metadata's entry. */
export interface MetadataEntry {
  readonly role: RoleName;
  readonly sizeBytes: number;
}

/** Reads the header of the first entry. @throws DELIVERY_MALFORMED */
export function decodeMetadataHeader(block: Uint8Array): MetadataEntry {
  const entry = entryOf(block, 0);
  const role = METADATA.exec(entry.name)?.[1];
  if (role === undefined || role.length > DELIVERY_LIMITS.roleNameMax) {
    throw failure('DELIVERY_MALFORMED', 'no delivery: it does not begin with metadata/ROLE.json');
  }
  if (entry.sizeBytes > DELIVERY_LIMITS.metadataBytesMax) {
    throw failure('DELIVERY_MALFORMED', `metadata of over ${DELIVERY_LIMITS.metadataBytesMax} bytes`);
  }
  return { role: parsedRole(role), sizeBytes: entry.sizeBytes };
}

function parsedRole(role: string): RoleName {
  try {
    return parseRoleName(role);
  } catch (cause) {
    throw failure('DELIVERY_MALFORMED', cause instanceof Error ? cause.message : 'no role');
  }
}

/** An image's entry. */
export interface ImageEntry {
  /** In hex. */
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** Reads the header of an image's entry at byte `offset`, which must come after `before`. @throws DELIVERY_MALFORMED */
export function decodeImageHeader(block: Uint8Array, offset: number, before: string): ImageEntry {
  const entry = entryOf(block, offset);
  const sha256 = IMAGE.exec(entry.name)?.[1];
  if (sha256 === undefined || sha256 <= before || entry.sizeBytes > DELIVERY_LIMITS.imageBytesMax) {
    throw failure('DELIVERY_MALFORMED', `what begins at byte ${offset} does not belong there`, { offset });
  }
  return { sha256, sizeBytes: entry.sizeBytes };
}

function entryOf(block: Uint8Array, offset: number): TarEntry {
  try {
    return decodeTarHeader(block, offset);
  } catch (thrown) {
    if (!isFailure(thrown, 'BACKUP_MALFORMED')) throw thrown;
    throw failure('DELIVERY_MALFORMED', `no entry of a delivery at byte ${offset}`, { offset });
  }
}

/** What a delivered target says of itself. */
export interface DeliveredTarget {
  readonly name: TargetName;
  readonly length: number;
  /** 32 bytes. */
  readonly sha256: Uint8Array;
  readonly hardwareIds: readonly Name[];
  /** Undefined in dialects that have none. */
  readonly releaseCounter: Version | undefined;
  readonly version: Name | undefined;
}

/** Reads what a target's metadata must say, of a supplier whose tools may be any. @throws DELIVERY_MALFORMED */
export function decodeDeliveredTarget(listed: string, file: TargetFile): DeliveredTarget {
  const place = `target ${listed.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 100)}`;
  try {
    const hardware = file.custom?.get('hardwareIds');
    const ids = isJsonList(hardware) ? hardware : [];
    if (ids.length === 0) throw failure('VALUE_MALFORMED', 'it names no hardwareIds');
    const [counter, version] = [file.custom?.get('releaseCounter'), file.custom?.get('version')];
    return {
      name: parseTargetName(listed),
      length: file.length,
      sha256: sha256Of(file),
      hardwareIds: ids.map((id) => parseName(typeof id === 'string' ? id : '', 'hardware id')),
      releaseCounter: counter === undefined ? undefined : parseVersion(Number(counter), 'release counter'),
      version: version === undefined ? undefined : parseName(typeof version === 'string' ? version : '', 'version'),
    };
  } catch (thrown) {
    if (!isFailure(thrown, 'VALUE_MALFORMED')) throw thrown;
    throw failure('DELIVERY_MALFORMED', `${place}: ${thrown.message}`);
  }
}

function sha256Of({ hashes }: TargetFile): Uint8Array {
  const bytes = fromHex(hashes.get('sha256') ?? '', 'SHA-256');
  if (bytes.length !== 32) throw failure('VALUE_MALFORMED', 'it has no SHA-256');
  return bytes;
}
