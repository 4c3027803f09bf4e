/** `secureev request list`: the requests that went out. */
import type { Command } from 'commander';
import { listRequests } from '../ops/repository/request-list.ts';
import { listedRequestJson, requestsText } from '../render/requests.ts';
import type { Call, Outcome } from './command.ts';
import { example, repositoryChoice } from './flags.ts';

/** Declares the description. */
export function configure(command: Command): void {
  command.description('list the signing requests that went out, the newest first');
  example(command, 'secureev request list');
}

/** Lists them. */
export async function run(call: Call): Promise<Outcome> {
  const requests = await listRequests({ repository: repositoryChoice(call) }, call.io);
  return { result: { requests: requests.map(listedRequestJson) }, text: requestsText(requests) };
}
