/**
 * The `signed` part of each role, read and written.
 *
 * Reading keeps the JSON it came from, so that unknown members survive; writing makes new bodies of ours alone.
 */
import { formatInstant, parseInstant, parseVersion } from '../../core/brands.ts';
import type { Version } from '../../core/brands.ts';
import { jsonMap } from '../json/json.ts';
import type { Json, JsonMap } from '../json/json.ts';
import {
  jsonBoolean,
  jsonInteger,
  jsonMember,
  jsonMembers,
  jsonMisfit,
  jsonObject,
  jsonParsed,
  jsonText,
} from '../json/read.ts';
import type { JsonPlace } from '../json/read.ts';
import type { Dialect } from './dialect.ts';
import { decodeDelegations, encodeDelegations } from './delegations.ts';
import { EXTENSION_MEMBER, decodeExtension, encodeExtension, requireFitting } from './extension.ts';
import { decodeKeyRing, encodeKeyRing } from './key-ring.ts';
import { HASHES_MAX, SNAPSHOT_FILES_MAX, TARGET_NAME_CHARS_MAX, TARGETS_MAX } from './limits.ts';
import { TOP_LEVEL_ROLES } from './types.ts';
import type { MetaFile, Root, Signed, SignedCommon, Snapshot, TargetFile, Targets, Timestamp } from './types.ts';

/** The version of the TUF specification that files name. */
export const SPEC_VERSION = '1.0.34';
const FIRST_SPEC_VERSION = '1.0';
const SPEC_VERSION_FORM = /^1\.\d{1,4}(?:\.\d{1,4})?$/;
const HASH = /^(?:[0-9a-f]{2}){16,128}$/;
/** Hex digits of the hashes that are known here; others are kept as they are. */
const HASH_DIGITS: ReadonlyMap<string, number> = new Map([
  ['sha256', 64],
  ['sha512', 128],
]);
/** A role's name with `.json`; what stands in URLs and file names is its percent-encoding. */
const FILE_NAME = /^.{1,255}\.json$/u;

/** What is known of a body before its own members are read. */
interface Beginning {
  readonly dialect: Dialect;
  readonly common: SignedCommon;
}

/** Reads a `signed` object of any role. @throws METADATA_MALFORMED, METADATA_HYBRID_INCOMPLETE */
export function decodeSigned(place: JsonPlace, dialect: Dialect): Signed {
  const type = jsonMember(place, '_type');
  const role = TOP_LEVEL_ROLES.find((name) => dialect.typeNames[name] === jsonText(type));
  if (role === undefined) throw jsonMisfit(type, `one of ${Object.values(dialect.typeNames).join(', ')}`);
  const body = READERS[role](place, { dialect, common: decodeCommon(place, dialect) });
  requireFitting(body, place);
  return body;
}

const READERS: Readonly<Record<Signed['role'], (place: JsonPlace, beginning: Beginning) => Signed>> = {
  root: decodeRoot,
  targets: decodeTargets,
  snapshot: decodeSnapshot,
  timestamp: decodeTimestamp,
};

function decodeCommon(place: JsonPlace, dialect: Dialect): SignedCommon {
  return {
    specVersion: decodeSpecVersion(jsonMember(place, 'spec_version'), dialect),
    version: decodeVersion(jsonMember(place, 'version')),
    expires: jsonParsed(jsonMember(place, 'expires'), (text) => parseInstant(text)),
    extension: decodeExtension(place),
  };
}

/** A dialect that has none goes by the first version. */
function decodeSpecVersion(place: JsonPlace, dialect: Dialect): string {
  if (place.value === undefined && !dialect.demandsSpecVersion) return FIRST_SPEC_VERSION;
  if (!SPEC_VERSION_FORM.test(jsonText(place))) throw jsonMisfit(place, 'a specification version 1.x');
  return jsonText(place);
}

function decodeVersion(place: JsonPlace): Version {
  return parseVersion(jsonInteger(place, { min: 1 }));
}

function decodeRoot(place: JsonPlace, { dialect, common }: Beginning): Root {
  const ring = decodeKeyRing(place, dialect, TOP_LEVEL_ROLES.length + 4);
  const missing = TOP_LEVEL_ROLES.find((role) => !ring.roles.has(role));
  if (missing !== undefined) throw jsonMisfit(jsonMember(place, `roles.${missing}`), 'there');
  const consistent = jsonMember(place, 'consistent_snapshot');
  return {
    role: 'root',
    ...common,
    ...ring,
    consistentSnapshot: consistent.value !== undefined && jsonBoolean(consistent),
  };
}

function decodeTargets(place: JsonPlace, { dialect, common }: Beginning): Targets {
  const entries = jsonMembers(jsonMember(place, 'targets'), TARGETS_MAX).map(([name, member]) => {
    if (name === '' || name.length > TARGET_NAME_CHARS_MAX) throw jsonMisfit(member, 'under the name of a target');
    return [name, decodeTarget(member)] as const;
  });
  return {
    role: 'targets',
    ...common,
    targets: new Map(entries),
    delegations: decodeDelegations(place, dialect),
    custom: optionalObject(jsonMember(place, 'custom')),
  };
}

function decodeTarget(place: JsonPlace): TargetFile {
  return {
    length: jsonInteger(jsonMember(place, 'length'), { min: 0 }),
    hashes: decodeHashes(jsonMember(place, 'hashes')),
    custom: optionalObject(jsonMember(place, 'custom')),
  };
}

function optionalObject(place: JsonPlace): JsonMap | undefined {
  return place.value === undefined ? undefined : jsonObject(place);
}

/** Hashes by the name of their algorithm, at least one. @throws METADATA_MALFORMED */
export function decodeHashes(place: JsonPlace): ReadonlyMap<string, string> {
  const entries = jsonMembers(place, HASHES_MAX).map(([name, member]) => {
    const hash = jsonText(member);
    const digits = HASH_DIGITS.get(name) ?? hash.length;
    if (!HASH.test(hash) || hash.length !== digits) throw jsonMisfit(member, 'a hash in lower-case hex');
    return [name, hash] as const;
  });
  if (entries.length === 0) throw jsonMisfit(place, 'an object with at least one hash');
  return new Map(entries);
}

function decodeSnapshot(place: JsonPlace, { common }: Beginning): Snapshot {
  const entries = jsonMembers(jsonMember(place, 'meta'), SNAPSHOT_FILES_MAX).map(([name, member]) => {
    if (!FILE_NAME.test(name)) throw jsonMisfit(member, 'under a file name');
    return [name, decodeMetaFile(member)] as const;
  });
  const meta = new Map(entries);
  if (!meta.has('targets.json')) throw jsonMisfit(jsonMember(place, 'meta'), 'complete: targets.json is missing');
  return { role: 'snapshot', ...common, meta };
}

function decodeTimestamp(place: JsonPlace, { common }: Beginning): Timestamp {
  const [only, ...more] = jsonMembers(jsonMember(place, 'meta'), 1);
  if (only?.[0] !== 'snapshot.json' || more.length > 0) {
    throw jsonMisfit(jsonMember(place, 'meta'), 'an object with snapshot.json alone');
  }
  return { role: 'timestamp', ...common, snapshot: decodeMetaFile(only[1]) };
}

function decodeMetaFile(place: JsonPlace): MetaFile {
  const length = jsonMember(place, 'length');
  const hashes = jsonMember(place, 'hashes');
  return {
    version: decodeVersion(jsonMember(place, 'version')),
    length: length.value === undefined ? undefined : jsonInteger(length, { min: 1 }),
    hashes: hashes.value === undefined ? undefined : decodeHashes(hashes),
  };
}

/** Writes a `signed` object. */
export function encodeSignedJson(body: Signed, dialect: Dialect): JsonMap {
  const { extension } = body;
  return jsonMap({
    _type: dialect.typeNames[body.role],
    spec_version: body.specVersion,
    version: body.version,
    expires: formatInstant(body.expires),
    [EXTENSION_MEMBER]: extension === undefined ? undefined : encodeExtension(extension),
    ...encodeParts(body, dialect),
  });
}

function encodeParts(body: Signed, dialect: Dialect): Readonly<Record<string, Json | undefined>> {
  if (body.role === 'timestamp') return { meta: jsonMap({ 'snapshot.json': encodeMetaFile(body.snapshot) }) };
  if (body.role === 'snapshot') {
    return { meta: new Map([...body.meta].map(([name, file]) => [name, encodeMetaFile(file)] as const)) };
  }
  if (body.role === 'root') {
    return { ...Object.fromEntries(encodeKeyRing(body, dialect)), consistent_snapshot: body.consistentSnapshot };
  }
  return {
    targets: new Map([...body.targets].map(([name, target]) => [name, encodeTarget(target, dialect)] as const)),
    ...(body.delegations === undefined ? {} : encodeDelegations(body.delegations, dialect)),
    custom: body.custom,
  };
}

function encodeTarget(target: TargetFile, dialect: Dialect): Json {
  const custom = target.custom && dialect.targetCustom(target.custom);
  return jsonMap({ length: target.length, hashes: new Map(target.hashes), custom });
}

function encodeMetaFile(file: MetaFile): Json {
  const hashes = file.hashes === undefined ? undefined : new Map(file.hashes);
  return jsonMap({ version: file.version, length: file.length, hashes });
}
