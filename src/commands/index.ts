/**
 * Every subcommand, one line each, in the order of `secureev --help`.
 *
 * Invariant: nothing but types is imported here; a command's module is loaded only when it is called.
 */
import type { CommandEntry } from './command.ts';

/** The subcommands; `path` is unique, and none is the beginning of another's unless it is a command of its own. */
export const COMMANDS: readonly CommandEntry[] = [
  // Repository and roles
  {
    path: 'init',
    summary: 'make a repository: Image and Director in one folder',
    group: 'Repository and roles',
    load: () => import('./init.ts'),
  },
  {
    path: 'role set',
    summary: 'stage the first keys of a role, or set the escrow key',
    group: 'Repository and roles',
    load: () => import('./role-set.ts'),
  },
  {
    path: 'role change',
    summary: 'stage a change of the keys of a role',
    group: 'Repository and roles',
    load: () => import('./role-change.ts'),
  },
  {
    path: 'role list',
    summary: 'list roles, their keys and thresholds',
    group: 'Repository and roles',
    load: () => import('./role-list.ts'),
  },
  {
    path: 'diff',
    summary: 'show what is staged, in words',
    group: 'Repository and roles',
    load: () => import('./diff.ts'),
  },
  {
    path: 'discard',
    summary: 'drop what is staged',
    group: 'Repository and roles',
    load: () => import('./discard.ts'),
  },
  {
    path: 'sign',
    summary: 'make the next versions of what changed and add signatures',
    group: 'Repository and roles',
    load: () => import('./sign.ts'),
  },
  {
    path: 'request create',
    summary: 'write what an offline signer is to sign',
    group: 'Repository and roles',
    load: () => import('./request-create.ts'),
  },
  {
    path: 'request sign',
    summary: 'verify, show and sign a request, offline',
    group: 'Repository and roles',
    load: () => import('./request-sign.ts'),
  },
  {
    path: 'request import',
    summary: 'take in the signatures of offline signers',
    group: 'Repository and roles',
    load: () => import('./request-import.ts'),
  },
  {
    path: 'request list',
    summary: 'list the requests that went out',
    group: 'Repository and roles',
    load: () => import('./request-list.ts'),
  },
  {
    path: 'request cancel',
    summary: 'give up versions that wait for offline signatures',
    group: 'Repository and roles',
    load: () => import('./request-cancel.ts'),
  },
  {
    path: 'renew',
    summary: 'sign again what has under half its life left',
    group: 'Repository and roles',
    load: () => import('./renew.ts'),
  },
  {
    path: 'status',
    summary: 'show versions, expiries, thresholds and who has signed',
    group: 'Repository and roles',
    load: () => import('./status.ts'),
  },
  {
    path: 'hold',
    summary: 'stop sign, renew and publish in an emergency',
    group: 'Repository and roles',
    load: () => import('./hold.ts'),
  },
  {
    path: 'root export',
    summary: 'write the root of trust to pin',
    group: 'Repository and roles',
    load: () => import('./root-export.ts'),
  },
  {
    path: 'publish image',
    summary: 'write the Image repository as a static tree',
    group: 'Repository and roles',
    load: () => import('./publish-image.ts'),
  },
  {
    path: 'target add',
    summary: 'stage one firmware image as a target',
    group: 'Repository and roles',
    load: () => import('./target-add.ts'),
  },
  {
    path: 'target remove',
    summary: 'stage the removal of a target',
    group: 'Repository and roles',
    load: () => import('./target-remove.ts'),
  },
  {
    path: 'target list',
    summary: 'list targets, staged ones included',
    group: 'Repository and roles',
    load: () => import('./target-list.ts'),
  },
  {
    path: 'log',
    summary: 'show the audit log',
    group: 'Repository and roles',
    load: () => import('./log.ts'),
  },
  // Keys
  {
    path: 'keygen',
    summary: 'make a key pair',
    group: 'Keys',
    load: () => import('./keygen.ts'),
  },
  {
    path: 'key show',
    summary: 'show whose keys a file holds and their ids',
    group: 'Keys',
    load: () => import('./key-show.ts'),
  },
  {
    path: 'key passwd',
    summary: 'give a key file a new passphrase',
    group: 'Keys',
    load: () => import('./key-passwd.ts'),
  },
  {
    path: 'key public',
    summary: 'write the public half of any signer',
    group: 'Keys',
    load: () => import('./key-public.ts'),
  },
  // Releases
  {
    path: 'package',
    summary: 'build one signed OTAP bundle per zonal gateway from a release plan',
    group: 'Releases',
    load: () => import('./package.ts'),
  },
  {
    path: 'unpack',
    summary: 'the images of a bundle, verified, as files',
    group: 'Releases',
    load: () => import('./unpack.ts'),
  },
  {
    path: 'inspect',
    summary: 'what a file of ours says, NOT VERIFIED',
    group: 'Releases',
    load: () => import('./inspect.ts'),
  },
  {
    path: 'encrypt',
    summary: 'encrypt bundles or images for vehicles',
    group: 'Releases',
    load: () => import('./encrypt.ts'),
  },
  {
    path: 'decrypt',
    summary: 'decrypt a sealed payload; the result is UNVERIFIED',
    group: 'Releases',
    load: () => import('./decrypt.ts'),
  },
  {
    path: 'envelope add',
    summary: 'give more vehicles an envelope of a payload',
    group: 'Releases',
    load: () => import('./envelope-add.ts'),
  },
  {
    path: 'envelope remove',
    summary: "take vehicles' envelopes away",
    group: 'Releases',
    load: () => import('./envelope-remove.ts'),
  },
  {
    path: 'envelope list',
    summary: 'list sealed payloads, or the recipients of one',
    group: 'Releases',
    load: () => import('./envelope-list.ts'),
  },
  {
    path: 'envelope extract',
    summary: "write one vehicle's envelope to a file",
    group: 'Releases',
    load: () => import('./envelope-extract.ts'),
  },
  // Fleet
  {
    path: 'ecu import',
    summary: 'add or update the gateways and ECUs of a model',
    group: 'Fleet',
    load: () => import('./ecu-import.ts'),
  },
  {
    path: 'ecu list',
    summary: 'the gateways and ECUs of each model',
    group: 'Fleet',
    load: () => import('./ecu-list.ts'),
  },
  {
    path: 'vehicle add',
    summary: 'add a vehicle of a known model',
    group: 'Fleet',
    load: () => import('./vehicle-add.ts'),
  },
  {
    path: 'vehicle list',
    summary: 'list vehicles by VIN',
    group: 'Fleet',
    load: () => import('./vehicle-list.ts'),
  },
  {
    path: 'vehicle show',
    summary: 'show a vehicle, its keys, and what was sealed to it',
    group: 'Fleet',
    load: () => import('./vehicle-show.ts'),
  },
  {
    path: 'vehicle key set',
    summary: 'give a vehicle an encryption key',
    group: 'Fleet',
    load: () => import('./vehicle-key-set.ts'),
  },
  {
    path: 'vehicle key revoke',
    summary: "revoke a vehicle's key",
    group: 'Fleet',
    load: () => import('./vehicle-key-revoke.ts'),
  },
  // Verification
  {
    path: 'verify log',
    summary: 'verify the audit log against published Snapshots',
    group: 'Verification',
    refusesMalformed: true,
    load: () => import('./verify-log.ts'),
  },
  {
    path: 'verify bundle',
    summary: 'check a bundle against a pinned root, offline',
    group: 'Verification',
    refusesMalformed: true,
    load: () => import('./verify-bundle.ts'),
  },
  // This machine
  {
    path: 'doctor',
    summary: 'check this machine: engines, known answers, entropy, clock, interfaces, database',
    group: 'This machine',
    load: () => import('./doctor.ts'),
  },
  {
    path: 'completion',
    summary: 'a completion script for bash, zsh or fish',
    group: 'This machine',
    load: () => import('./completion.ts'),
  },
];
