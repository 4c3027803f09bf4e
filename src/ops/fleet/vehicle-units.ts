/**
 * ECUs that a person or a file gives to a vehicle, held against the registry of its model.
 *
 * Invariant: an ECU is one of the model's, its hardware one that the registry has for ECUs of its type.
 *
 * @see requirements U21
 */
import { quote } from '../../core/brands.ts';
import { failure, SecureevError } from '../../core/errors.ts';
import { inventoryEcu, inventoryFailure } from '../../formats/inventory/vehicle.ts';
import type { InventoryEcu, InventoryPlace } from '../../formats/inventory/vehicle.ts';
import { models } from '../../store/fleet.ts';
import { modelUnits } from '../../store/inventory.ts';
import type { ModelUnit, VehicleEcu } from '../../store/inventory.ts';
import type { Reader } from '../../store/reader.ts';
import type { KeyReader } from './inventory-keys.ts';

/** What the registry has, kept by model. */
export interface Registered {
  /** Demands a known model; `place` is where it was named. @throws VEHICLE_MODEL_UNKNOWN */
  requireModel(model: string, place?: InventoryPlace): void;
  /** An ECU as it goes on record. @throws INVENTORY_ECU_UNKNOWN, INVENTORY_HARDWARE_UNKNOWN, and those of its key */
  resolve(ecu: InventoryEcu, model: string): Promise<VehicleEcu>;
}

const ECU_FIELDS = ['serial', 'hardware', 'kind', 'key'];

/** An ECU as the command line has it: `ID[,serial=S][,hardware=H][,kind=K][,key=FILE]`. @throws INVENTORY_MALFORMED, USAGE */
export function parseVehicleEcu(text: string): InventoryEcu {
  const [ecu = '', ...pairs] = text.split(',');
  const fields = new Map<string, string>();
  for (const pair of pairs) {
    const [name = '', ...value] = pair.split('=');
    if (!ECU_FIELDS.includes(name) || value.length === 0 || fields.has(name)) {
      throw failure('USAGE', `--ecu ${quote(text)}: ${quote(pair)} is none of ${ECU_FIELDS.join('=, ')}= given once`);
    }
    fields.set(name, value.join('='));
  }
  const field = (name: string): string => fields.get(name) ?? '';
  const own = { serial: field('serial'), hardware: field('hardware'), kind: field('kind'), key: field('key') };
  return inventoryEcu({ ecu, ...own }, { row: 0, within: `--ecu ${quote(ecu).slice(1, -1)}: ` });
}

/** The registry as `reader` has it now. */
export function registered(reader: Reader, keys: KeyReader): Registered {
  const known = new Map<string, ReadonlyMap<string, ModelUnit>>();
  const unitsOf = (model: string): ReadonlyMap<string, ModelUnit> => {
    const units = known.get(model) ?? modelUnits(reader, model);
    if (units.size > 0) known.set(model, units);
    return units;
  };
  return {
    requireModel: (model, place) => {
      if (unitsOf(model).size === 0) throw unknownModel(reader, model, place);
    },
    resolve: async (ecu, model) => {
      const units = unitsOf(model);
      const unit = units.get(ecu.id);
      const at = (column: string): InventoryPlace => ({ row: ecu.row, column: ecu.within + column });
      if (unit === undefined) {
        throw inventoryFailure('INVENTORY_ECU_UNKNOWN', at('ecu'), `model ${model} has no ECU or gateway ${ecu.id}`);
      }
      const hardware = ecu.hardware ?? unit.hardware;
      requireHardware(units, { unit, hardware, place: at('hardware') });
      const key = ecu.key === undefined ? undefined : await keys.identityKey(ecu.key, at('key'));
      return {
        ecu: ecu.id,
        serial: ecu.serial ?? null,
        hardware,
        kind: ecu.kind,
        key: key?.text ?? null,
        keyId: key?.keyId ?? null,
      };
    },
  };
}

function requireHardware(
  units: ReadonlyMap<string, ModelUnit>,
  { unit, hardware, place }: { unit: ModelUnit; hardware: string; place: InventoryPlace },
): void {
  if (hardware === unit.hardware) return;
  const alike = [...units.values()].filter(({ type }) => unit.type !== '' && type === unit.type);
  const known = new Set([unit.hardware, ...alike.map((one) => one.hardware)]);
  if (known.has(hardware)) return;
  const text = `hardware ${hardware} is not known for ECU ${unit.id}; there is ${[...known].sort().join(', ')}`;
  throw inventoryFailure('INVENTORY_HARDWARE_UNKNOWN', place, text);
}

function unknownModel(reader: Reader, model: string, place: InventoryPlace | undefined): SecureevError {
  const known = models(reader);
  const where = place === undefined ? '' : `row ${place.row}, column ${place.column}: `;
  return new SecureevError('VEHICLE_MODEL_UNKNOWN', {
    message: `${where}no model ${quote(model).slice(1, -1)} in the repository`,
    hint:
      known.length === 0
        ? 'import its gateways and ECUs first: `secureev ecu import registry.yaml`'
        : `the models are ${known.join(', ')}; another comes with \`secureev ecu import\``,
    details: { model, known, ...place },
  });
}
