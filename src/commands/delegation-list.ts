/** `secureev delegation list`: who signs for which paths. */
import type { Command } from 'commander';
import { listDelegations } from '../ops/repository/delegation-list.ts';
import { delegationListText } from '../render/delegations.ts';
import type { Call, Outcome } from './command.ts';
import { example, repositoryChoice } from './flags.ts';

/** Declares the help. */
export function configure(command: Command): void {
  command.description('list delegations in order of trust, with their keys, as the next versions will have them');
  example(command, 'secureev delegation list');
}

/** Lists the delegations. */
export async function run(call: Call): Promise<Outcome> {
  const list = await listDelegations({ repository: repositoryChoice(call) }, call.io);
  return { result: { ...list }, text: delegationListText(list) };
}
