/**
 * Campaigns: a release for a list of vehicles, in waves.
 *
 * Invariants: the list never changes, and its hash is in the audit log; a vehicle is `pending` until its metadata is signed
 * in the same transaction in which it becomes `signed`.
 */
import { instantOf } from '../core/brands.ts';
import type { Instant } from '../core/brands.ts';
import type { Reader, Tx } from './reader.ts';
import { blob, bytesOf } from './versions.ts';

/** Whether waves go on. */
export type CampaignState = 'running' | 'paused' | 'withdrawn';
/** Where a vehicle stands in a campaign. */
export type CampaignVehicleState = 'pending' | 'signed' | 'installed' | 'failed' | 'withdrawn';

/** A campaign. */
export interface Campaign {
  readonly name: string;
  readonly release: string;
  readonly state: CampaignState;
  /** SHA-256 over its VINs in order, each with a line feed; 32 bytes. */
  readonly vehiclesSha256: Uint8Array;
  /** Why it was paused or withdrawn. */
  readonly reason: string | null;
  readonly createdAt: Instant;
  readonly changedAt: Instant;
}

/** How many vehicles are in each state. */
export type CampaignCounts = Readonly<Record<CampaignVehicleState, number>>;

interface CampaignRow {
  readonly name: string;
  readonly release: string;
  readonly state: CampaignState;
  readonly vehicles_sha256: Uint8Array;
  readonly reason: string | null;
  readonly created_at: number;
  readonly changed_at: number;
}

/** A campaign by name. */
export function findCampaign(reader: Reader, name: string): Campaign | undefined {
  const row = reader.sql<CampaignRow>('SELECT * FROM campaigns WHERE name = ?').get(name);
  return row === undefined ? undefined : campaignOf(row);
}

/** All campaigns, newest first. */
export function campaigns(reader: Reader): readonly Campaign[] {
  return reader
    .sql<CampaignRow>('SELECT * FROM campaigns ORDER BY created_at DESC, name')
    .all()
    .map((row) => campaignOf(row));
}

/** The names of the campaigns that a vehicle is on the list of. */
export function campaignsOfVehicle(reader: Reader, vin: string): readonly string[] {
  return reader
    .sql<{ campaign: string }>(
      'SELECT campaign FROM campaign_vehicles JOIN vehicles ON vehicles.id = vehicle WHERE vin = ? ORDER BY campaign',
    )
    .all(vin)
    .map(({ campaign }) => campaign);
}

/** Begins a campaign. */
export function addCampaign(tx: Tx, campaign: Pick<Campaign, 'name' | 'release' | 'vehiclesSha256'>): void {
  tx.sql(
    `INSERT INTO campaigns (name, release, state, vehicles_sha256, reason, created_at, changed_at)
     VALUES (?, ?, 'running', ?, NULL, ?, ?)`,
  ).run(campaign.name, campaign.release, blob(campaign.vehiclesSha256), tx.now, tx.now);
  tx.about(`campaign:${campaign.name}`, `release:${campaign.release}`);
}

/** Changes the state of a campaign. */
export function setCampaignState(
  tx: Tx,
  name: string,
  { state, reason }: { state: CampaignState; reason: string | null },
): void {
  tx.sql('UPDATE campaigns SET state = ?, reason = ?, changed_at = ? WHERE name = ?').run(state, reason, tx.now, name);
  tx.about(`campaign:${name}`);
}

/** Puts a vehicle on a campaign's list. */
export function addCampaignVehicle(
  tx: Tx,
  campaign: string,
  { vehicle, wave }: { vehicle: string; wave: number },
): void {
  tx.sql("INSERT INTO campaign_vehicles (campaign, vehicle, wave, state) VALUES (?, ?, ?, 'pending')").run(
    campaign,
    vehicle,
    wave,
  );
}

/** Changes where a vehicle stands. */
export function setCampaignVehicle(
  tx: Tx,
  campaign: string,
  { vehicle, state, reason = null }: { vehicle: string; state: CampaignVehicleState; reason?: string | null },
): void {
  tx.sql('UPDATE campaign_vehicles SET state = ?, reason = ? WHERE campaign = ? AND vehicle = ?').run(
    state,
    reason,
    campaign,
    vehicle,
  );
}

/** Where a vehicle stands in a campaign. */
export function campaignVehicleState(
  reader: Reader,
  campaign: string,
  vehicle: string,
): CampaignVehicleState | undefined {
  return reader
    .sql<{ state: CampaignVehicleState }>('SELECT state FROM campaign_vehicles WHERE campaign = ? AND vehicle = ?')
    .get(campaign, vehicle)?.state;
}

/** The vehicles of a campaign in a state, of one wave where given, by id, row by row. */
export function* campaignVehicles(
  reader: Reader,
  campaign: string,
  { state, wave }: { state: CampaignVehicleState; wave?: number | undefined },
): Iterable<string> {
  const rows = reader
    .sql<{ vehicle: string }>(
      `SELECT vehicle FROM campaign_vehicles
       WHERE campaign = :campaign AND state = :state AND (:wave IS NULL OR wave = :wave) ORDER BY vehicle`,
    )
    .iterate({ campaign, state, wave: wave ?? null });
  for (const { vehicle } of rows) yield vehicle;
}

/** How many vehicles of a campaign are in each state. */
export function campaignCounts(reader: Reader, campaign: string): CampaignCounts {
  const rows = reader
    .sql<{ state: CampaignVehicleState; n: number }>(
      'SELECT state, count(*) AS n FROM campaign_vehicles WHERE campaign = ? GROUP BY state',
    )
    .all(campaign);
  const counts = { pending: 0, signed: 0, installed: 0, failed: 0, withdrawn: 0 };
  for (const { state, n } of rows) counts[state] = n;
  return counts;
}

/** The first wave that has pending vehicles, and how many waves there are; null where none is pending. */
export function campaignWaves(reader: Reader, campaign: string): { next: number | null; last: number } {
  const row = reader
    .sql<{ next: number | null; last: number | null }>(
      `SELECT min(wave) FILTER (WHERE state = 'pending') AS next, max(wave) AS last
       FROM campaign_vehicles WHERE campaign = ?`,
    )
    .get(campaign);
  return { next: row?.next ?? null, last: row?.last ?? 0 };
}

/** A vehicle of a campaign, for lists. */
export interface ListedCampaignVehicle {
  readonly vin: string;
  readonly wave: number;
  readonly state: CampaignVehicleState;
  readonly reason: string | null;
}

/** Vehicles of a campaign by wave and VIN, at most `limit`, in one state where given. */
export function listCampaignVehicles(
  reader: Reader,
  campaign: string,
  { state, limit }: { state?: CampaignVehicleState | undefined; limit: number },
): readonly ListedCampaignVehicle[] {
  return reader
    .sql<ListedCampaignVehicle>(
      `SELECT vin, wave, c.state AS state, c.reason AS reason FROM campaign_vehicles AS c
       JOIN vehicles ON vehicles.id = vehicle
       WHERE campaign = :campaign AND (:state IS NULL OR c.state = :state) ORDER BY wave, vin LIMIT :limit`,
    )
    .all({ campaign, state: state ?? null, limit });
}

/** Takes back what a campaign has assigned to a vehicle; whether there was something. */
export function unassignCampaign(tx: Tx, campaign: string, vehicle: string): boolean {
  return tx.sql('DELETE FROM assignments WHERE vehicle = ? AND campaign = ?').run(vehicle, campaign).changes > 0;
}

/** Withdraws the vehicles that nothing was signed for yet. How many they are. */
export function withdrawUnsigned(tx: Tx, campaign: string): number {
  return tx
    .sql("UPDATE campaign_vehicles SET state = 'withdrawn' WHERE campaign = ? AND state IN ('pending', 'failed')")
    .run(campaign).changes;
}

/** How long what vehicles of a campaign have fetched stays valid: until its Timestamp, and until its Targets expire. */
export function campaignExpiry(
  reader: Reader,
  campaign: string,
  state: CampaignVehicleState,
): { timestamp: Instant | null; targets: Instant | null } {
  const of = (role: string): Instant | null => {
    const row = reader
      .sql<{ expires: number | null }>(
        `SELECT max(expires) AS expires FROM campaign_vehicles AS c JOIN director_files USING (vehicle)
         WHERE campaign = ? AND c.state = ? AND role = ?`,
      )
      .get(campaign, state, role);
    return row?.expires === null || row === undefined ? null : instantOf(row.expires);
  };
  return { timestamp: of('timestamp'), targets: of('targets') };
}

function campaignOf(row: CampaignRow): Campaign {
  const { name, release, state, reason } = row;
  return {
    name,
    release,
    state,
    reason,
    vehiclesSha256: bytesOf(row.vehicles_sha256),
    createdAt: instantOf(row.created_at),
    changedAt: instantOf(row.changed_at),
  };
}
