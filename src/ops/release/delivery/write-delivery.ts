/** Writes the file of a delivery: it appears only when it is whole. */
import { equalBytes, toHex } from '../../../core/bytes.ts';
import { failure } from '../../../core/errors.ts';
import type { Io, OutputFile } from '../../../core/ports.ts';
import { startSha256 } from '../../../crypto/hash.ts';
import { TAR_BLOCK_BYTES, TAR_END_BYTES, tarPadding } from '../../../formats/backup/tar.ts';
import { DELIVERY_LIMITS, imageHeader, metadataHeader } from '../../../formats/delivery/delivery.ts';

/** An image as it was hashed. */
export interface DeliveredImage {
  readonly file: string;
  /** 32 bytes. */
  readonly sha256: Uint8Array;
  readonly sizeBytes: number;
}

/** What goes into the file. */
export interface DeliveryContent {
  readonly role: string;
  /** The role's signed file. */
  readonly metadata: Uint8Array;
  readonly images: readonly DeliveredImage[];
  readonly out: string;
}

/** Writes it; gives its size. @throws FILE_EXISTS, IMAGE_CHANGED, DELIVERY_ROLE_NAME, DISK_FULL */
export async function writeDelivery(io: Io, { role, metadata, images, out }: DeliveryContent): Promise<number> {
  const byHash = new Map(images.map((image) => [toHex(image.sha256), image]));
  if (byHash.size > DELIVERY_LIMITS.imagesMax) {
    throw failure('USAGE', `a delivery has at most ${DELIVERY_LIMITS.imagesMax} images`);
  }
  const modified = io.clock.now();
  await using output = await io.files.create(out);
  await output.write(metadataHeader(role, metadata.length, modified));
  await output.write(metadata);
  await output.write(new Uint8Array(tarPadding(metadata.length)));
  let sizeBytes = paddedSize(metadata.length);
  const total = images.reduce((sum, image) => sum + image.sizeBytes, 0);
  const task = io.progress.start(`writing ${out}`, total, 'bytes');
  for (const hash of [...byHash.keys()].sort()) {
    const image = byHash.get(hash);
    if (image === undefined) continue;
    await output.write(imageHeader(image.sha256, image.sizeBytes, modified));
    await copyImage(io, image, { output, advance: (bytes) => task.advance(bytes) });
    sizeBytes += paddedSize(image.sizeBytes);
  }
  await output.write(new Uint8Array(TAR_END_BYTES));
  await output.commit();
  task.done();
  return sizeBytes + TAR_END_BYTES;
}

function paddedSize(sizeBytes: number): number {
  return TAR_BLOCK_BYTES + sizeBytes + tarPadding(sizeBytes);
}

async function copyImage(
  io: Io,
  image: DeliveredImage,
  { output, advance }: { output: OutputFile; advance: (bytes: number) => void },
): Promise<void> {
  await using input = await io.files.open(image.file);
  const hash = startSha256(io.engine);
  let sizeBytes = 0;
  for await (const chunk of input.stream({ reuse: true })) {
    if (io.signal.aborted) throw failure('INTERRUPTED', 'interrupted; no delivery was written');
    hash.update(chunk);
    sizeBytes += chunk.length;
    if (sizeBytes <= image.sizeBytes) await output.write(chunk);
    advance(chunk.length);
  }
  if (sizeBytes !== image.sizeBytes || !equalBytes(hash.digest(), image.sha256)) {
    throw failure('IMAGE_CHANGED', `${image.file} changed while it was read`);
  }
  await output.write(new Uint8Array(tarPadding(sizeBytes)));
}
