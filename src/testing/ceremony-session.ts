/** A session with all that a ceremony needs: plan, media, keys that others bring, and answers. */
import type { CliSession, SessionSetup } from './run-cli.ts';
import { cliSession } from './run-cli.ts';

/** What a ceremony is like. */
export interface CeremonySetup extends SessionSetup {
  readonly custodians?: readonly string[];
  readonly threshold?: number;
  readonly scheme?: string;
  /** Lines added to the plan, e.g. `dice_rolls: 5`. */
  readonly more?: string;
  /** Initials -> the custodian's `signer`. */
  readonly signers?: Readonly<Record<string, string>>;
  readonly pins?: Readonly<Record<string, string>>;
  /** Whether keys for both repositories are brought along; else no root is signed. */
  readonly brings?: boolean;
}

/** The passphrase of each custodian of {@link ceremonySession}, in a form that is easy to search for. */
export function secretOf(initials: string): string {
  return `passphrase-of-${initials}-0123456789`;
}

const ROLES = ['targets', 'snapshot', 'timestamp'] as const;
const BROUGHT = 'brought by others';

/** Begins a session with `ceremony.yaml`, `answers.yaml` and a folder `media/XX` for each custodian. */
export async function ceremonySession(setup: CeremonySetup = {}): Promise<CliSession> {
  const { custodians = ['AL', 'EC'], scheme = 'ed25519', threshold = 1 } = setup;
  const session = await cliSession(setup);
  const roles = setup.brings === false ? [] : await bringKeys(session, scheme);
  for (const initials of custodians) await session.write(`media/${initials}/.keep`, '');
  const person = (initials: string): string => {
    const signer = setup.signers?.[initials];
    const held = signer === undefined ? '' : `, signer: '${signer}'`;
    return `  - { name: Custodian ${initials}, initials: ${initials}, medium: media/${initials}${held} }`;
  };
  await session.write(
    'ceremony.yaml',
    [
      'ceremony: Root keys',
      'date: 2026-11-21',
      'place: Plant 1',
      'repository: Example Motors',
      `scheme: ${scheme}`,
      'administrator: { name: Grace Hopper, initials: GH }',
      'custodians:',
      ...custodians.map(person),
      'witnesses: [{ name: Alan Turing, initials: AT }]',
      `threshold: ${threshold}`,
      'backup: { shares: 3, threshold: 2 }',
      setup.more ?? '',
      roles.length === 0 ? 'roles: []' : `roles:\n${roles.join('\n')}`,
      '',
    ].join('\n'),
  );
  const passphrases = custodians.map((initials) => `${initials}: ${secretOf(initials)}`).join(', ');
  const pins = Object.entries(setup.pins ?? {}).map(([initials, pin]) => `${initials}: '${pin}'`);
  await session.write(
    'answers.yaml',
    `passphrases: { ${passphrases} }\npins: { ${pins.join(', ')} }\ndice: 123456 123456\nprinter: printed\n`,
  );
  return session;
}

/** One key for each role of the Image repository, one for all online roles of the Director, and the escrow. */
async function bringKeys(session: CliSession, scheme: string): Promise<readonly string[]> {
  const roles: string[] = [];
  for (const role of ROLES) roles.push(planned(role, role, await make(session, `${role} --scheme ${scheme}`)));
  const online = await make(session, `director-online --scheme ${scheme}`);
  for (const role of ROLES) roles.push(planned(`director/${role}`, 'director-online', online));
  return [...roles, planned('escrow', 'escrow', await make(session, 'escrow --purpose encryption'))];
}

function planned(role: string, name: string, keyId: string): string {
  return `  - { role: ${role}, keys: [{ file: keys/${name}.pub, id: ${keyId} }] }`;
}

async function make(session: CliSession, what: string): Promise<string> {
  const made = await session.json(`keygen ${what} --out keys`, { env: { SECUREEV_PASSPHRASE: BROUGHT } });
  const keys = made.result?.['keys'] as readonly { readonly keyId: string }[];
  return keys[0]?.keyId ?? '';
}
