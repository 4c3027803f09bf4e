/**
 * `campaign start`: begins a campaign with its first wave, or goes on with one.
 *
 * Invariants: everything that can be refused is refused before anything changes; one audit entry begins a campaign and
 * names its list by hash; what was interrupted or paused goes on with the vehicles that are pending.
 */
import { toHex, utf8 } from '../../../core/bytes.ts';
import type { Vin } from '../../../core/brands.ts';
import { failure, SecureevError } from '../../../core/errors.ts';
import type { Io } from '../../../core/ports.ts';
import type { KemId } from '../../../crypto/kems/index.ts';
import type { PassphraseChoice, SignerKey } from '../../../signers/signer.ts';
import {
  addCampaign,
  addCampaignVehicle,
  campaignWaves,
  findCampaign,
  setCampaignState,
} from '../../../store/campaigns.ts';
import type { Campaign } from '../../../store/campaigns.ts';
import type { Repository } from '../../../store/repository.ts';
import { refuseIfHeld } from '../../repository/hold.ts';
import { openChosen } from '../../repository/locate.ts';
import type { RepositoryChoice } from '../../repository/locate.ts';
import { openSigners } from '../../repository/sign.ts';
import { directorDefinitions, openDirectorKeys } from '../director/keys.ts';
import { noteKeys } from '../director/rotation.ts';
import { releaseOffers } from '../release-offers.ts';
import { campaignEnvelopes } from './envelopes.ts';
import { leftOutReport, refuseLeftOut, refuseUnsealed, survey } from './survey.ts';
import type { Judging, LeftOut, LeftOutState, Survey } from './survey.ts';
import { readVehicleList, vehicleListHash } from './vehicle-list.ts';
import { nextWave, signWave, stateRefusal } from './wave.ts';
import type { SignedWave } from './wave.ts';

/** A campaign to begin, or to go on with where no list is given. */
export interface CampaignStartInput {
  readonly repository: RepositoryChoice;
  readonly release: string;
  /** The release's name by default. */
  readonly name?: string | undefined;
  /** A file with one VIN a line. */
  readonly vehicles?: string | undefined;
  /** Vehicles of a wave; all at once by default. */
  readonly waveSize?: number | undefined;
  /** Leaves vehicles out that cannot get the release, and says in this file which and why. */
  readonly skipMissing?: string | undefined;
  readonly allowDowngrade: boolean;
  /** The escrow's private key, for envelopes that are missing. */
  readonly escrowKey?: string | undefined;
  /** KEMs that vehicles' keys may be of beside the suite's. */
  readonly allowedKems: readonly KemId[];
  readonly signers: readonly string[];
  readonly passphrases: PassphraseChoice;
  readonly dryRun?: boolean | undefined;
}

/** What a survey found, in numbers. */
export interface SurveyCounts {
  readonly eligible: number;
  readonly nothingToDo: number;
  readonly keyless: number;
  readonly notEncrypted: number;
  readonly blocked: number;
  /** Of the blocked ones, how many for which reason. */
  readonly reasons: Readonly<Record<string, number>>;
  /** Some of those that are left out. */
  readonly examples: readonly LeftOut[];
}

/** What came of it. */
export interface CampaignStartAnswer {
  readonly campaign: string;
  readonly release: string;
  /** Hex; null where an older campaign goes on. */
  readonly vehiclesSha256: string | null;
  /** Null where an older campaign goes on. */
  readonly survey: SurveyCounts | null;
  readonly waves: number;
  /** Null with a dry run, and where no vehicle is pending. */
  readonly signed: SignedWave | null;
}

const EXAMPLES = 10;

/** @throws REPOSITORY_HELD, DIRECTOR_*, RELEASE_*, CAMPAIGN_*, VEHICLE_LIST_MALFORMED, INTERRUPTED, and what signers throw */
export async function startCampaign(input: CampaignStartInput, io: Io): Promise<CampaignStartAnswer> {
  using repository = await openChosen(io, input.repository);
  refuseIfHeld(repository);
  directorDefinitions(repository);
  const { offers } = releaseOffers(repository, input.release);
  const { allowedKems, passphrases } = input;
  const escrow = { key: input.escrowKey, allowedKems, passphrases };
  using signers = await openSigners(repository, input);
  using envelopes = await campaignEnvelopes(repository, offers, escrow);
  const judging: Judging = { offers, envelopes, allowDowngrade: input.allowDowngrade };
  const work = { repository, input, judging, keys: signers.keys, name: input.name ?? input.release };
  return input.vehicles === undefined ? await goOn(work) : await begin(work, input.vehicles);
}

interface Work {
  readonly repository: Repository;
  readonly input: CampaignStartInput;
  readonly judging: Judging;
  readonly keys: readonly SignerKey[];
  readonly name: string;
}

async function begin(work: Work, listFile: string): Promise<CampaignStartAnswer> {
  const { repository, input, judging, name } = work;
  if (findCampaign(repository, name) !== undefined) throw campaignExists(name);
  if (input.dryRun === true) {
    const { found, size } = await lookAtList(work, listFile);
    const counts = countsOf(found);
    const waves = Math.ceil(counts.eligible / size);
    return { campaign: name, release: input.release, survey: counts, waves, vehiclesSha256: null, signed: null };
  }
  // Made ready before the list is looked at: the threads start meanwhile.
  const about = Math.ceil(((await repository.io.files.status(listFile))?.sizeBytes ?? 0) / LINE_BYTES);
  await using keys = await openDirectorKeys(repository, work.keys, about);
  const answer = await enter(work, listFile);
  const next = nextWave(repository, name);
  if (next === undefined) return { ...answer, signed: null };
  const { wave, vehicles } = next;
  const signed = await signWave(repository, vehicles, { campaign: name, wave, judging, keys, announced: true });
  return { ...answer, signed };
}

/** A VIN and a line feed: says about how many vehicles a list has before it is read. */
const LINE_BYTES = 18;

interface Looked {
  readonly vins: readonly Vin[];
  readonly found: Survey;
  readonly size: number;
}

async function lookAtList({ repository, input, judging }: Work, listFile: string): Promise<Looked> {
  const vins = await readVehicleList(repository.io, listFile);
  const found = survey(repository, vins, judging);
  return { vins, found, size: input.waveSize ?? Math.max(1, found.eligible.length) };
}

/** Enters a campaign and its list in the database; nothing of the list is kept in memory. */
async function enter(work: Work, listFile: string): Promise<Omit<CampaignStartAnswer, 'signed'>> {
  const { repository, input, name } = work;
  const { io } = repository;
  const { release, skipMissing } = input;
  const { vins, found, size } = await lookAtList(work, listFile);
  if (skipMissing === undefined) refuseLeftOut(found.leftOut);
  if (found.eligible.length === 0) throw failure('CAMPAIGN_EMPTY', `no vehicle of the list needs ${release}`);
  if (skipMissing !== undefined) {
    await io.files.write(skipMissing, utf8(leftOutReport(found.leftOut)), { overwrite: true });
  }
  noteKeys(repository);
  const sha256 = vehicleListHash(io.engine, vins);
  record(work, { found, size, vehiclesSha256: sha256, listed: vins.length });
  const waves = Math.ceil(found.eligible.length / size);
  return { campaign: name, release, survey: countsOf(found), waves, vehiclesSha256: toHex(sha256) };
}

/** One entry of the audit log for the campaign, however many vehicles it has. */
function record(
  { repository, input, name }: Work,
  begun: { found: Survey; size: number; vehiclesSha256: Uint8Array; listed: number },
): void {
  const { found, size, vehiclesSha256, listed } = begun;
  const { release } = input;
  const list = `${found.eligible.length} of ${listed} vehicles, list ${toHex(vehiclesSha256)}`;
  const rules = input.allowDowngrade ? ', downgrades allowed' : '';
  const change = {
    command: 'campaign start',
    summary: `began campaign ${name} of release ${release}: ${list}${rules}`,
  };
  repository.transact(change, (tx) => {
    refuseIfHeld(tx);
    if (findCampaign(tx, name) !== undefined) throw campaignExists(name);
    addCampaign(tx, { name, release, vehiclesSha256 });
    for (const [index, vehicle] of found.eligible.entries()) {
      addCampaignVehicle(tx, name, { vehicle, wave: 1 + Math.floor(index / size) });
    }
  });
}

async function goOn(work: Work): Promise<CampaignStartAnswer> {
  const { repository, input, judging, name } = work;
  const campaign = requireCampaign(repository, name);
  const { release } = campaign;
  if (release !== input.release) {
    throw failure('CAMPAIGN_STATE', `campaign ${name} is of release ${release}, not of ${input.release}`);
  }
  if (campaign.state === 'withdrawn') throw stateRefusal(name, 'withdrawn', 'begin another with --vehicles and --name');
  const next = nextWave(repository, name);
  const waves = campaignWaves(repository, name).last;
  const answer = { campaign: name, release, vehiclesSha256: null, survey: null, waves };
  if (next !== undefined && input.skipMissing === undefined) refuseUnsealed(repository, next.vehicles, judging);
  if (next === undefined || input.dryRun === true) return { ...answer, signed: null };
  await using keys = await openDirectorKeys(repository, work.keys, next.vehicles.count);
  noteKeys(repository);
  if (campaign.state === 'paused') resume(repository, name);
  const { wave, vehicles } = next;
  const signed = await signWave(repository, vehicles, { campaign: name, wave, judging, keys, announced: false });
  return { ...answer, signed };
}

function resume(repository: Repository, name: string): void {
  repository.transact({ command: 'campaign start', summary: `campaign ${name} goes on` }, (tx) => {
    setCampaignState(tx, name, { state: 'running', reason: null });
  });
}

/** A campaign by name. @throws CAMPAIGN_UNKNOWN */
export function requireCampaign(repository: Repository, name: string): Campaign {
  const campaign = findCampaign(repository, name);
  if (campaign !== undefined) return campaign;
  throw new SecureevError('CAMPAIGN_UNKNOWN', {
    message: `there is no campaign ${name}`,
    hint: '`secureev campaign list` shows them; a new one takes --vehicles LIST',
    details: { campaign: name },
  });
}

function campaignExists(name: string): SecureevError {
  return new SecureevError('CAMPAIGN_EXISTS', {
    message: `there is a campaign ${name} already`,
    hint: 'go on with it without --vehicles, or give this one another --name',
    details: { campaign: name },
  });
}

function countsOf({ eligible, nothingToDo, leftOut }: Survey): SurveyCounts {
  const count = (state: LeftOutState): number => leftOut.filter((vehicle) => vehicle.state === state).length;
  const reasons: Record<string, number> = {};
  for (const { state, reason } of leftOut) if (state === 'blocked') reasons[reason] = (reasons[reason] ?? 0) + 1;
  return {
    eligible: eligible.length,
    nothingToDo,
    keyless: count('keyless'),
    notEncrypted: count('not-encrypted'),
    blocked: count('blocked'),
    reasons,
    examples: leftOut.slice(0, EXAMPLES),
  };
}
