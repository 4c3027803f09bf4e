/** Facts about OTAP bundles. */
import { formatInstant } from '../../../core/brands.ts';
import { toHex } from '../../../core/bytes.ts';
import type { BundleHead, BundleImage } from '../../../formats/otap/bundle.ts';
import { startsWithMagic } from '../../../formats/otap/header.ts';
import { openBundle } from '../../../formats/otap/index.ts';
import type { Facts, Inspector } from './inspector.ts';

const BLOCK_BYTES = 64 * 1024;

/** Header, manifest and who claims to have signed; of version 1, which has no manifest, all of it is read. */
export const bundleInspector: Inspector = {
  kind: 'OTAP bundle',
  recognises: startsWithMagic,
  async read(path, io) {
    await using file = await io.files.open(path);
    const again = { file, zstd: io.zstd };
    return bundleFacts((await openBundle(file.stream({ chunkBytes: BLOCK_BYTES }), io.engine, again)).head);
  },
};

/** What a bundle's head says. */
export function bundleFacts(head: BundleHead): Facts {
  if (!head.isSignable) return unsignedFacts(head);
  const { time, zstdLibrary = null, images, ...manifest } = head.manifest.unverified;
  return {
    formatVersion: head.version,
    gateway: head.gateway,
    ...manifest,
    time: formatInstant(time),
    zstdLibrary,
    signatures: head.signatures.map(({ algorithm, keyId }) => ({ algorithm, keyId })),
    images: images.map(imageFacts),
  };
}

/** Only what a bundle without a manifest says. */
function unsignedFacts({ version, gateway, manifest }: BundleHead): Facts {
  const images = manifest.unverified.images.map(({ ecus, sha256, ...image }) => ({
    ecu: ecus[0]?.id ?? null,
    currentVersion: ecus[0]?.currentVersion ?? null,
    version: image.version,
    sizeBytes: image.sizeBytes,
    sha256: toHex(sha256),
    codec: image.codec,
    storedBytes: image.storedBytes,
  }));
  return { formatVersion: version, gateway, signatures: 'none: nobody signs bundles of this version', images };
}

function imageFacts(image: BundleImage): Facts {
  return {
    ...image,
    sha256: toHex(image.sha256),
    treeRoot: toHex(image.treeRoot),
    ecuType: image.ecuType ?? null,
    ecus: image.ecus.map(({ id, hardwareId, currentVersion = null }) => ({ id, hardwareId, currentVersion })),
    requires: image.requires.map(({ kind, name, version }) => ({ kind, name, version })),
  };
}
