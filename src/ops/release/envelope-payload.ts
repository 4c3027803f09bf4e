/** Which sealed payload of the repository is meant: by its file, or by its target's name. */
import { parseTargetName, quote } from '../../core/brands.ts';
import { toHex } from '../../core/bytes.ts';
import { SecureevError, isFailure } from '../../core/errors.ts';
import { PREFIX_BYTES, decodePrefix } from '../../formats/sealed/header.ts';
import type { PayloadPrefix } from '../../formats/sealed/header.ts';
import { objectPath } from '../../store/objects.ts';
import type { Reader } from '../../store/reader.ts';
import { findSealedPayload, sealedPayloadOfTarget } from '../../store/sealed.ts';
import type { SealedPayload } from '../../store/sealed.ts';
import { findTarget } from '../../store/targets.ts';
import { hashFile } from '../repository/copy-verified.ts';
import { envelopesBeside } from './sealed-names.ts';

/** A payload that was found. */
export interface FoundPayload {
  readonly payload: SealedPayload;
  /** The envelope file that goes with the file named; undefined where a target was named. */
  readonly envelopeFile: string | undefined;
}

/** The payload that `named` is: a file by its SHA-256, else a target by its name. @throws SEALED_UNKNOWN, FILE_ACCESS */
export async function findPayload(reader: Reader, named: string): Promise<FoundPayload> {
  const { io } = reader;
  const isFile = (await io.files.status(named))?.kind === 'file';
  const payload = isFile ? findSealedPayload(reader, (await hashFile(io, named)).sha256) : byTarget(reader, named);
  if (payload !== undefined) return { payload, envelopeFile: isFile ? envelopesBeside(named) : undefined };
  throw new SecureevError('SEALED_UNKNOWN', {
    message: `${quote(named)} is no sealed payload of this repository`,
    hint: 'name the .sev file that `secureev encrypt` wrote, or its target',
    details: { named },
  });
}

function byTarget(reader: Reader, named: string): SealedPayload | undefined {
  try {
    const target = parseTargetName(named);
    const listed = findTarget(reader, target);
    // Of several, what was sealed last may have been given up: what is listed counts.
    return (listed && findSealedPayload(reader, listed.sha256)) ?? sealedPayloadOfTarget(reader, target);
  } catch (thrown) {
    if (isFailure(thrown, 'VALUE_MALFORMED')) return undefined;
    throw thrown;
  }
}

/** The beginning of a payload, from the repository's objects. @throws SEALED_*, FILE_NOT_FOUND */
export async function storedPrefix(reader: Reader, payload: SealedPayload): Promise<PayloadPrefix> {
  await using file = await reader.io.files.open(objectPath(reader, payload.sha256));
  return decodePrefix(await file.read(0, PREFIX_BYTES));
}

/** A payload as answers show it. */
export function payloadSummary(payload: SealedPayload): {
  target: string;
  clearTarget: string;
  sha256: string;
  suite: string;
} {
  const { target, clearTarget, sha256, suite } = payload;
  return { target, clearTarget, sha256: toHex(sha256), suite };
}
