/** What is known of a role: staged, complete, listed, due. */
import type { Instant } from '../../core/brands.ts';
import { fromUtf8 } from '../../core/bytes.ts';
import { jsonMap } from '../../formats/json/json.ts';
import { writeJsonText } from '../../formats/json/write.ts';
import { decodeRole } from '../../formats/metadata/envelope.ts';
import { isDue } from '../../plan/lifetime.ts';
import { sameListing } from '../../plan/next-version.ts';
import type { RoleSituation } from '../../plan/next-version.ts';
import { isComplete, thresholdStates } from '../../plan/quorum.ts';
import type { Reader } from '../../store/reader.ts';
import { findRole, hasStaged } from '../../store/roles.ts';
import type { StoredRole } from '../../store/roles.ts';
import { findSetting } from '../../store/settings.ts';
import { lastComplete, lastCompleteFacts, signaturesOn } from '../../store/versions.ts';
import { authorityOf, definitionOfRole } from './definitions.ts';
import { completeTargetsVersions } from './next-body.ts';

/** When it is asked, and what counts as due. */
export interface SituationQuestion {
  readonly now: Instant;
  readonly withinSeconds?: number | undefined;
}

/** The situation of a role. */
export function situationOf(reader: Reader, role: StoredRole, question: SituationQuestion): RoleSituation {
  const facts = lastCompleteFacts(reader, role);
  const life = facts === undefined ? undefined : { from: facts.frozenAt, expires: facts.expires };
  return {
    hasComplete: facts !== undefined,
    hasStaged: hasStaged(reader, role),
    listsCurrent: facts === undefined || listsCurrent(reader, role),
    meetsThresholds: facts === undefined || meetsThresholds(reader, role, facts.version),
    due: life !== undefined && isDue(life, question.now, question.withinSeconds),
  };
}

/** Whether the last Timestamp and Snapshot of the Image repository list all that is complete. */
export function isAllListed(reader: Reader): boolean {
  const roles = ['timestamp', 'snapshot'].map((name) => findRole(reader, { repository: 'image', name }));
  return roles.every((role) => role !== undefined && role.completeVersion !== null && listsCurrent(reader, role));
}

/** Whether all that is complete has been published: the last Timestamp that went out is the newest, and lists all of it. */
export function isAllPublished(reader: Reader): boolean {
  const timestamp = findRole(reader, { repository: 'image', name: 'timestamp' })?.completeVersion;
  return findSetting(reader, 'published-image') === String(timestamp) && isAllListed(reader);
}

/** Whether the last complete version is signed as the root, or the delegator, in force demands. */
function meetsThresholds(reader: Reader, role: StoredRole, version: number): boolean {
  const definition = definitionOfRole(reader, role, 'complete');
  if (definition === undefined) return false;
  return isComplete(thresholdStates([authorityOf('root', definition)], signaturesOn(reader, role, version)));
}

function listsCurrent(reader: Reader, role: StoredRole): boolean {
  if (role.name !== 'snapshot' && role.name !== 'timestamp') return true;
  const complete = lastComplete(reader, role);
  if (complete === undefined) return true;
  return role.name === 'snapshot'
    ? snapshotCurrent(reader, complete.file)
    : timestampCurrent(reader, role, complete.file);
}

/**
 * The database's own files, verified when they were completed. There may be very many entries: a file with the very text
 * that would be written now is not parsed.
 */
function snapshotCurrent(reader: Reader, file: Uint8Array): boolean {
  const versions = completeTargetsVersions(reader);
  const meta = new Map([...versions].map(([name, version]) => [`${name}.json`, jsonMap({ version })] as const));
  if (fromUtf8(file, 'snapshot').includes(`"meta":${writeJsonText(meta)},`)) return true;
  const decoded = decodeRole(file, 'snapshot').unverified.signed;
  const listed = new Map(
    [...decoded.meta].map(([name, { version }]) => [name.replace(/\.json$/, ''), Number(version)] as const),
  );
  return sameListing(listed, versions);
}

function timestampCurrent(reader: Reader, role: StoredRole, file: Uint8Array): boolean {
  const { snapshot } = decodeRole(file, 'timestamp').unverified.signed;
  const known = findRole(reader, { repository: role.repository, name: 'snapshot' });
  return known?.completeVersion === snapshot.version;
}
