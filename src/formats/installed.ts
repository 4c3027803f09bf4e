/**
 * What a vehicle runs now, as its diagnosis or the OTA server reports it: strict YAML, or JSON, which is YAML.
 *
 * Layout: `ecus: - id, version, type?, release_counter?`. Invariant: an ECU stands once.
 */
import { parseName, parseVersion } from '../core/brands.ts';
import type { Name, Version } from '../core/brands.ts';
import { failure } from '../core/errors.ts';
import { OTAP_LIMITS } from './otap/bundle.ts';
import { parseYaml } from './yaml.ts';
import type { YamlNode } from './yaml.ts';
import { yamlFields, yamlInteger, yamlList, yamlParsed } from './yaml-reader.ts';

/** What an ECU runs. */
export interface InstalledEcu {
  readonly id: Name;
  readonly version: Name;
  readonly type: Name | undefined;
  readonly releaseCounter: Version | undefined;
}

/** Decodes a list of installed versions. @throws YAML_MALFORMED, YAML_FIELD_UNKNOWN, INSTALLED_MALFORMED */
export function decodeInstalled(bytes: Uint8Array, name: string): readonly InstalledEcu[] {
  const fields = yamlFields(parseYaml(bytes, { name, code: 'INSTALLED_MALFORMED' }), ['ecus']);
  const ecus = yamlList(fields.need('ecus'), { min: 0, max: OTAP_LIMITS.ecus }).map(decodeEcu);
  const ids = new Set(ecus.map(({ id }) => id));
  if (ids.size !== ecus.length) throw failure('INSTALLED_MALFORMED', `${name}: an ECU stands twice`);
  return ecus;
}

function decodeEcu(node: YamlNode): InstalledEcu {
  const fields = yamlFields(node, ['id', 'version', 'type', 'release_counter']);
  const [type, counter] = [fields.get('type'), fields.get('release_counter')];
  return {
    id: nameOf(fields.need('id')),
    version: nameOf(fields.need('version')),
    type: type === undefined ? undefined : nameOf(type),
    releaseCounter: counter === undefined ? undefined : parseVersion(yamlInteger(counter), 'release_counter'),
  };
}

function nameOf(node: YamlNode): Name {
  return yamlParsed(node, (text) => parseName(text));
}
