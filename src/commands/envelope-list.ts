/** `secureev envelope list`: payloads, or the recipients of one. */
import type { Command } from 'commander';
import { listEnvelopes, listPayloads } from '../ops/release/envelope.ts';
import { envelopesJson, envelopesText, payloadsText } from '../render/sealed.ts';
import type { Call, Outcome } from './command.ts';
import { example, flag, integer, repositoryChoice } from './flags.ts';

const LIMIT = 1000;

/** Declares the flags. */
export function configure(command: Command): void {
  command
    .description('list sealed payloads, or the recipients of one')
    .argument('[payload]', 'the payload, NAME.sev, or the name of its target')
    .option('--all', 'also recipients whose envelope was taken away')
    .option('--limit <n>', `show at most so many recipients (default: ${LIMIT})`);
  example(command, 'secureev envelope list', 'secureev envelope list sealed/ZG_BODY.otap.sev --all');
}

/** Lists them. */
export async function run(call: Call): Promise<Outcome> {
  const repository = repositoryChoice(call);
  const [payload] = call.args;
  if (payload === undefined) {
    const payloads = await listPayloads(repository, call.io);
    return { result: { payloads }, text: payloadsText(payloads) };
  }
  const limit = integer(call, 'limit', { min: 1 }) ?? LIMIT;
  const listed = await listEnvelopes({ repository, payload, everyone: flag(call, 'all'), limit }, call.io);
  return { result: envelopesJson(listed), text: envelopesText(listed) };
}
