/** The registry of a model's gateways and ECUs: brought in from `registry.yaml`, and listed. */
import type { Io } from '../../core/ports.ts';
import { decodeRegistry } from '../../formats/registry.ts';
import type { Registry } from '../../formats/registry.ts';
import { YAML_BYTES_MAX } from '../../formats/yaml.ts';
import { ecusOf, gatewaysOf, models, putEcu, putGateway, removeEcu, removeGateway } from '../../store/fleet.ts';
import type { Ecu, Gateway } from '../../store/fleet.ts';
import type { Tx } from '../../store/reader.ts';
import { openChosen } from '../repository/locate.ts';
import type { RepositoryChoice } from '../repository/locate.ts';

/** What to bring in. */
export interface EcuImportInput {
  readonly repository: RepositoryChoice;
  readonly file: string;
  /** Remove what the model has and the file has not. */
  readonly replace: boolean;
  readonly dryRun?: boolean | undefined;
}

/** What an import did. */
export interface EcuImportAnswer {
  readonly model: string;
  readonly gateways: number;
  readonly ecus: number;
  /** Gateways and ECUs that are new, different, gone, and as they were. */
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  readonly same: number;
}

/** Adds and updates the gateways and ECUs of a model. @throws REGISTRY_MALFORMED, YAML_MALFORMED, YAML_FIELD_UNKNOWN */
export async function importEcus(input: EcuImportInput, io: Io): Promise<EcuImportAnswer> {
  const name = input.file.slice(input.file.lastIndexOf('/') + 1);
  const registry = decodeRegistry(await io.files.read(input.file, YAML_BYTES_MAX), name);
  using repository = await openChosen(io, input.repository);
  const { model, gateways } = registry;
  const ecus = gateways.reduce((sum, gateway) => sum + gateway.ecus.length, 0);
  const summary = `imported ${gateways.length} gateways and ${ecus} ECUs of model ${model}`;
  return repository.transact({ command: 'ecu import', summary, dryRun: input.dryRun }, (tx) => {
    const known = knownIds(tx, model);
    const put = putAll(tx, registry);
    const added = [...gateways, ...gateways.flatMap((gateway) => gateway.ecus)].filter(
      ({ id }) => !known.has(id),
    ).length;
    const removed = input.replace ? removeOthers(tx, registry) : 0;
    const same = gateways.length + ecus - put;
    tx.about(`model:${model}`);
    return { model, gateways: gateways.length, ecus, added, changed: put - added, removed, same };
  });
}

function knownIds(tx: Tx, model: string): ReadonlySet<string> {
  return new Set([...gatewaysOf(tx, model), ...ecusOf(tx, model)].map(({ id }) => id));
}

/** How many are new or different. */
function putAll(tx: Tx, { model, gateways }: Registry): number {
  let changed = 0;
  for (const gateway of gateways) changed += Number(putGateway(tx, { model, id: gateway.id, name: gateway.name }));
  for (const gateway of gateways) {
    for (const ecu of gateway.ecus) {
      const { id, name, type, hardware, currentVersion = '' } = ecu;
      changed += Number(putEcu(tx, { model, id, gateway: gateway.id, name, type, hardware, currentVersion }));
    }
  }
  return changed;
}

function removeOthers(tx: Tx, { model, gateways }: Registry): number {
  const keptGateways = new Set<string>(gateways.map(({ id }) => id));
  const keptEcus = new Set<string>(gateways.flatMap((gateway) => gateway.ecus.map(({ id }) => id)));
  const ecus = ecusOf(tx, model).filter(({ id }) => !keptEcus.has(id) && removeEcu(tx, model, id));
  const others = gatewaysOf(tx, model).filter(({ id }) => !keptGateways.has(id) && removeGateway(tx, model, id));
  return ecus.length + others.length;
}

/** A gateway and what is behind it. */
export interface ListedGateway extends Gateway {
  readonly ecus: readonly Ecu[];
}

/** The gateways and ECUs of one model, or of all. */
export async function listEcus(
  input: { repository: RepositoryChoice; model?: string | undefined },
  io: Io,
): Promise<readonly ListedGateway[]> {
  using repository = await openChosen(io, input.repository, { readOnly: true });
  const wanted = input.model === undefined ? models(repository) : [input.model];
  return wanted.flatMap((model) => {
    const ecus = ecusOf(repository, model);
    return gatewaysOf(repository, model).map((gateway) => ({
      ...gateway,
      ecus: ecus.filter((ecu) => ecu.gateway === gateway.id),
    }));
  });
}
