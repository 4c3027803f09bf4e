/** Campaigns, as text. */
import { formatInstant } from '../core/brands.ts';
import type { Instant } from '../core/brands.ts';
import { directorSignedText } from './director.ts';
import type { ShownSigning } from './director.ts';
import { indented, table } from './table.ts';
import { count, printableLine } from './text.ts';

/** What a survey of a list found. */
export interface ShownSurvey {
  readonly eligible: number;
  readonly nothingToDo: number;
  readonly keyless: number;
  readonly notEncrypted: number;
  readonly blocked: number;
  readonly reasons: Readonly<Record<string, number>>;
  readonly examples: readonly { readonly vin: string; readonly reason: string; readonly detail: string }[];
}

/** A wave that was signed. */
export interface ShownWave extends ShownSigning {
  readonly wave: number;
  readonly failed: number;
  readonly envelopes: number;
  readonly stopped: boolean;
}

/** A campaign that was begun or went on. */
export interface ShownStart {
  readonly campaign: string;
  readonly release: string;
  readonly survey: ShownSurvey | null;
  readonly waves: number;
  readonly signed: ShownWave | null;
}

/** What was found, and what was signed. */
export function campaignStartText(start: ShownStart, dryRun: boolean): string {
  const { campaign, release, survey, waves, signed } = start;
  const head = `campaign ${campaign} of release ${release}: ${count(waves, 'wave')}${dryRun ? ' (dry run)' : ''}`;
  const lines = [head, ...(survey === null ? [] : surveyLines(survey))];
  if (signed !== null) return [...lines, ...waveLines(signed, waves)].join('\n');
  return dryRun ? lines.join('\n') : [...lines, 'no vehicle is pending: nothing was signed'].join('\n');
}

function surveyLines(survey: ShownSurvey): readonly string[] {
  const { eligible, nothingToDo, keyless, notEncrypted, blocked, reasons, examples } = survey;
  const why = Object.entries(reasons).map(([reason, number]) => `${number} ${reason}`);
  const counts = [
    `${count(eligible, 'vehicle')} eligible`,
    `${nothingToDo} with nothing to do`,
    `${keyless} keyless`,
    `${notEncrypted} not encrypted for`,
    `${blocked} blocked${why.length === 0 ? '' : ` (${why.join(', ')})`}`,
  ];
  const shown = examples.map(({ vin, detail }) => `${vin}: ${printableLine(detail)}`);
  return [counts.join(', '), ...(shown.length === 0 ? [] : [indented(shown.join('\n'))])];
}

function waveLines(signed: ShownWave, waves: number): readonly string[] {
  const { wave, failed, envelopes, stopped } = signed;
  return [
    `wave ${wave} of ${waves}, ${directorSignedText(signed, { verb: 'signed', dryRun: false })}`,
    ...(envelopes === 0 ? [] : [`${count(envelopes, 'envelope')} made`]),
    ...(failed === 0 ? [] : [`${count(failed, 'vehicle')} cannot get it any more: \`campaign show\` says why`]),
    ...(stopped ? ['the campaign was paused or withdrawn meanwhile'] : []),
  ];
}

/** A campaign as it stands. */
export interface ShownCampaign {
  readonly name: string;
  readonly release: string;
  readonly state: string;
  readonly reason: string | null;
  readonly createdAt: Instant;
  readonly vehiclesSha256: string;
  readonly vehicles: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly waves: number;
  readonly nextWave: number | null;
}

const STATES = ['pending', 'signed', 'installed', 'failed', 'withdrawn'];

/** A table of campaigns. */
export function campaignsText(campaigns: readonly ShownCampaign[]): string {
  if (campaigns.length === 0) return 'no campaigns';
  const head = ['campaign', 'release', 'state', 'begun', 'vehicles', ...STATES];
  const rows = campaigns.map(({ name, release, state, createdAt, vehicles, counts }) => [
    name,
    release,
    state,
    formatInstant(createdAt),
    String(vehicles),
    ...STATES.map((one) => String(counts[one] ?? 0)),
  ]);
  return table({ head, rows, right: [4, 5, 6, 7, 8, 9] });
}

/** A vehicle of a campaign. */
export interface ShownCampaignVehicle {
  readonly vin: string;
  readonly wave: number;
  readonly state: string;
  readonly reason: string | null;
}

/** One campaign, and some of its vehicles. */
export function campaignText(campaign: ShownCampaign, vehicles: readonly ShownCampaignVehicle[]): string {
  const { name, release, state, reason, vehiclesSha256, waves, nextWave } = campaign;
  const counts = STATES.map((one) => `${campaign.counts[one] ?? 0} ${one}`).join(', ');
  const why = reason === null ? '' : `: ${printableLine(reason)}`;
  const next = nextWave === null ? 'none pending' : `wave ${nextWave} is next`;
  const rows = vehicles.map((one) => [one.vin, String(one.wave), one.state, printableLine(one.reason ?? '')]);
  return [
    `${name} of release ${release}, ${state}${why}`,
    `begun ${formatInstant(campaign.createdAt)}, list SHA-256 ${vehiclesSha256}`,
    `${count(campaign.vehicles, 'vehicle')} in ${count(waves, 'wave')} (${next}): ${counts}`,
    ...(rows.length === 0 ? [] : [table({ head: ['vehicle', 'wave', 'state', 'reason'], rows, right: [1] })]),
  ].join('\n');
}

/** What was withdrawn. */
export interface ShownWithdrawal {
  readonly campaign: string;
  readonly withdrawn: number;
  readonly neverSigned: number;
  readonly installed: number;
  readonly cachedUntil: Instant | null;
  readonly kitsUntil: Instant | null;
  readonly signed: ShownSigning | null;
}

/** Who was signed anew, who keeps it, and how long what is out there stays valid. */
export function withdrawalText(withdrawal: ShownWithdrawal, dryRun: boolean): string {
  const { campaign, withdrawn, neverSigned, installed, cachedUntil, kitsUntil, signed } = withdrawal;
  const would = dryRun ? ' (dry run)' : '';
  const counts = `${count(withdrawn, 'vehicle')} taken back, ${neverSigned} never signed, ${installed} have installed it`;
  const cached = cachedUntil === null ? [] : [`cached metadata stays valid until ${formatInstant(cachedUntil)}`];
  const kits =
    kitsUntil === null ? [] : [`kits stay valid until ${formatInstant(kitsUntil)} where stale ones are accepted`];
  return [
    `campaign ${campaign} withdrawn${would}: ${counts}`,
    ...cached,
    ...kits,
    ...(signed === null ? [] : [directorSignedText(signed, { verb: 'signed anew', dryRun: false })]),
    ...(dryRun || withdrawn === 0 ? [] : ['publish it: `secureev publish director DIR`']),
  ].join('\n');
}

/** A campaign that was paused. */
export function campaignPausedText(
  paused: { readonly campaign: string; readonly counts: Readonly<Record<string, number>> },
  dryRun: boolean,
): string {
  const { campaign, counts } = paused;
  const pending = count(counts['pending'] ?? 0, 'vehicle');
  const would = dryRun ? ' (dry run)' : '';
  return `campaign ${campaign} paused${would}: ${pending} pending; what is signed stays, \`campaign withdraw\` takes it back`;
}
