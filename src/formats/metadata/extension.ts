/** Our member `x-secureev` of `signed`: which repository this is, the audit log's head, the post-quantum keys. */
import { jsonMap } from '../json/json.ts';
import type { JsonMap } from '../json/json.ts';
import { jsonInteger, jsonMember, jsonMisfit, jsonText } from '../json/read.ts';
import type { JsonPlace } from '../json/read.ts';
import { decodeKeyRing, encodeKeyRing } from './key-ring.ts';
import { DELEGATIONS_MAX } from './limits.ts';
import type { LogHead, RepositoryKind, SignedExtension } from './types.ts';

/** The member's name, in `signed` and in the envelope. */
export const EXTENSION_MEMBER = 'x-secureev';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const HEAD = /^[0-9a-f]{64}$/;

/** Reads the member, undefined where there is none. @throws METADATA_MALFORMED */
export function decodeExtension(signed: JsonPlace): SignedExtension | undefined {
  const place = jsonMember(signed, EXTENSION_MEMBER);
  if (place.value === undefined) return undefined;
  const repository = jsonMember(place, 'repository');
  if (!UUID.test(jsonText(repository))) throw jsonMisfit(repository, 'a UUID in lower case');
  const hybrid = jsonMember(place, 'hybrid');
  return {
    repository: jsonText(repository),
    kind: decodeKind(jsonMember(place, 'kind')),
    log: decodeLog(jsonMember(place, 'log')),
    hybrid: hybrid.value === undefined ? undefined : decodeKeyRing(hybrid, DELEGATIONS_MAX),
  };
}

function decodeKind(place: JsonPlace): RepositoryKind {
  const kind = jsonText(place);
  if (kind !== 'image' && kind !== 'director') throw jsonMisfit(place, 'image or director');
  return kind;
}

function decodeLog(place: JsonPlace): LogHead | undefined {
  if (place.value === undefined) return undefined;
  const head = jsonMember(place, 'head');
  if (!HEAD.test(jsonText(head))) throw jsonMisfit(head, '64 hex digits');
  return { length: jsonInteger(jsonMember(place, 'length'), { min: 0 }), head: jsonText(head) };
}

/** Writes the member. */
export function encodeExtension(extension: SignedExtension): JsonMap {
  const { log, hybrid } = extension;
  return jsonMap({
    repository: extension.repository,
    kind: extension.kind,
    log: log === undefined ? undefined : jsonMap({ length: log.length, head: log.head }),
    hybrid: hybrid === undefined ? undefined : encodeKeyRing(hybrid),
  });
}
