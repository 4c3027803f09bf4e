/** `secureev campaign start`: a release for a list of vehicles. */
import type { Command } from 'commander';
import { parseName } from '../core/brands.ts';
import { startCampaign } from '../ops/fleet/campaigns/start.ts';
import { parseKems } from '../ops/release/envelope-recipients.ts';
import { campaignStartText } from '../render/campaigns.ts';
import type { Call, Outcome } from './command.ts';
import {
  argument,
  dryRunFlag,
  example,
  flag,
  integer,
  keyFlags,
  passphraseChoice,
  repeatable,
  repositoryChoice,
  text,
  texts,
} from './flags.ts';

const WAVE_MAX = 10_000_000;

/** Declares arguments and flags. */
export function configure(command: Command): void {
  command
    .description(
      "assign a release to the vehicles of a list and sign their metadata; without a list, go on with a campaign's pending vehicles",
    )
    .argument('<release>', 'the release, complete and published')
    .option('--vehicles <file>', 'the vehicles, one VIN a line, each once')
    .option('--name <name>', "the campaign's name (default: the release's)")
    .option('--wave <count>', 'sign this many vehicles now; each further call signs the next wave')
    .option('--skip-missing <report>', 'leave out vehicles that cannot get it, and write who and why to this CSV file')
    .option('--allow-downgrade', 'also assign what is older than what a vehicle has')
    .option('--escrow-key <signer>', "the escrow's private key, to make envelopes that are missing")
    .addOption(repeatable('--allow-kem <kem>', "also seal to vehicles with a key of this KEM, beside the suite's"));
  example(
    dryRunFlag(keyFlags(command)),
    'secureev campaign start 2026.4 --vehicles fleet.txt --wave 500 --key keys/director.key',
    'secureev campaign start 2026.4 --key keys/director.key',
  );
}

/** Starts it. */
export async function run(call: Call): Promise<Outcome> {
  const dryRun = flag(call, 'dryRun');
  const name = text(call, 'name');
  const input = {
    repository: repositoryChoice(call),
    release: parseName(argument(call, 0, 'RELEASE'), 'release'),
    name: name === undefined ? undefined : parseName(name, 'campaign'),
    vehicles: text(call, 'vehicles'),
    waveSize: integer(call, 'wave', { min: 1, max: WAVE_MAX }),
    skipMissing: text(call, 'skipMissing'),
    allowDowngrade: flag(call, 'allowDowngrade'),
    escrowKey: text(call, 'escrowKey'),
    allowedKems: parseKems(texts(call, 'allowKem')),
    signers: texts(call, 'key'),
    passphrases: passphraseChoice(call),
    dryRun,
  };
  const started = await startCampaign(input, call.io);
  return { result: { ...started, dryRun }, text: campaignStartText(started, dryRun) };
}
