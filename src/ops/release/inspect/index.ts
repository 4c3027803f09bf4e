/**
 * `inspect`: what a file of ours says, whoever wrote it. Nothing is verified, and no repository is needed.
 *
 * A new kind of file is one {@link Inspector} and one line in {@link INSPECTORS}.
 */
import { atPath } from '../../../core/at-path.ts';
import { quote } from '../../../core/brands.ts';
import { SecureevError } from '../../../core/errors.ts';
import type { Io } from '../../../core/ports.ts';
import { deliveryInspector, vehicleManifestInspector } from './arrivals.ts';
import { bundleInspector } from './bundle.ts';
import type { Facts, Inspector } from './inspector.ts';
import { keyFileInspector, publicFileInspector } from './keys.ts';
import { backupInspector, kitInspector, mapInspector, provisioningInspector } from './kits.ts';
import { metadataInspector } from './metadata.ts';
import { answerInspector, requestInspector } from './requests.ts';
import { envelopesInspector, payloadInspector } from './sealed.ts';

/** Every kind of file; the first that recognises a file reads it. */
export const INSPECTORS: readonly Inspector[] = [
  bundleInspector,
  payloadInspector,
  envelopesInspector,
  requestInspector,
  answerInspector,
  vehicleManifestInspector,
  deliveryInspector,
  metadataInspector,
  keyFileInspector,
  publicFileInspector,
  kitInspector,
  mapInspector,
  provisioningInspector,
  backupInspector,
];

/** What is looked at to tell kinds apart; key files begin with lines of text. */
const RECOGNITION_BYTES = 4096;

/** What was found. */
export interface Inspected {
  readonly kind: string;
  readonly sizeBytes: number;
  readonly facts: Facts;
}

/** Looks into a file. @throws INSPECT_UNKNOWN, and what decoding throws, naming the file */
export async function inspectFile(path: string, io: Io): Promise<Inspected> {
  const { first, sizeBytes } = await beginning(path, io);
  const inspector = INSPECTORS.find((one) => one.recognises(first));
  if (inspector === undefined) {
    throw new SecureevError('INSPECT_UNKNOWN', {
      message: `${quote(path)} is no kind of file that is known here`,
      hint: `known are: ${INSPECTORS.map(({ kind }) => kind).join(', ')}`,
    });
  }
  return { kind: inspector.kind, sizeBytes, facts: await atPath(path, () => inspector.read(path, io)) };
}

async function beginning(path: string, io: Io): Promise<{ first: Uint8Array; sizeBytes: number }> {
  await using file = await io.files.open(path);
  return { first: await file.read(0, RECOGNITION_BYTES), sizeBytes: file.sizeBytes };
}
