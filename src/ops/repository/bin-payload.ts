/**
 * The `signed` bytes of a hashed bin, for very many of them: the same bytes as by way of a Targets body, but each target
 * goes from its row to its text at once.
 */
import { utf8 } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import type { Dialect } from '../../formats/metadata/dialect.ts';
import { encodeSigned } from '../../formats/metadata/envelope.ts';
import { tuf } from '../../formats/metadata/tuf.ts';
import { targetsBody } from '../../plan/bodies.ts';
import type { BodyFacts } from '../../plan/bodies.ts';
import type { Reader } from '../../store/reader.ts';
import type { StoredRole } from '../../store/roles.ts';
import { completeTargets, listedRows, nextTargets } from '../../store/targets.ts';

/** Which targets: those of the next version, or of the last complete one. */
export interface BinContent {
  readonly role: StoredRole;
  readonly takesStaged: boolean;
}

const NO_TARGETS = '"targets":{}';

/** The payload of a bin. @throws METADATA_MALFORMED for text not in NFC (U1) */
export function binPayload(
  reader: Reader,
  { role, takesStaged }: BinContent,
  on: { facts: BodyFacts; dialect: Dialect },
) {
  const { facts, dialect } = on;
  if (dialect.id !== tuf.id) {
    const targets = takesStaged ? nextTargets(reader, role) : completeTargets(reader, role);
    return encodeSigned(targetsBody(facts, targets), dialect);
  }
  const empty = new TextDecoder().decode(encodeSigned(targetsBody(facts, []), dialect));
  const at = empty.indexOf(NO_TARGETS);
  if (at === -1) throw failure('INTERNAL', 'an empty Targets body has no place for targets');
  let targets = '';
  for (const { name, length, sha256, custom } of listedRows(reader, role, takesStaged)) {
    const facts = `"custom":${sortedText(custom)},"hashes":{"sha256":"${sha256}"},"length":${integerText(length)}`;
    targets += `${targets === '' ? '' : ','}${JSON.stringify(name)}:{${facts}}`;
  }
  if (targets !== targets.normalize('NFC'))
    throw failure('METADATA_MALFORMED', 'metadata holds text that is not in NFC');
  return utf8(`${empty.slice(0, at)}"targets":{${targets}}${empty.slice(at + NO_TARGETS.length)}`);
}

/** Plain JSON without space, members sorted; names are ASCII, as all that this program writes. */
function sortedText(value: unknown): string {
  if (typeof value === 'number') return integerText(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(sortedText).join(',')}]`;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${sortedText(member)}`).join(',')}}`;
}

function integerText(value: number): string {
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) return String(value);
  throw failure('INTERNAL', `a target is described by ${value}, which is no integer`);
}
