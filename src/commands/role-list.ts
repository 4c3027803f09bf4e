/** `secureev role list`: roles, keys and thresholds, as the next root will have them. */
import type { Command } from 'commander';
import { listRoles } from '../ops/repository/role-list.ts';
import { definitionText } from '../render/roles.ts';
import type { Call, Outcome } from './command.ts';
import { example, repositoryChoice } from './flags.ts';

/** Declares the help. */
export function configure(command: Command): void {
  command.description('list roles, their keys and thresholds');
  example(command, 'secureev role list');
}

/** Lists the roles. */
export async function run(call: Call): Promise<Outcome> {
  const roles = await listRoles({ repository: repositoryChoice(call) }, call.io);
  const blocks = roles.map((role) =>
    definitionText(role.staged ? `${role.role} (staged)` : role.role, role.definition),
  );
  const text = blocks.length === 0 ? 'no role has keys yet' : blocks.join('\n');
  return { result: { roles: roles.map(({ definition, ...role }) => ({ ...role, ...definition })) }, text };
}
