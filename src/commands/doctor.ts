/** `secureev doctor`: is this machine fit? */
import type { Command } from 'commander';
import { failure } from '../core/errors.ts';
import { doctor } from '../ops/report/doctor.ts';
import { checkList, checkSummary } from '../render/checks.ts';
import type { Call, Outcome } from './command.ts';
import { example, flag } from './flags.ts';

export function configure(command: Command): void {
  command.option('--offline', 'fail when a network interface is up: for machines that hold offline keys');
  example(command, 'secureev doctor --offline');
}

export async function run(call: Call): Promise<Outcome> {
  const checks = await doctor({ offline: flag(call, 'offline') }, call.io);
  const fit = checks.every(({ status }) => status === 'pass');
  return {
    result: { checks },
    text: checkList(checks),
    ...(fit ? {} : { failure: failure('MACHINE_UNFIT', `this machine is not fit: ${checkSummary(checks)}`) }),
  };
}
