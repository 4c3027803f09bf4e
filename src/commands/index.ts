/**
 * Every subcommand, one line each, in the order of `secureev --help`.
 *
 * Invariant: no command is imported here; its module is loaded only when it is called.
 */
import { COMMAND_GROUPS } from './command.ts';
import type { CommandEntry, CommandGroup, CommandModule } from './command.ts';

/** The words after `secureev`, one line for `--help`, and the module. */
type Line = readonly [path: string, summary: string, load: () => Promise<CommandModule>];

/** Heading -> its commands. A new command is one file and one line here. */
const LINES: Readonly<Record<CommandGroup, readonly Line[]>> = {
  'Repository and roles': [
    ['init', 'make a repository: Image and Director in one folder', () => import('./init.ts')],
    ['role set', 'stage the first keys of a role, or set the escrow key', () => import('./role-set.ts')],
    ['role change', 'stage a change of the keys of a role', () => import('./role-change.ts')],
    ['role list', 'list roles, their keys and thresholds', () => import('./role-list.ts')],
    ['delegation add', 'stage a delegation: another role signs for some paths', () => import('./delegation-add.ts')],
    ['delegation change', 'stage a change of keys, paths or place', () => import('./delegation-change.ts')],
    ['delegation remove', 'stage the removal of a delegation', () => import('./delegation-remove.ts')],
    ['delegation list', 'list delegations and their keys', () => import('./delegation-list.ts')],
    ['delegation bins', 'stage hashed bins for very many targets', () => import('./delegation-bins.ts')],
    ['diff', 'show what is staged, in words', () => import('./diff.ts')],
    ['discard', 'drop what is staged', () => import('./discard.ts')],
    ['sign', 'make the next versions of what changed and add signatures', () => import('./sign.ts')],
    ['request create', 'write what an offline signer is to sign', () => import('./request-create.ts')],
    ['request sign', 'verify, show and sign a request, offline', () => import('./request-sign.ts')],
    ['request import', 'take in the signatures of offline signers', () => import('./request-import.ts')],
    ['request list', 'list the requests that went out', () => import('./request-list.ts')],
    ['request cancel', 'give up versions that wait for offline signatures', () => import('./request-cancel.ts')],
    ['renew', 'sign again what has under half its life left', () => import('./renew.ts')],
    ['status', 'show versions, expiries, thresholds and who has signed', () => import('./status.ts')],
    ['hold', 'stop sign, renew and publish in an emergency', () => import('./hold.ts')],
    ['root export', 'write the root of trust to pin', () => import('./root-export.ts')],
    ['publish image', 'write the Image repository as a static tree', () => import('./publish-image.ts')],
    ['publish director', 'write the Director, per vehicle, as a static tree', () => import('./publish-director.ts')],
    ['publish kit', 'write a folder for use without a network', () => import('./publish-kit.ts')],
    [
      'publish provisioning',
      'write what ECUs get at the factory, and the root keys as a C header',
      () => import('./publish-provisioning.ts'),
    ],
    ['backup', 'write the whole repository to one file', () => import('./backup.ts')],
    ['restore', 'make a repository from a backup and what was published since', () => import('./restore.ts')],
    ['target add', 'stage one firmware image as a target', () => import('./target-add.ts')],
    ['target remove', 'stage the removal of a target', () => import('./target-remove.ts')],
    ['target list', 'list targets, staged ones included', () => import('./target-list.ts')],
    ['log', 'show the audit log', () => import('./log.ts')],
  ],
  Keys: [
    ['keygen', 'make a key pair', () => import('./keygen.ts')],
    ['key show', 'show whose keys a file holds and their ids', () => import('./key-show.ts')],
    ['key passwd', 'give a key file a new passphrase', () => import('./key-passwd.ts')],
    ['key public', 'write the public half of any signer', () => import('./key-public.ts')],
    ['key split', 'split a key into shares for paper', () => import('./key-split.ts')],
    ['key combine', 'restore a key from its shares', () => import('./key-combine.ts')],
    ['key revoke', 'take a lost key out of everything, and say who must sign what', () => import('./key-revoke.ts')],
    ['ceremony plan', 'write or show the plan of a root key ceremony', () => import('./ceremony-plan.ts')],
    ['ceremony run', 'hold a root key ceremony', () => import('./ceremony-run.ts')],
    ['ceremony resume', 'go on with an interrupted ceremony, or give it up', () => import('./ceremony-resume.ts')],
    ['ceremony verify', 'check a ceremony offline', () => import('./ceremony-verify.ts')],
  ],
  Releases: [
    ['package', 'build one signed OTAP bundle per zonal gateway from a release plan', () => import('./package.ts')],
    ['release list', 'list releases and how far they are', () => import('./release-list.ts')],
    ['release show', 'show all there is to know of a release', () => import('./release-show.ts')],
    ['unpack', 'the images of a bundle, verified, as files', () => import('./unpack.ts')],
    ['inspect', 'what a file of ours says, NOT VERIFIED', () => import('./inspect.ts')],
    ['delivery create', 'a supplier signs images for its delegation', () => import('./delivery-create.ts')],
    ['delivery import', "check a supplier's delivery and take it in", () => import('./delivery-import.ts')],
    ['encrypt', 'encrypt bundles or images for vehicles', () => import('./encrypt.ts')],
    ['decrypt', 'decrypt a sealed payload; the result is UNVERIFIED', () => import('./decrypt.ts')],
    ['envelope add', 'give more vehicles an envelope of a payload', () => import('./envelope-add.ts')],
    ['envelope remove', "take vehicles' envelopes away", () => import('./envelope-remove.ts')],
    ['envelope list', 'list sealed payloads, or the recipients of one', () => import('./envelope-list.ts')],
    ['envelope extract', "write one vehicle's envelope to a file", () => import('./envelope-extract.ts')],
  ],
  Fleet: [
    ['ecu import', 'add or update the gateways and ECUs of a model', () => import('./ecu-import.ts')],
    ['ecu list', 'the gateways and ECUs of each model', () => import('./ecu-list.ts')],
    ['vehicle add', 'add a vehicle of a known model', () => import('./vehicle-add.ts')],
    ['vehicle import', 'add and update vehicles from a file', () => import('./vehicle-import.ts')],
    ['vehicle list', 'list vehicles by VIN', () => import('./vehicle-list.ts')],
    ['vehicle show', 'show a vehicle, its keys, and what was sealed to it', () => import('./vehicle-show.ts')],
    ['assign', 'say what goes on the ECUs of one vehicle', () => import('./assign.ts')],
    ['vehicle key set', 'give a vehicle an encryption key', () => import('./vehicle-key-set.ts')],
    ['vehicle key revoke', "revoke a vehicle's key", () => import('./vehicle-key-revoke.ts')],
    ['manifest import', 'check and take in what vehicles report', () => import('./manifest-import.ts')],
    ['manifest list', 'list what vehicles have reported', () => import('./manifest-list.ts')],
    [
      'campaign start',
      'a release for a list of vehicles, in waves; or the next wave',
      () => import('./campaign-start.ts'),
    ],
    ['campaign list', 'list campaigns and how far they are', () => import('./campaign-list.ts')],
    ['campaign show', 'show a campaign and its vehicles', () => import('./campaign-show.ts')],
    ['campaign pause', 'stop further waves', () => import('./campaign-pause.ts')],
    ['campaign withdraw', 'take a release back where it is not installed', () => import('./campaign-withdraw.ts')],
  ],
  Verification: [
    ['verify repository', 'check a published tree, folder or URL, as a client', () => import('./verify-repository.ts')],
    ['verify kit', 'check a kit against pinned roots, offline', () => import('./verify-kit.ts')],
    ['verify log', 'verify the audit log against published Snapshots', () => import('./verify-log.ts')],
    ['verify bundle', 'check a bundle against a pinned root, offline', () => import('./verify-bundle.ts')],
    ['verify blob', 'check a sealed payload against a pinned root, offline', () => import('./verify-blob.ts')],
  ],
  'This machine': [
    ['doctor', 'check this machine: engines, entropy, clock, interfaces, database', () => import('./doctor.ts')],
    ['completion', 'a completion script for bash, zsh or fish', () => import('./completion.ts')],
  ],
};

/** The subcommands; each `path` once. `verify` refuses malformed input (exit status 3) where others find it malformed (4). */
export const COMMANDS: readonly CommandEntry[] = COMMAND_GROUPS.flatMap((group) =>
  LINES[group].map(([path, summary, load]) => ({
    path,
    summary,
    group,
    load,
    refusesMalformed: /^(?:ceremony )?verify\b/.test(path),
  })),
);
