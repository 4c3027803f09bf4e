/** `secureev assign`: what the Director says goes on the ECUs of one vehicle. */
import type { Command } from 'commander';
import { parseTargetName, parseVin } from '../core/brands.ts';
import { failure } from '../core/errors.ts';
import { assignTargets } from '../ops/fleet/assign.ts';
import { assignedText } from '../render/assigned.ts';
import type { Call, Outcome } from './command.ts';
import { argument, dryRunFlag, example, flag, repeatable, repositoryChoice, texts } from './flags.ts';

/** Declares the flags. */
export function configure(command: Command): void {
  command
    .description('assign targets to ECUs of one vehicle, checked against its ECUs and last known configuration')
    .argument('<vin>', 'its vehicle identification number')
    .argument('[ecu=target...]', "an ECU's or gateway's id, or its serial, and a complete target")
    .addOption(repeatable('--remove <ecu>', 'take back what is assigned to this ECU'))
    .option('--allow-downgrade', 'also to a lower release counter than the ECU reported, which vehicles refuse');
  example(
    dryRunFlag(command),
    'secureev assign 5YJ3E1EA0KF000316 ZG_BODY=bundles/2026.4/ZG_BODY.otap BCM=EV-1/BCM/1.1.0/bcm.bin',
    'secureev assign 5YJ3E1EA0KF000316 --remove BCM --dry-run',
  );
}

/** Assigns. */
export async function run(call: Call): Promise<Outcome> {
  const dryRun = flag(call, 'dryRun');
  const input = {
    repository: repositoryChoice(call),
    vin: parseVin(argument(call, 0, 'VIN')),
    targets: call.rest.map(parseAssignment),
    remove: texts(call, 'remove'),
    allowDowngrade: flag(call, 'allowDowngrade'),
    dryRun,
  };
  if (input.targets.length + input.remove.length === 0) throw failure('USAGE', 'give ECU=TARGET, or --remove ECU');
  const answer = await assignTargets(input, call.io);
  return { result: { ...answer, dryRun }, text: assignedText(answer, dryRun) };
}

function parseAssignment(text: string): { ecu: string; target: ReturnType<typeof parseTargetName> } {
  const at = text.indexOf('=');
  if (at < 1) throw failure('USAGE', `not of the form ECU=TARGET: ${JSON.stringify(text)}`);
  return { ecu: text.slice(0, at), target: parseTargetName(text.slice(at + 1)) };
}
