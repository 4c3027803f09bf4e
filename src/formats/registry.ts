/**
 * `registry.yaml`: the zonal gateways of a model and the ECUs behind each, in the layout of the OTA server.
 *
 * Invariants: gateway and ECU ids are unique in the file; an ECU is behind one gateway; unknown fields are refused.
 */
import { parseName } from '../core/brands.ts';
import type { Name } from '../core/brands.ts';
import { failure } from '../core/errors.ts';
import { parseYaml } from './yaml.ts';
import type { YamlNode } from './yaml.ts';
import { yamlFields, yamlList, yamlParsed, yamlText } from './yaml-reader.ts';

/** An ECU of a model. */
export interface RegisteredEcu {
  readonly id: Name;
  /** In words. */
  readonly name: string;
  readonly type: Name;
  /** Its hardware id. */
  readonly hardware: Name;
  readonly currentVersion: Name | undefined;
}

/** A zonal gateway and its ECUs. */
export interface RegisteredGateway {
  readonly id: Name;
  readonly name: string;
  readonly ecus: readonly RegisteredEcu[];
}

/** The registry of one model. */
export interface Registry {
  readonly model: Name;
  readonly gateways: readonly RegisteredGateway[];
}

const GATEWAYS_MAX = 1024;
const ECUS_MAX = 4096;

/**
 * Decodes an ECU registry; `name` is the file's name for messages.
 *
 * @throws YAML_MALFORMED, YAML_FIELD_UNKNOWN, REGISTRY_MALFORMED
 */
export function decodeRegistry(bytes: Uint8Array, name: string): Registry {
  const fields = yamlFields(parseYaml(bytes, { name, code: 'REGISTRY_MALFORMED' }), ['model', 'zonal_gateways']);
  const nodes = yamlList(fields.need('zonal_gateways'), { min: 1, max: GATEWAYS_MAX });
  const gateways = nodes.map(decodeGateway);
  const ids = gateways.flatMap((gateway) => [gateway.id, ...gateway.ecus.map((ecu) => ecu.id)]);
  requireDistinct(ids, name);
  return { model: nameOf(fields.need('model')), gateways };
}

function decodeGateway(node: YamlNode): RegisteredGateway {
  const fields = yamlFields(node, ['id', 'name', 'ecus']);
  return {
    id: nameOf(fields.need('id')),
    name: yamlText(fields.need('name')),
    ecus: yamlList(fields.need('ecus'), { min: 1, max: ECUS_MAX }).map(decodeEcu),
  };
}

function decodeEcu(node: YamlNode): RegisteredEcu {
  const fields = yamlFields(node, ['id', 'name', 'type', 'hardware', 'current_version']);
  const current = fields.get('current_version');
  return {
    id: nameOf(fields.need('id')),
    name: yamlText(fields.need('name')),
    type: nameOf(fields.need('type')),
    hardware: nameOf(fields.need('hardware')),
    currentVersion: current === undefined ? undefined : nameOf(current),
  };
}

function nameOf(node: YamlNode): Name {
  return yamlParsed(node, (text) => parseName(text));
}

function requireDistinct(ids: readonly Name[], file: string): void {
  const seen = new Set<Name>();
  for (const id of ids) {
    if (seen.has(id)) throw failure('REGISTRY_MALFORMED', `${file}: the id ${id} is there twice`, { id });
    seen.add(id);
  }
}
