import { describe, expect, it } from 'vitest';
import { utf8 } from '../core/bytes.ts';
import { isFailure } from '../core/errors.ts';
import type { ErrorCode } from '../core/errors.ts';
import { decodeRegistry } from './registry.ts';

const ECU = (id: string): string => `{ id: ${id}, name: Battery, type: BMS, hardware: bms-hw-2, current_version: 1.0 }`;
const REGISTRY = `
model: EV-1
zonal_gateways:
  - id: ZG_POWERTRAIN
    name: Powertrain zone
    ecus:
      - ${ECU('ECU_BMS_1')}
      - id: ECU_MCU_1
        name: Motor
        type: MCU
        hardware: mcu-hw-1
`;

function code(text: string): ErrorCode | undefined {
  try {
    decodeRegistry(utf8(text), 'registry.yaml');
    return undefined;
  } catch (thrown) {
    return isFailure(thrown) ? thrown.code : undefined;
  }
}

describe('ECU registry', () => {
  it('decodes gateways and ECUs', () => {
    expect(decodeRegistry(utf8(REGISTRY), 'registry.yaml')).toEqual({
      model: 'EV-1',
      gateways: [
        {
          id: 'ZG_POWERTRAIN',
          name: 'Powertrain zone',
          ecus: [
            { id: 'ECU_BMS_1', name: 'Battery', type: 'BMS', hardware: 'bms-hw-2', currentVersion: '1.0' },
            { id: 'ECU_MCU_1', name: 'Motor', type: 'MCU', hardware: 'mcu-hw-1', currentVersion: undefined },
          ],
        },
      ],
    });
  });

  it.each<[string, ErrorCode, string]>([
    ['an ECU twice', 'REGISTRY_MALFORMED', `${REGISTRY}      - ${ECU('ECU_BMS_1')}\n`],
    ['an ECU called as its gateway', 'REGISTRY_MALFORMED', `${REGISTRY}      - ${ECU('ZG_POWERTRAIN')}\n`],
    ['an unknown field', 'YAML_FIELD_UNKNOWN', REGISTRY.replace('model:', 'vendor: x\nmodel:')],
    ['a missing model', 'REGISTRY_MALFORMED', REGISTRY.replace('model: EV-1', '')],
    ['an id with a slash', 'REGISTRY_MALFORMED', REGISTRY.replace('ZG_POWERTRAIN', 'ZG/..')],
    ['a gateway without ECUs', 'REGISTRY_MALFORMED', 'model: m\nzonal_gateways:\n  - { id: a, name: b, ecus: [] }\n'],
  ])('refuses %s', (_, expected, text) => {
    expect(code(text)).toBe(expected);
  });
});
