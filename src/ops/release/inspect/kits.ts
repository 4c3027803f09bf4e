/** Facts about kits, map files, provisioning sets and backups. */
import { formatInstant } from '../../../core/brands.ts';
import { equalBytes, toHex, utf8 } from '../../../core/bytes.ts';
import { decodeManifest, MANIFEST_BYTES_MAX, MANIFEST_NAME } from '../../../formats/backup/manifest.ts';
import { decodeTarHeader, TAR_BLOCK_BYTES } from '../../../formats/backup/tar.ts';
import { decodeKitIndex, KIT_INDEX_BYTES_MAX } from '../../../formats/kit/kit-index.ts';
import { decodeDescription, DESCRIPTION_BYTES_MAX } from '../../../formats/provisioning/description.ts';
import type { ProvisionedRoot } from '../../../formats/provisioning/description.ts';
import { decodeMapFile, MAP_BYTES_MAX } from '../../../formats/provisioning/map-file.ts';
import type { Facts, Inspector } from './inspector.ts';

const SHOWN_MAX = 100;

function beginsWith(text: string): (first: Uint8Array) => boolean {
  const magic = utf8(text);
  return (first) => equalBytes(first.subarray(0, magic.length), magic);
}

/** `kit.json`, its files counted all and listed up to a hundred. */
export const kitInspector: Inspector = {
  kind: 'list of a kit',
  recognises: beginsWith('{"created":"'),
  async read(path, io) {
    const { created, files, ...index } = decodeKitIndex(await io.files.read(path, KIT_INDEX_BYTES_MAX));
    return { created: formatInstant(created), ...index, count: files.length, files: files.slice(0, SHOWN_MAX) };
  },
};

/** `map.json`. */
export const mapInspector: Inspector = {
  kind: 'map file',
  recognises: beginsWith('{"mapping":'),
  async read(path, io) {
    const { repositories } = decodeMapFile(await io.files.read(path, MAP_BYTES_MAX));
    return { repositories: repositories.map(({ name, locations }) => ({ name, locations })), everyOneMustSign: true };
  },
};

/** `provisioning.json`. */
export const provisioningInspector: Inspector = {
  kind: 'description of a provisioning set',
  recognises: (first) => /^\s*\{\s*"dialect"\s*:/.test(new TextDecoder('latin1').decode(first)),
  async read(path, io) {
    const { time, ...set } = decodeDescription(await io.files.read(path, DESCRIPTION_BYTES_MAX));
    return {
      time: formatInstant(time),
      repository: set.repository,
      dialect: set.dialect,
      imageRoot: rootFacts(set.imageRoot),
      directorRoot: set.directorRoot === null ? null : rootFacts(set.directorRoot),
      vehicle: set.vehicle === null ? null : { id: set.vehicle.id, vin: set.vehicle.vin },
    };
  },
};

function rootFacts({ version, sha256 }: ProvisionedRoot): Facts {
  return { version, sha256: toHex(sha256) };
}

/** A backup: what its first entry says of the rest. */
export const backupInspector: Inspector = {
  kind: 'backup',
  recognises: beginsWith(`${MANIFEST_NAME}\0`),
  async read(path, io) {
    await using file = await io.files.open(path);
    const entry = decodeTarHeader(await file.read(0, TAR_BLOCK_BYTES), 0);
    const manifest = decodeManifest(
      await file.read(TAR_BLOCK_BYTES, Math.min(entry.sizeBytes, MANIFEST_BYTES_MAX + 1)),
    );
    const { created, repository, name, schema, database, objects } = manifest;
    return {
      created: formatInstant(created),
      repository,
      name,
      schema,
      database: { sizeBytes: database.sizeBytes, sha256: toHex(database.sha256) },
      objects: { count: objects.count, sizeBytes: objects.sizeBytes },
    };
  },
};
