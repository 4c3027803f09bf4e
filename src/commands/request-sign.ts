/** `secureev request sign`: the offline side of the air gap; needs no repository. */
import type { Command } from 'commander';
import { openRequest, signRequest } from '../ops/keys/request-sign.ts';
import { requestJson, requestText } from '../render/requests.ts';
import type { Call, Outcome } from './command.ts';
import { failure } from '../core/errors.ts';
import {
  argument,
  atFlag,
  confirm,
  example,
  fixedNow,
  flag,
  keyFlags,
  passphraseChoice,
  pinnedRoot,
  requiredText,
  rootFlag,
  text,
  texts,
} from './flags.ts';

/** Declares arguments and flags. */
export function configure(command: Command): void {
  command
    .description('verify a request from the pinned root, show in words what it changes, and sign it')
    .argument('<request>', 'F.sigreq')
    .requiredOption('-o, --out <file>', 'the signatures, F.sig')
    .option('--fingerprint <hex>', 'for a first root: SHA-256 of its payload, as read out by who made the request')
    .option('--journal <folder>', 'keep what each key signed there, and refuse a second payload for one version')
    .option('--rehearsal', 'let example keys sign');
  example(
    atFlag(rootFlag(keyFlags(command))),
    'secureev request sign root-2.sigreq --root root.json --key root-a.key -o root-2-a.sig',
  );
}

/** Shows the request, asks, signs. */
export async function run(call: Call): Promise<Outcome> {
  const fingerprint = text(call, 'fingerprint');
  const signers = texts(call, 'key');
  if (signers.length === 0) throw failure('USAGE', '--key is missing');
  const opened = await openRequest(
    {
      file: argument(call, 0, 'REQUEST'),
      root: fingerprint === undefined ? pinnedRoot(call) : text(call, 'root'),
      fingerprint,
      now: fixedNow(call),
    },
    call.io,
  );
  const words = requestText(opened);
  await confirm(call, 'sign this?', words);
  const out = requiredText(call, 'out');
  const journal = text(call, 'journal');
  const passphrases = passphraseChoice(call);
  const rehearsal = flag(call, 'rehearsal');
  const signed = await signRequest({ opened, signers, passphrases, out, journal, rehearsal }, call.io);
  const by = signed.signers.map((signer) => `signed with ${signer}`).join('\n');
  return {
    result: { ...requestJson(opened), signatures: signed.signatures, file: out },
    text: `${words}\n${by}\nwrote ${out}`,
  };
}
