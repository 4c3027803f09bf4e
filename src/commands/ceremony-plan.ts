/** `secureev ceremony plan`: the script of a root key ceremony, to be edited and rehearsed. */
import { Option } from 'commander';
import type { Command } from 'commander';
import { failure } from '../core/errors.ts';
import { readPlan, writePlan } from '../ops/keys/ceremony/plan.ts';
import { ceremonyScriptText } from '../render/ceremony.ts';
import type { Call, Outcome } from './command.ts';
import { argument, example, flag, integer, repeatable, text, texts } from './flags.ts';

/** Declares arguments and flags. */
export function configure(command: Command): void {
  command
    .description('write the plan of a root key ceremony, or with --show read one and print what people will do')
    .argument('<plan>', 'the YAML file, e.g. ceremony.yaml')
    .option('--show', 'check an edited plan and print its steps, to be read aloud')
    .option('--title <title>', 'what the ceremony is called (default: Root key ceremony)')
    .option('--name <name>', 'the repository, e.g. the manufacturer')
    .option('--place <place>', 'where it is held')
    .option('--custodians <n>', 'how many hold a root key (default: 5)')
    .option('--threshold <k>', 'how many of them must sign a root (default: 3)')
    .option('--media <folder>', "where the custodians' media are mounted (default: /media)")
    .addOption(
      new Option('--dialect <dialect>', 'how the roots are written').choices(['tuf', 'aktualizr']).default('tuf'),
    )
    .addOption(repeatable('--bring <role=pub>', 'a public key that others bring, e.g. targets=keys/targets.pub'))
    .addOption(
      new Option(
        '--scheme <scheme>',
        'of the root keys (default: hybrid, or with dialect aktualizr hybrid-ed25519)',
      ).choices(['hybrid', 'hybrid-ed25519', 'ecdsa-p256', 'ed25519']),
    );
  example(
    command,
    "secureev ceremony plan ceremony.yaml --name 'Example Motors' --place 'Plant 1' --custodians 5 --threshold 3",
    'secureev ceremony plan ceremony.yaml --show',
  );
}

/** Writes or shows the plan. */
export async function run(call: Call): Promise<Outcome> {
  const file = argument(call, 0, 'PLAN');
  const show = flag(call, 'show');
  const script = show ? await readPlan(file, call.io) : await writePlan({ file, ...wishes(call) }, call.io);
  const { plan, roots, steps } = script;
  const result = {
    file,
    title: plan.title,
    custodians: plan.custodians.length,
    threshold: plan.threshold,
    roots,
    steps: steps.map(({ id, title, instruction }) => ({ id, title, instruction })),
  };
  const written = `wrote ${file}: fill in people, media and keys, then \`secureev ceremony plan ${file} --show\``;
  return { result, text: show ? ceremonyScriptText(script) : written };
}

function wishes(call: Call) {
  const dialect = text(call, 'dialect') ?? 'tuf';
  return {
    title: text(call, 'title') ?? 'Root key ceremony',
    repository: text(call, 'name') ?? 'Example Motors',
    place: text(call, 'place') ?? 'the vault',
    dialect,
    scheme: text(call, 'scheme') ?? (dialect === 'aktualizr' ? 'hybrid-ed25519' : 'hybrid'),
    custodians: integer(call, 'custodians', { min: 1, max: 16 }) ?? 5,
    threshold: integer(call, 'threshold', { min: 1, max: 16 }) ?? 3,
    media: (text(call, 'media') ?? '/media').replace(/(?<=.)\/+$/, ''),
    brings: texts(call, 'bring').map(roleAndFile),
  };
}

function roleAndFile(value: string): { readonly role: string; readonly file: string } {
  const [, role, file] = /^([^=]+)=(.+)$/.exec(value) ?? [];
  if (role === undefined || file === undefined) throw failure('USAGE', '--bring takes ROLE=FILE', { found: value });
  return { role, file };
}
