/** `secureev encrypt`: sealed payloads and their envelopes. */
import type { Command } from 'commander';
import { parseVin } from '../core/brands.ts';
import { encrypt } from '../ops/release/encrypt.ts';
import { prepareToPump } from '../ops/release/sealed-pump.ts';
import { encryptedText } from '../render/sealed.ts';
import type { Call, Outcome } from './command.ts';
import {
  dryRunFlag,
  example,
  flag,
  instant,
  repeatable,
  repositoryChoice,
  requiredText,
  text,
  texts,
} from './flags.ts';

/** Declares the flags. */
export function configure(command: Command): void {
  command
    .description('encrypt bundles or images: one payload each, an envelope per vehicle and one for the escrow key')
    .argument('<file...>', 'bundles or images that are targets of the repository')
    .addOption(repeatable('--vehicle <vin>', 'a vehicle that may open it'))
    .option('--vehicles <file>', 'the same from a file, one VIN a line')
    .requiredOption('--out <dir>', 'the folder for NAME.sev and NAME.sevk')
    .option('--suite <name>', 'KEM and bundle signatures, e.g. ml-kem-768+ml-dsa-65 (default: hybrid)')
    .option('--target <name>', 'which target the file is, where several have its bytes')
    .option('--expires <time>', 'advice to vehicles with a secure clock: do not open it after this time')
    .addOption(repeatable('--allow-kem <kem>', "also seal to vehicles with a key of this KEM, beside the suite's"))
    .option('--reseal', 'encrypt again what is encrypted already');
  example(
    dryRunFlag(command),
    'secureev encrypt bundles/*.otap --vehicle 5YJ3E1EA0KF000316 --out sealed',
    'secureev encrypt bundles/ZG_BODY.otap --vehicles fleet.txt --out sealed --suite ml-kem-768+ml-dsa-65',
  );
}

/** Encrypts the files. */
export async function run(call: Call): Promise<Outcome> {
  await prepareToPump(call.io, call.rest);
  const dryRun = flag(call, 'dryRun');
  const input = {
    repository: repositoryChoice(call),
    files: call.rest,
    vins: texts(call, 'vehicle').map(parseVin),
    vehicles: text(call, 'vehicles'),
    out: requiredText(call, 'out'),
    suite: text(call, 'suite'),
    target: text(call, 'target'),
    expires: instant(call, 'expires'),
    allowedKems: texts(call, 'allowKem'),
    reseal: flag(call, 'reseal'),
    dryRun,
  };
  const payloads = await encrypt(input, call.io);
  return { result: { payloads, dryRun }, text: encryptedText(payloads, dryRun) };
}
