/** The question that tests of the search ask. */
import type { SearchResult } from '../trust/find-target.ts';
import type { Simulator } from './simulator.ts';
import { outcomeOf, trustingClient } from './trusting-client.ts';

/** The target that tests look for. */
export const NAME = 'a/file.bin';

/** Which role lists the target, `none`, or the code of the refusal. */
export async function whoLists(simulator: Simulator, name = NAME, hardwareId?: string): Promise<string> {
  let result: SearchResult | undefined;
  const setup = hardwareId === undefined ? {} : { hardwareId };
  const outcome = await outcomeOf(async () => {
    result = await trustingClient(simulator).find(name, setup);
  });
  return outcome === 'done' ? (result?.found?.verified.role ?? 'none') : outcome;
}
