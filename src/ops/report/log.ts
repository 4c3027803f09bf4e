/** Reads the audit log. */
import type { Instant } from '../../core/brands.ts';
import type { Io } from '../../core/ports.ts';
import type { AuditEntry } from '../../formats/audit/entry.ts';
import { findAudit, logHead } from '../../store/audit.ts';
import { campaignsOfVehicle } from '../../store/campaigns.ts';
import type { Reader } from '../../store/reader.ts';
import { openChosen } from '../repository/locate.ts';
import type { RepositoryChoice } from '../repository/locate.ts';

/** What to look for; at most one subject. */
export interface LogInput {
  readonly repository: RepositoryChoice;
  /** e.g. `vehicle:VIN`, `release:NAME`, `key:ID`. */
  readonly subject?: string | undefined;
  readonly since?: Instant | undefined;
  /** The newest that many. */
  readonly limit: number;
}

/** Entries, oldest first, and the length of the whole log. */
export interface LogAnswer {
  readonly entries: readonly AuditEntry[];
  readonly length: number;
}

/** The newest entries that match. */
export async function readLog(input: LogInput, io: Io): Promise<LogAnswer> {
  using repository = await openChosen(io, input.repository, { readOnly: true });
  const { subject, since, limit } = input;
  const entries = findAudit(repository, { subject, since, orSubjects: campaignsOf(repository, subject) }, limit);
  return { entries, length: logHead(repository).length };
}

/** A campaign is one entry, however many vehicles it has: it is found by each of them. */
function campaignsOf(reader: Reader, subject: string | undefined): readonly string[] {
  const vin = /^vehicle:(.*)$/.exec(subject ?? '')?.[1];
  if (vin === undefined) return [];
  return campaignsOfVehicle(reader, vin).map((name) => `campaign:${name}`);
}
