/** `backup.json`, the first entry of a backup: what the rest must be. See `FORMAT.md`. */
import { formatInstant, parseInstant } from '../../core/brands.ts';
import type { Instant } from '../../core/brands.ts';
import { fromHex, toHex, utf8 } from '../../core/bytes.ts';
import { failure, isFailure } from '../../core/errors.ts';
import { parseJson } from '../json/parse.ts';
import { jsonInteger, jsonMember, jsonMembers, jsonParsed, jsonText } from '../json/read.ts';
import type { JsonPlace } from '../json/read.ts';
import { writeJsonText } from '../json/write.ts';

/** What a backup holds. */
export interface BackupManifest {
  readonly created: Instant;
  /** The repository's UUID and name. */
  readonly repository: string;
  readonly name: string;
  /** The version of the database schema. */
  readonly schema: number;
  readonly database: { readonly sizeBytes: number; /** 32 bytes. */ readonly sha256: Uint8Array };
  readonly objects: { readonly count: number; readonly sizeBytes: number };
}

/** The name of the first entry. */
export const MANIFEST_NAME = 'backup.json';

/** The name of the second entry. */
export const DATABASE_NAME = 'repo.db';

/** The most bytes that a manifest may have. */
export const MANIFEST_BYTES_MAX = 4096;

const FORMAT = 'secureev/backup/1';
const CODE = 'BACKUP_MALFORMED';
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const NAME_CHARACTERS_MAX = 500;
const OBJECT_NAME = /^objects\/([0-9a-f]{2})\/(\1[0-9a-f]{62})$/;

/** The bytes of a manifest. */
export function encodeManifest(manifest: BackupManifest): Uint8Array<ArrayBuffer> {
  const { created, repository, name, schema, database, objects } = manifest;
  const text = writeJsonText(
    new Map<string, string | number | ReadonlyMap<string, string | number>>([
      ['format', FORMAT],
      ['created', formatInstant(created)],
      ['repository', repository],
      ['name', name],
      ['schema', schema],
      [
        'database',
        new Map<string, string | number>([
          ['length', database.sizeBytes],
          ['sha256', toHex(database.sha256)],
        ]),
      ],
      [
        'objects',
        new Map([
          ['bytes', objects.sizeBytes],
          ['count', objects.count],
        ]),
      ],
    ]),
  );
  return utf8(`${text}\n`);
}

/** Reads a manifest. @throws BACKUP_MALFORMED */
export function decodeManifest(bytes: Uint8Array): BackupManifest {
  const place: JsonPlace = { value: jsonOf(bytes), path: MANIFEST_NAME, code: CODE };
  const format = jsonText(jsonMember(place, 'format'));
  if (format !== FORMAT) throw failure(CODE, `not a backup of a version that is known here: ${JSON.stringify(format)}`);
  requireMembers(place, ['created', 'database', 'format', 'name', 'objects', 'repository', 'schema']);
  const [database, objects] = [jsonMember(place, 'database'), jsonMember(place, 'objects')];
  requireMembers(database, ['length', 'sha256']);
  requireMembers(objects, ['bytes', 'count']);
  return {
    created: jsonParsed(jsonMember(place, 'created'), parseInstant),
    repository: jsonParsed(jsonMember(place, 'repository'), (text) => matching(text, UUID)),
    name: jsonParsed(jsonMember(place, 'name'), (text) => (text.length <= NAME_CHARACTERS_MAX ? text : refuse())),
    schema: jsonInteger(jsonMember(place, 'schema'), { min: 1, max: 1000 }),
    database: {
      sizeBytes: jsonInteger(jsonMember(database, 'length'), { min: 1 }),
      sha256: jsonParsed(jsonMember(database, 'sha256'), (text) => fromHex(matching(text, /^[0-9a-f]{64}$/))),
    },
    objects: {
      count: jsonInteger(jsonMember(objects, 'count'), { min: 0 }),
      sizeBytes: jsonInteger(jsonMember(objects, 'bytes'), { min: 0 }),
    },
  };
}

/** The name of an object's entry. */
export function objectEntryName(sha256Hex: string): string {
  return `objects/${sha256Hex.slice(0, 2)}/${sha256Hex}`;
}

/** The SHA-256 in hex that an object's entry is named by; undefined for other names. */
export function objectOfEntry(name: string): string | undefined {
  return OBJECT_NAME.exec(name)?.[2];
}

function jsonOf(bytes: Uint8Array): JsonPlace['value'] {
  try {
    return parseJson(bytes, { bytesMax: MANIFEST_BYTES_MAX, depthMax: 3, valuesMax: 32 });
  } catch (thrown) {
    if (!isFailure(thrown)) throw thrown;
    throw failure(CODE, `${MANIFEST_NAME}: ${thrown.message}`);
  }
}

function requireMembers(place: JsonPlace, names: readonly string[]): void {
  const stranger = jsonMembers(place, names.length).find(([name]) => !names.includes(name));
  if (stranger !== undefined) throw failure(CODE, `${stranger[1].path} is not known here`);
}

function matching(text: string, pattern: RegExp): string {
  return pattern.test(text) ? text : refuse();
}

function refuse(): never {
  throw failure(CODE, 'of another form');
}
