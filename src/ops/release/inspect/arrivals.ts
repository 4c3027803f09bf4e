/** Facts about what arrives from outside: deliveries of suppliers, manifests of vehicles. */
import { formatInstant } from '../../../core/brands.ts';
import { toHex } from '../../../core/bytes.ts';
import { decodeManifest, MANIFEST_LIMITS } from '../../../formats/manifest/manifest.ts';
import type { EcuReport } from '../../../formats/manifest/manifest.ts';
import { decodeMetadata } from '../../../formats/metadata/envelope.ts';
import { dialectOf } from '../../../formats/metadata/index.ts';
import { imagesIn, readMetadata } from '../delivery/read-delivery.ts';
import type { Fact, Facts, Inspector } from './inspector.ts';
import { metadataFacts } from './metadata.ts';

const SHOWN_MAX = 100;

/** A delivery: the role's metadata, and which images lie beside it; their bytes are not read. */
export const deliveryInspector: Inspector = {
  kind: 'delivery',
  recognises: (first) => /^metadata\/[^/\0]+\.json\0/.test(new TextDecoder('latin1').decode(first.subarray(0, 100))),
  async read(path, io) {
    await using file = await io.files.open(path);
    const { role, bytes, end } = await readMetadata(file);
    const images: Fact[] = [];
    let count = 0;
    for await (const { sha256, sizeBytes } of imagesIn(file, end)) {
      count += 1;
      if (images.length < SHOWN_MAX) images.push({ sha256, sizeBytes });
    }
    const metadata = metadataFacts(decodeMetadata(bytes).unverified);
    return { deliveredRole: role, metadata, imageCount: count, images };
  },
};

/** One vehicle version manifest; which dialect its signatures are of cannot be told from it. */
export const vehicleManifestInspector: Inspector = {
  kind: 'vehicle version manifest',
  recognises: (first) => {
    const text = new TextDecoder('latin1').decode(first);
    return /^\s*\{\s*"(?:signatures|signed|x-secureev)"/.test(text) && text.includes('"ecu_version_manifests"');
  },
  async read(path, io) {
    const bytes = await io.files.read(path, MANIFEST_LIMITS.bytesMax);
    const { content, signatures } = decodeManifest(bytes, dialectOf('tuf')).unverified;
    const reports = [...content.reports.values()].map((part) => reportFacts(part.content));
    return {
      vin: content.vin ?? null,
      primary: content.primary,
      signedBy: signatures.map(({ keyId }) => keyId),
      ecuCount: reports.length,
      ecus: reports.slice(0, SHOWN_MAX),
    };
  },
};

function reportFacts({ ecu, image, attack, time, nonce, counter }: EcuReport): Facts {
  return {
    ecu,
    image: image.name,
    length: image.length,
    sha256: toHex(image.sha256),
    attack: attack ?? null,
    time: formatInstant(time),
    nonce: nonce ?? null,
    counter: counter ?? null,
  };
}
