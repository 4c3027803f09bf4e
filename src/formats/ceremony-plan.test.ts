import { describe, expect, test } from 'vitest';
import { utf8 } from '../core/bytes.ts';
import { isFailure } from '../core/errors.ts';
import { ceremonyKeyName, decodeCeremonyPlan } from './ceremony-plan.ts';

const ID = '5ab0'.repeat(16);
const PLAN = `ceremony: Example Motors root
date: 2026-12-01
place: Plant 1, room 4.12
repository: Example Motors
administrator: { name: Grace, initials: GH }
custodians:
  - { name: Ada, initials: AL, medium: media/ada }
  - { name: Edith, initials: EC, medium: media/edith, signer: 'pkcs11:token=edith' }
witnesses:
  - { name: Joan, initials: JC }
threshold: 2
backup: { shares: 3, threshold: 2 }
dice_rolls: 50
roles:
  - role: targets
    keys:
      - { file: keys/targets.pub, id: '${ID}' }
`;

const codeOf = (text: string): string => {
  try {
    decodeCeremonyPlan(utf8(text), 'ceremony.yaml');
  } catch (error) {
    if (isFailure(error)) return error.code;
    throw error;
  }
  return 'accepted';
};

describe('ceremony.yaml', () => {
  test('reads a whole plan, with its defaults', () => {
    const plan = decodeCeremonyPlan(utf8(PLAN), 'ceremony.yaml');
    expect(plan).toMatchObject({
      title: 'Example Motors root',
      scheme: 'hybrid',
      dialect: 'tuf',
      threshold: 2,
      expiresDays: 365,
      diceRolls: 50,
      backup: { shares: 3, threshold: 2 },
      custodians: [
        { initials: 'AL', signer: 'file' },
        { initials: 'EC', signer: 'pkcs11:token=edith' },
      ],
      roles: [{ role: 'targets', keys: [{ file: 'keys/targets.pub', keyId: ID }], threshold: 1 }],
    });
    expect(ceremonyKeyName('AL', 'image')).toBe('AL-image-root');
  });

  test('reads key ids as people copy them, in groups', () => {
    const grouped = (ID.match(/.{4}/g) ?? []).join(' ').toUpperCase();
    expect(codeOf(PLAN.replace(ID, grouped))).toBe('accepted');
  });

  const refused: [string, string, string, string][] = [
    ['an unknown field', 'place:', 'venue: x\nplace:', 'YAML_FIELD_UNKNOWN'],
    ['a missing field', 'place: Plant 1, room 4.12\n', '', 'CEREMONY_PLAN_MALFORMED'],
    ['a day that is not', '2026-12-01', '2026-02-30', 'CEREMONY_PLAN_MALFORMED'],
    ['the same initials twice', 'initials: JC', 'initials: AL', 'CEREMONY_PLAN_MALFORMED'],
    ['the same medium twice', 'media/edith', 'media/ada', 'CEREMONY_PLAN_MALFORMED'],
    [
      'one token for two custodians',
      'medium: media/ada }',
      "medium: media/ada, signer: 'pkcs11:token=edith' }",
      'CEREMONY_PLAN_MALFORMED',
    ],
    ['a threshold out of reach', 'threshold: 2\nbackup', 'threshold: 3\nbackup', 'CEREMONY_PLAN_MALFORMED'],
    ['a backup out of reach', 'shares: 3, threshold: 2', 'shares: 2, threshold: 3', 'CEREMONY_PLAN_MALFORMED'],
    ['a short key id', ID, ID.slice(2), 'CEREMONY_PLAN_MALFORMED'],
    ['an unknown role', 'role: targets', 'role: root', 'CEREMONY_PLAN_MALFORMED'],
    ['another signer', 'pkcs11:token=edith', 'exec:sh', 'CEREMONY_PLAN_MALFORMED'],
  ];
  test.each(refused)('refuses %s', (_, from, to, code) => {
    expect(PLAN).toContain(from);
    expect(codeOf(PLAN.replace(from, to))).toBe(code);
  });
});
