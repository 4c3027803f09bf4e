/** A bundle of version 1 out of the images of a release: one firmware for each ECU, an image of several ECUs as often. */
import type { Name } from '../../core/brands.ts';
import { concatBytes } from '../../core/bytes.ts';
import { encodeFirmwareV1, encodeHeaderV1 } from '../../formats/otap/v1.ts';
import type { StoredPayload } from '../../formats/otap/writer.ts';
import type { ReleaseImage } from './release-images.ts';
import type { BundlePieces } from './write-bundle.ts';

/** The bytes of a bundle, and all of them that are not payload. */
export interface BundleV1 extends BundlePieces {
  readonly facts: Uint8Array;
}

interface Firmware {
  readonly facts: Uint8Array;
  readonly payload: StoredPayload;
}

/** The bundle of `gateway`; its payloads can be read again, since an image may stand in it several times. @throws OTAP_TOO_LARGE */
export function bundleV1Of(gateway: Name, images: readonly ReleaseImage[]): BundleV1 {
  const firmwares = images.flatMap((image) => firmwaresOf(gateway, image));
  const header = encodeHeaderV1(gateway, firmwares.length);
  return {
    facts: concatBytes(header, ...firmwares.map(({ facts }) => facts)),
    total: firmwares.reduce((sum, { payload }) => sum + payload.storedBytes, 0),
    pieces: piecesOf(header, firmwares),
  };
}

function firmwaresOf(gateway: Name, { resolved, stored }: ReleaseImage): readonly Firmware[] {
  const { sizeBytes, sha256 } = stored.encoded;
  const { version } = resolved.planned;
  return resolved.ecus
    .filter((ecu) => ecu.gateway === gateway)
    .map(({ id, currentVersion }) => ({
      facts: encodeFirmwareV1({ ecu: id, currentVersion, version, sizeBytes, sha256 }),
      payload: stored.payload({ last: false }),
    }));
}

async function* piecesOf(header: Uint8Array, firmwares: readonly Firmware[]): AsyncGenerator<Uint8Array, void, void> {
  yield header;
  for (const { facts, payload } of firmwares) {
    yield facts;
    yield* payload.stream();
  }
}
