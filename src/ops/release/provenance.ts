/** Where the images of a release come from that others signed: the role, its version, and whose signatures it has. */
import { toHex } from '../../core/bytes.ts';
import { sha256 } from '../../crypto/hash.ts';
import type { Reader } from '../../store/reader.ts';
import { findRole } from '../../store/roles.ts';
import { findTarget } from '../../store/targets.ts';
import { lastComplete, signaturesOn } from '../../store/versions.ts';
import type { ReleaseImage } from './release-images.ts';

/** The origin of a target that was packaged as it was listed. */
export interface Provenance {
  readonly target: string;
  /** Of the image, in hex. */
  readonly sha256: string;
  /** The role whose signers vouch for it. */
  readonly role: string;
  readonly roleVersion: number;
  /** Of that role's metadata file, in hex. */
  readonly metadataSha256: string;
  /** Ids of the keys that signed it. */
  readonly keyIds: readonly string[];
}

/** The provenance of an image whose plan names a target; undefined for one that was packaged from a file alone. */
export function provenanceOf(reader: Reader, { resolved, stored }: ReleaseImage): Provenance | undefined {
  if (resolved.planned.source.kind !== 'target') return undefined;
  const listed = findTarget(reader, resolved.target);
  const role = listed && findRole(reader, { repository: 'image', name: listed.role });
  const file = role && lastComplete(reader, role);
  if (role === undefined || file === undefined) return undefined;
  const signed = signaturesOn(reader, role, file.version);
  return {
    target: resolved.target,
    sha256: toHex(stored.encoded.sha256),
    role: role.name,
    roleVersion: file.version,
    metadataSha256: toHex(sha256(reader.io.engine, file.file)),
    keyIds: [...new Set(signed.map(({ keyId }) => keyId))],
  };
}
