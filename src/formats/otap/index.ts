/**
 * Bundles of any version, read from a stream in one pass.
 *
 * Invariant: versions are told apart here and nowhere else; each decodes to the same {@link BundleHead}.
 */
import { failure } from '../../core/errors.ts';
import type { EngineName } from '../../core/ports.ts';
import { startSha256 } from '../../crypto/hash.ts';
import { byteReader } from './byte-reader.ts';
import type { ByteReader } from './byte-reader.ts';
import type { BundleHead, BundleImage } from './bundle.ts';
import { decodePrefix, PREFIX_BYTES } from './header.ts';
import type { Prefix } from './header.ts';
import type { ImageSink, PayloadContext } from './payload.ts';
import { otapV1 } from './v1.ts';
import type { ScanSource } from './v1.ts';
import { otapV2 } from './v2.ts';

/** How one version is read. */
export interface OtapVersion {
  readonly version: number;
  /** Reads what comes after the first 9 bytes, up to the payloads; a version without a manifest tries the payloads for it. */
  readonly readHead: (reader: ByteReader, prefix: Prefix, source?: ScanSource) => Promise<BundleHead>;
  /** Reads the next payload, which is that of `image`. */
  readonly readPayload: (
    reader: ByteReader,
    image: BundleImage,
    context: PayloadContext & { readonly sink?: ImageSink | undefined },
  ) => Promise<void>;
}

/** The versions that can be read. */
export const OTAP_VERSIONS = [otapV1, otapV2] as const satisfies readonly OtapVersion[];

/** A bundle whose head has been read and whose payloads stand next in the stream. */
export interface OpenBundle {
  readonly head: BundleHead;
  /** Reads the payloads of `images`, which must be those of the (by now verified) manifest, in order. */
  readPayloads(images: readonly BundleImage[], context: PayloadsContext): Promise<void>;
  /** Requires the stream to end, and gives the size and SHA-256 of all of it. @throws OTAP_TRAILING_BYTES */
  finish(): Promise<{ sizeBytes: number; sha256: Uint8Array }>;
}

/** What reading the payloads takes. */
export interface PayloadsContext extends PayloadContext {
  /** Where an image goes; undefined to check it only. */
  readonly sinkOf?: ((image: BundleImage) => ImageSink | Promise<ImageSink>) | undefined;
}

/**
 * Reads the head of the bundle that `source` streams; the whole is hashed on the way. A bundle of version 1 can only be
 * read where `again` gives the same bytes once more.
 *
 * @throws OTAP_VERSION_UNKNOWN, OTAP_MALFORMED, OTAP_TRUNCATED and those of the version's `readHead`
 */
export async function openBundle(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  engine: EngineName,
  again?: Omit<ScanSource, 'engine'>,
): Promise<OpenBundle> {
  const hash = startSha256(engine);
  const reader = byteReader(source, (block) => hash.update(block));
  const prefix = decodePrefix(await reader.take(PREFIX_BYTES, 'header'));
  const version = versionOf(prefix.version);
  const head = await version.readHead(reader, prefix, again && { ...again, engine });

  async function readPayloads(images: readonly BundleImage[], context: PayloadsContext): Promise<void> {
    for (const image of images) {
      await version.readPayload(reader, image, { ...context, sink: await context.sinkOf?.(image) });
    }
  }

  async function finish(): Promise<{ sizeBytes: number; sha256: Uint8Array }> {
    const sizeBytes = reader.offset();
    if (!(await reader.atEnd())) {
      throw failure('OTAP_TRAILING_BYTES', `bytes after the last payload, at byte ${sizeBytes}`, { offset: sizeBytes });
    }
    return { sizeBytes, sha256: hash.digest() };
  }

  return { head, readPayloads, finish };
}

function versionOf(version: number): OtapVersion {
  const found = OTAP_VERSIONS.find((one) => one.version === version);
  if (found === undefined) {
    throw failure('OTAP_VERSION_UNKNOWN', `OTAP version ${version} is not read here`, { version, offset: 4 });
  }
  return found;
}
