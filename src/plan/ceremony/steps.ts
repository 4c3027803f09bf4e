/**
 * The steps of a root key ceremony, in order, worked out from its plan alone.
 *
 * Invariant: the same plan gives the same steps with the same ids, so that a ceremony can be taken up again from what
 * its transcript says was done.
 */
import type { BroughtRole, CeremonyPlan, Custodian } from '../../formats/ceremony-plan.ts';

/** The two repositories a ceremony makes roots for. */
export const ROOT_KINDS = ['image', 'director'] as const;
/** One of {@link ROOT_KINDS}. */
export type RootKind = (typeof ROOT_KINDS)[number];

interface StepBase {
  /** Unique in the ceremony, e.g. `generate:AL:image`. */
  readonly id: string;
  /** For the screen and the report. */
  readonly title: string;
  /** What the people in the room do, in exact words. */
  readonly instruction: string;
}

/** A step that one custodian takes for one repository's root key. */
export interface CustodianStep extends StepBase {
  readonly kind: 'generate' | 'confirm' | 'possess' | 'backup' | 'drill';
  readonly custodian: Custodian;
  readonly root: RootKind;
}

/** A step of the whole room. */
export interface RoomStep extends StepBase {
  readonly kind: 'open' | 'self-check' | 'clock' | 'close';
}

/** A step that takes in the public keys of a role. */
export interface RoleStep extends StepBase {
  readonly kind: 'role';
  readonly role: BroughtRole;
}

/** A step that makes and signs one root. */
export interface RootStep extends StepBase {
  readonly kind: 'root';
  readonly root: RootKind;
}

/** A step that writes one custodian's medium. */
export interface MediumStep extends StepBase {
  readonly kind: 'medium';
  readonly custodian: Custodian;
}

/** One step. */
export type CeremonyStep = CustodianStep | RoomStep | RoleStep | RootStep | MediumStep;

/** All steps of `plan`, in order. */
export function ceremonySteps(plan: CeremonyPlan): readonly CeremonyStep[] {
  return [
    ...openingSteps(plan),
    ...plan.custodians.flatMap((custodian) => ROOT_KINDS.flatMap((root) => keySteps(plan, { custodian, root }))),
    ...plan.roles.map(roleStep),
    ...rootsOf(plan).map((root) => rootStep(plan, root)),
    ...plan.custodians.map(mediumStep),
    closingStep(plan),
  ];
}

/** The roots a ceremony signs: the Director's only where the roles it lists are brought along. */
export function rootsOf(plan: CeremonyPlan): readonly RootKind[] {
  const brought = new Set<string>(plan.roles.map((role) => role.role));
  const complete = (prefix: string): boolean =>
    ['targets', 'snapshot', 'timestamp'].every((r) => brought.has(prefix + r));
  return ROOT_KINDS.filter((root) => complete(root === 'image' ? '' : 'director/'));
}

function openingSteps(plan: CeremonyPlan): readonly RoomStep[] {
  return [
    {
      id: 'open',
      kind: 'open',
      title: 'People and purpose',
      instruction: `Read the plan aloud: "${plan.title}", ${plan.place}, ${plan.date}. Everyone named is in the room. Each types their initials.`,
    },
    {
      id: 'self-check',
      kind: 'self-check',
      title: 'The machine',
      instruction:
        'The machine checks itself: no network interface is up, swap is off, the random source answers, the algorithms give their known answers, the digest of the program. Compare the digest with the printed one.',
    },
    {
      id: 'clock',
      kind: 'clock',
      title: 'The time',
      instruction: 'Compare the time shown (UTC) with a clock that everyone trusts. It may differ by one minute.',
    },
  ];
}

function keySteps(plan: CeremonyPlan, key: { custodian: Custodian; root: RootKind }): readonly CustodianStep[] {
  const { custodian, root } = key;
  const step = (kind: CustodianStep['kind'], words: { title: string; instruction: string }): CustodianStep => ({
    id: `${kind}:${custodian.initials}:${root}`,
    kind,
    custodian,
    root,
    ...words,
  });
  return [
    step('generate', generateWords(plan, key)),
    step('confirm', {
      title: `${custodian.name}: fingerprint of the ${root} root key`,
      instruction: `A witness reads the words aloud, ${custodian.name} follows on the screen, writes the fingerprint down and types back its last eight digits.`,
    }),
    step('possess', {
      title: `${custodian.name}: proof of possession`,
      instruction: `${custodian.name} unlocks the key again; it signs a statement of this ceremony, which is verified with the public key.`,
    }),
    ...(plan.backup === undefined || custodian.signer !== 'file' ? [] : backupSteps(plan, { custodian, step })),
  ];
}

function generateWords(plan: CeremonyPlan, key: { custodian: Custodian; root: RootKind }): Words {
  const { custodian, root } = key;
  const dice = plan.diceRolls > 0 ? ` First roll the dice ${plan.diceRolls} times and type the numbers.` : '';
  const where =
    custodian.signer === 'file'
      ? `${custodian.name} chooses a passphrase that nobody else sees and types it twice.`
      : `${custodian.name} plugs in the token and types its PIN.`;
  return { title: `${custodian.name}: make the ${root} root key`, instruction: where + dice };
}

interface Words {
  readonly title: string;
  readonly instruction: string;
}

type MakeStep = (kind: CustodianStep['kind'], words: Words) => CustodianStep;

function backupSteps(plan: CeremonyPlan, at: { custodian: Custodian; step: MakeStep }): readonly CustodianStep[] {
  const { shares = 0, threshold = 0 } = plan.backup ?? {};
  return [
    at.step('backup', {
      title: `${at.custodian.name}: backup shares`,
      instruction: `The key is split into ${shares} shares, any ${threshold} of which restore it. Print or write down each share and put it into its own envelope.`,
    }),
    at.step('drill', {
      title: `${at.custodian.name}: restore drill`,
      instruction: `Type in any ${threshold} of the shares from paper. The restored key must have the same fingerprint.`,
    }),
  ];
}

function roleStep(role: BroughtRole): RoleStep {
  return {
    id: `role:${role.role}`,
    kind: 'role',
    role,
    title: `Keys of ${role.role}`,
    instruction: `Compare the fingerprint of each key brought for ${role.role} with the one its holder wrote down (${role.threshold} of ${role.keys.length} sign).`,
  };
}

function rootStep(plan: CeremonyPlan, root: RootKind): RootStep {
  return {
    id: `root:${root}`,
    kind: 'root',
    root,
    title: `Sign the ${root} root`,
    instruction: `The ${root} root, version 1, is shown: keys, thresholds, expiry. If it is right, every custodian unlocks their key and signs; ${plan.threshold} of ${plan.custodians.length} will be needed later.`,
  };
}

function mediumStep(custodian: Custodian): MediumStep {
  return {
    id: `medium:${custodian.initials}`,
    kind: 'medium',
    custodian,
    title: `${custodian.name}: the medium`,
    instruction: `Put in the medium of ${custodian.name}. The files are written, read back and compared.`,
  };
}

function closingStep(plan: CeremonyPlan): RoomStep {
  return {
    id: 'close',
    kind: 'close',
    title: 'End',
    instruction: `The transcript is closed: everyone types their initials, and every key made today signs it (${plan.custodians.length} custodians unlock theirs once more). Each medium gets a copy; then everyone takes theirs out and seals it.`,
  };
}
