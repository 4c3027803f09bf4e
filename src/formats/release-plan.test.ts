import { describe, expect, it } from 'vitest';
import { utf8 } from '../core/bytes.ts';
import { isFailure } from '../core/errors.ts';
import type { ErrorCode } from '../core/errors.ts';
import { decodeReleasePlan, recordedPlan } from './release-plan.ts';

const PLAN = `
release: 2026.10
model: EV-1
confidential: false
purpose: braking fix
approvals:
  - by: A. Engineer
    on: 2026-11-01
images:
  - type: BMS
    version: 1.10
    file: firmware/bms-1.10.bin
    release_counter: 7
    requires:
      - ecu: ECU_MCU_1
        version: 2.0.0
  - ecu: ECU_MCU_1
    version: 2.0.1
    target: EV-1/MCU/2.0.1/mcu.bin
    base: EV-1/MCU/2.0.0/mcu.bin
`;

function code(text: string): ErrorCode | undefined {
  try {
    decodeReleasePlan(utf8(text), 'release.yaml');
    return undefined;
  } catch (thrown) {
    return isFailure(thrown) ? thrown.code : undefined;
  }
}

const withImage = (fields: string): string => `release: r1\nmodel: m1\nimages:\n  - ${fields}\n`;

describe('release plan', () => {
  it('takes demands as maps and as text (R3)', () => {
    const image = withImage(
      '{ type: A, version: 1, target: x/y, file: a, requires: [VCU >= 1.1.0], conflicts: [IVI = 2, { type: B, version: 3 }] }',
    );
    expect(decodeReleasePlan(utf8(image), 'release.yaml').images).toMatchObject([
      {
        source: { kind: 'target', name: 'x/y', path: 'a' },
        requires: [{ kind: 'ecu', name: 'VCU', version: '1.1.0' }],
        conflicts: [
          { kind: 'ecu', name: 'IVI', version: '2' },
          { kind: 'type', name: 'B', version: '3' },
        ],
      },
    ]);
  });

  it('comes back from what a repository records of it', () => {
    const plan = decodeReleasePlan(utf8(PLAN), 'release.yaml');
    const again = recordedPlan(JSON.parse(JSON.stringify(plan)) as Readonly<Record<string, unknown>>);
    const kept = plan.images.map(({ selector, version, source, requires }) => ({
      selector,
      version,
      source,
      requires,
    }));
    expect(again).toMatchObject({ release: plan.release, model: plan.model, confidential: false, images: kept });
  });

  it('decodes all fields, versions as written', () => {
    const plan = decodeReleasePlan(utf8(PLAN), 'release.yaml');
    expect(plan).toMatchObject({
      release: '2026.10',
      model: 'EV-1',
      confidential: false,
      record: { purpose: 'braking fix', approvals: [{ by: 'A. Engineer', on: '2026-11-01' }] },
      images: [
        {
          selector: { kind: 'type', name: 'BMS' },
          version: '1.10',
          source: { kind: 'file', path: 'firmware/bms-1.10.bin' },
          releaseCounter: 7,
          requires: [{ kind: 'ecu', name: 'ECU_MCU_1', version: '2.0.0' }],
        },
        { selector: { kind: 'ecu' }, source: { kind: 'target' }, base: 'EV-1/MCU/2.0.0/mcu.bin', requires: [] },
      ],
    });
  });

  it('is confidential unless it says otherwise', () => {
    const plan = decodeReleasePlan(utf8(withImage('{ type: A, version: 1, file: a.bin }')), 'release.yaml');
    expect(plan.confidential).toBe(true);
  });

  it.each<[string, ErrorCode, string]>([
    ['an unknown field', 'YAML_FIELD_UNKNOWN', `${PLAN}sign: no\n`],
    ['an unknown field of an image', 'YAML_FIELD_UNKNOWN', withImage('{ type: A, version: 1, file: a, url: b }')],
    ['a path with ..', 'YAML_PATH_REFUSED', withImage('{ type: A, version: 1, file: a/../../b }')],
    ['an absolute path', 'YAML_PATH_REFUSED', withImage('{ type: A, version: 1, file: /etc/shadow }')],
    ['a path with a backslash', 'YAML_PATH_REFUSED', withImage('{ type: A, version: 1, file: "..\\\\b" }')],
    ['a path with a NUL', 'YAML_PATH_REFUSED', withImage('{ type: A, version: 1, file: "a\\0b" }')],
    ['a target name with ..', 'PLAN_MALFORMED', withImage('{ type: A, version: 1, target: a/../b }')],
    [
      'a requirement of another form',
      'PLAN_MALFORMED',
      withImage('{ type: A, version: 1, file: a, requires: [VCU > 1] }'),
    ],
    [
      'a conflict from a version on',
      'PLAN_MALFORMED',
      withImage('{ type: A, version: 1, file: a, conflicts: [B >= 1] }'),
    ],
    ['a duplicate key', 'YAML_MALFORMED', withImage('{ type: A, type: B, version: 1, file: a }')],
    ['an anchor', 'YAML_MALFORMED', withImage('{ type: &a A, version: 1, file: a }')],
    ['an alias', 'YAML_MALFORMED', withImage('{ type: &a A, version: *a, file: a }')],
    ['a tag', 'YAML_MALFORMED', withImage('{ type: !env HOME, version: 1, file: a }')],
    ['a merge key', 'YAML_MALFORMED', withImage('{ <<: { type: A }, version: 1, file: a }')],
    ['two documents', 'YAML_MALFORMED', `${withImage('{ type: A, version: 1, file: a }')}---\na: b\n`],
    ['a syntax error', 'YAML_MALFORMED', 'release: [1, 2\n'],
    ['both type and ecu', 'PLAN_MALFORMED', withImage('{ type: A, ecu: B, version: 1, file: a }')],
    ['neither file nor target', 'PLAN_MALFORMED', withImage('{ type: A, version: 1 }')],
    ['no version', 'PLAN_MALFORMED', withImage('{ type: A, file: a }')],
    ['a bad counter', 'PLAN_MALFORMED', withImage('{ type: A, version: 1, file: a, release_counter: 1e3 }')],
    ['a bad flag', 'PLAN_MALFORMED', `confidential: no\n${withImage('{ type: A, version: 1, file: a }')}`],
    ['no images', 'PLAN_MALFORMED', 'release: r\nmodel: m\nimages: []\n'],
    [
      'one type twice',
      'PLAN_MALFORMED',
      `${withImage('{ type: A, version: 1, file: a }')}  - { type: A, version: 2, file: b }\n`,
    ],
    ['a list for a document', 'PLAN_MALFORMED', '- a\n'],
    ['nothing', 'PLAN_MALFORMED', ''],
    ['deep nesting', 'YAML_MALFORMED', `${PLAN}notes: ${'['.repeat(40)}${']'.repeat(40)}\n`],
  ])('refuses %s', (_, expected, text) => {
    expect(code(text)).toBe(expected);
  });

  it('refuses an alias bomb and a file that is not UTF-8', () => {
    const bomb = `a: &a [x, x]\nb: &b [*a, *a]\n`;
    expect(code(bomb)).toBe('YAML_MALFORMED');
    expect(() => decodeReleasePlan(Uint8Array.of(0x61, 0xff), 'release.yaml')).toThrow('not UTF-8');
  });

  it('says where', () => {
    const text = 'release: r1\nmodel: m1\nimages:\n  - type: A\n    version: 1\n    file: ../x\n';
    expect(() => decodeReleasePlan(utf8(text), 'release.yaml')).toThrow('release.yaml:6:11: images[0].file');
  });
});
