/** Writing manifests: what an ECU signs of itself, and what a Primary signs of the vehicle. */
import { formatInstant } from '../../core/brands.ts';
import { toHex, utf8 } from '../../core/bytes.ts';
import { jsonMap } from '../json/json.ts';
import type { Json } from '../json/json.ts';
import { parseJson } from '../json/parse.ts';
import { writeJsonText } from '../json/write.ts';
import { MANIFEST_LIMITS } from './manifest.ts';
import type { EcuReport, VehicleManifest } from './manifest.ts';

/** The `signed` bytes of one ECU's report; `assembleEnvelope` puts signatures beside them. */
export function encodeEcuReport(report: EcuReport): Uint8Array<ArrayBuffer> {
  const { ecu, image, attack = '', time, nonce, counter } = report;
  const fileinfo = jsonMap({ hashes: jsonMap({ sha256: toHex(image.sha256) }), length: image.length });
  const members = {
    attacks_detected: attack,
    ecu_serial: ecu,
    installed_image: jsonMap({ fileinfo, filepath: image.name }),
    nonce,
    report_counter: counter === undefined ? undefined : String(counter),
    timeserver_time: formatInstant(time),
  };
  return utf8(writeJsonText(jsonMap(members)));
}

/** The `signed` bytes of a vehicle's manifest, from the signed reports of its ECUs by their names. */
export function encodeVehicleManifest(
  manifest: Pick<VehicleManifest, 'vin' | 'primary'>,
  reports: ReadonlyMap<string, Uint8Array>,
): Uint8Array<ArrayBuffer> {
  const listed = new Map<string, Json>();
  for (const [ecu, file] of reports) listed.set(ecu, parseJson(file, MANIFEST_LIMITS));
  const members = { ecu_version_manifests: listed, primary_ecu_serial: manifest.primary, vin: manifest.vin };
  return utf8(writeJsonText(jsonMap(members)));
}
