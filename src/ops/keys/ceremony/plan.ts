/** Writes a plan to edit, and reads one to walk through it on paper. */
import { formatInstant } from '../../../core/brands.ts';
import { utf8 } from '../../../core/bytes.ts';
import { failure } from '../../../core/errors.ts';
import type { Io } from '../../../core/ports.ts';
import { decodeCeremonyPlan } from '../../../formats/ceremony-plan.ts';
import type { CeremonyPlan } from '../../../formats/ceremony-plan.ts';
import { decodePublicFile } from '../../../formats/keys/public-file.ts';
import { ceremonySteps, rootsOf } from '../../../plan/ceremony/steps.ts';
import type { CeremonyStep, RootKind } from '../../../plan/ceremony/steps.ts';
import { readText } from './folder.ts';
import { PLAN_BYTES_MAX } from './run.ts';

/** What a new plan begins with; people fill in the rest. */
export interface CeremonyPlanInput {
  readonly file: string;
  readonly title: string;
  readonly repository: string;
  readonly place: string;
  readonly scheme: string;
  /** How the roots are to be written. */
  readonly dialect: string;
  readonly custodians: number;
  readonly threshold: number;
  /** The folder in which each custodian's medium gets a folder. */
  readonly media: string;
  /** Public files that are brought along, by role. */
  readonly brings: readonly { readonly role: string; readonly file: string }[];
}

/** What a plan comes to. */
export interface CeremonyScript {
  readonly plan: CeremonyPlan;
  readonly steps: readonly CeremonyStep[];
  /** Which roots it signs. */
  readonly roots: readonly RootKind[];
}

/** Writes a plan with one line for each person and key, to be edited. @throws FILE_EXISTS, CEREMONY_PLAN_MALFORMED */
export async function writePlan(input: CeremonyPlanInput, io: Io): Promise<CeremonyScript> {
  const date = formatInstant(io.clock.now()).slice(0, 10);
  const bytes = utf8(planText(input, { date, roles: await rolesText(input, io) }));
  const script = scriptOf(decodeCeremonyPlan(bytes, input.file));
  await io.files.write(input.file, bytes);
  return script;
}

/** Reads a plan. @throws FILE_NOT_FOUND, YAML_*, CEREMONY_PLAN_MALFORMED */
export async function readPlan(file: string, io: Io): Promise<CeremonyScript> {
  return scriptOf(decodeCeremonyPlan(await io.files.read(file, PLAN_BYTES_MAX), file));
}

function scriptOf(plan: CeremonyPlan): CeremonyScript {
  return { plan, steps: ceremonySteps(plan), roots: rootsOf(plan) };
}

const EXAMPLE_ROLES = `roles: []
#  - { role: targets, keys: [{ file: targets.pub, id: ${'0'.repeat(64)} }] }
#  - { role: snapshot, ... }, timestamp, director/targets, director/snapshot, director/timestamp, escrow`;

/** The keys that are brought, each by the id that its file has now. */
async function rolesText({ brings }: CeremonyPlanInput, { files }: Io): Promise<string> {
  const roles = new Map<string, string[]>();
  for (const { role, file } of brings) {
    const [key] = decodePublicFile(utf8(await readText(files, file))).keys;
    const line = `{ file: ${quoted(file)}, id: ${key?.keyId ?? ''} }`;
    roles.set(role, [...(roles.get(role) ?? []), line]);
  }
  if (roles.size === 0) return EXAMPLE_ROLES;
  const lines = [...roles].map(([role, keys]) => {
    const threshold = keys.length > 1 ? `, threshold: ${keys.length}` : '';
    return `  - { role: ${quoted(role)}${threshold}, keys: [${keys.join(', ')}] }`;
  });
  return `roles:\n${lines.join('\n')}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** The default goes without saying. */
function dialectLine({ dialect }: CeremonyPlanInput): string {
  return dialect === 'tuf' ? '' : `dialect: ${dialect} # how the roots are written\n`;
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

function planText(input: CeremonyPlanInput, { date, roles }: { date: string; roles: string }): string {
  const letters = Array.from(LETTERS).slice(0, input.custodians);
  if (letters.length < input.custodians) throw failure('USAGE', `at most ${LETTERS.length} custodians`);
  const medium = (letter: string): string => quoted(`${input.media}/custodian-${letter.toLowerCase()}`);
  const custodians = letters.map(
    (letter) => `  - { name: Custodian ${letter}, initials: C${letter}, medium: ${medium(letter)} }`,
  );
  return `# A root key ceremony. Fill in the people, media and keys; then read it aloud once with
#   secureev ceremony plan ${input.file} --show
# and rehearse it with
#   secureev ceremony run ${input.file} --out rehearsal --rehearsal
ceremony: ${quoted(input.title)}
date: ${date}
place: ${quoted(input.place)}
repository: ${quoted(input.repository)}
scheme: ${input.scheme} # hybrid (ECDSA P-256 and ML-DSA-65), hybrid-ed25519, ecdsa-p256, ed25519
${dialectLine(input)}administrator: { name: The administrator, initials: ADM }
# Each custodian has a medium of their own: a folder where it is mounted (mount FAT with umask=077).
# A custodian with a token adds: signer: 'pkcs11:token=LABEL?module-path=/path/to/module.so'
custodians:
${custodians.join('\n')}
witnesses:
  - { name: The witness, initials: WIT }
threshold: ${input.threshold} # how many custodians sign a root
expires_days: 365
backup: { shares: 3, threshold: 2 } # of every custodian's key; leave out for none
# dice_rolls: 50 # for each key, mixed with the machine's randomness; 50 give 128 bits of your own
# Public keys that others bring; ids as \`secureev key show\` prints them. All three roles of a repository make its root.
${roles}
`;
}
