/**
 * Reads the file of a delivery entry by entry; a supplier, or who took its place, has written it.
 *
 * Invariant: no entry is read that does not belong where it stands, and none twice.
 */
import { equalBytes, fromHex } from '../../../core/bytes.ts';
import { failure } from '../../../core/errors.ts';
import type { InputFile, Io } from '../../../core/ports.ts';
import { startSha256 } from '../../../crypto/hash.ts';
import { TAR_BLOCK_BYTES, TAR_END_BYTES, tarPadding } from '../../../formats/backup/tar.ts';
import { decodeImageHeader, decodeMetadataHeader, DELIVERY_LIMITS } from '../../../formats/delivery/delivery.ts';
import type { ImageEntry } from '../../../formats/delivery/delivery.ts';

/** The role and its signed file, as the delivery has them. */
export interface DeliveredMetadata {
  readonly role: string;
  readonly bytes: Uint8Array;
  /** Where the images begin. */
  readonly end: number;
}

/** Reads the metadata. @throws DELIVERY_MALFORMED */
export async function readMetadata(file: InputFile): Promise<DeliveredMetadata> {
  const { role, sizeBytes } = decodeMetadataHeader(await take(file, 0, TAR_BLOCK_BYTES));
  const bytes = await take(file, TAR_BLOCK_BYTES, sizeBytes);
  return { role, bytes, end: await afterPadding(file, TAR_BLOCK_BYTES + sizeBytes, sizeBytes) };
}

/** An image of the delivery: where its bytes are. */
export interface ImagePlace extends ImageEntry {
  readonly offset: number;
}

/** The images after the metadata, up to the file's end; each is looked at before the next is sought. @throws DELIVERY_MALFORMED */
export async function* imagesIn(file: InputFile, from: number): AsyncIterable<ImagePlace> {
  let at = from;
  let before = '';
  for (let count = 0; at + TAR_END_BYTES < file.sizeBytes; count++) {
    if (count === DELIVERY_LIMITS.imagesMax) throw failure('DELIVERY_MALFORMED', 'too many images');
    const entry = decodeImageHeader(await take(file, at, TAR_BLOCK_BYTES), at, before);
    const offset = at + TAR_BLOCK_BYTES;
    if (entry.sizeBytes > file.sizeBytes - offset) throw cutOff(file);
    yield { ...entry, offset };
    at = await afterPadding(file, offset + entry.sizeBytes, entry.sizeBytes);
    before = entry.sha256;
  }
  const end = await take(file, at, TAR_END_BYTES);
  if (at + TAR_END_BYTES !== file.sizeBytes || end.some((byte) => byte !== 0)) throw cutOff(file);
}

/** Nobody knows whether the release that it goes into will be confidential. */
const IMAGE_MODE = 0o600;

/** Copies an image to `to`, where it appears only if it is what it should be. @throws DELIVERY_IMAGE_DAMAGED, DISK_FULL */
export async function extractImage(
  io: Io,
  file: InputFile,
  image: ImagePlace & { readonly to: string },
): Promise<void> {
  const { offset: from, sizeBytes: length, sha256, to } = image;
  await using output = await io.files.create(to, { mode: IMAGE_MODE });
  const hash = startSha256(io.engine);
  for await (const chunk of file.stream({ from, length, reuse: true })) {
    if (io.signal.aborted) throw failure('INTERRUPTED', 'interrupted; nothing was taken in');
    hash.update(chunk);
    await output.write(chunk);
  }
  if (!equalBytes(hash.digest(), fromHex(sha256))) {
    throw failure('DELIVERY_IMAGE_DAMAGED', `image ${sha256} is not what the metadata says`, { sha256 });
  }
  await output.commit();
}

async function take(file: InputFile, at: number, sizeBytes: number): Promise<Uint8Array> {
  if (sizeBytes > file.sizeBytes - at) throw cutOff(file);
  const bytes = await file.read(at, sizeBytes);
  if (bytes.length < sizeBytes) throw cutOff(file);
  return bytes;
}

async function afterPadding(file: InputFile, at: number, sizeBytes: number): Promise<number> {
  const padding = await take(file, at, tarPadding(sizeBytes));
  if (padding.every((byte) => byte === 0)) return at + padding.length;
  throw failure('DELIVERY_MALFORMED', `something lies between two entries at byte ${at}`, { offset: at });
}

function cutOff(file: InputFile): Error {
  return failure('DELIVERY_MALFORMED', `the delivery is cut off, or goes on after its end, at byte ${file.sizeBytes}`);
}
