/**
 * `answers.yaml`: what the people in the room would say, for a rehearsal without a terminal.
 *
 * It holds passphrases, so nothing but a rehearsal takes one. Unknown fields are refused.
 */
import { parseYaml } from './yaml.ts';
import { isYamlMap } from './yaml.ts';
import type { YamlNode } from './yaml.ts';
import { yamlFields, yamlMisfit, yamlText } from './yaml-reader.ts';

/** The answers. */
export interface CeremonyAnswers {
  /** Initials of a custodian -> the passphrase of their key files. */
  readonly passphrases: ReadonlyMap<string, string>;
  /** Initials of a custodian -> the PIN of their token. */
  readonly pins: ReadonlyMap<string, string>;
  /** Rolls of a die for each key, digits from 1 to 6. */
  readonly dice: string;
  /** A folder that stands for the printer: shares go there, and come back from there in the drill. */
  readonly printer: string | undefined;
}

const CODE = 'CEREMONY_ANSWERS_MALFORMED';

/** Decodes the answers; `name` is the file's name for messages. @throws YAML_MALFORMED, YAML_FIELD_UNKNOWN, CEREMONY_ANSWERS_MALFORMED */
export function decodeCeremonyAnswers(bytes: Uint8Array, name: string): CeremonyAnswers {
  const fields = yamlFields(parseYaml(bytes, { name, code: CODE }), ['passphrases', 'pins', 'dice', 'printer']);
  const [dice, printer] = [fields.get('dice'), fields.get('printer')];
  return {
    passphrases: textsByInitials(fields.get('passphrases')),
    pins: textsByInitials(fields.get('pins')),
    dice: dice === undefined ? '' : yamlText(dice),
    printer: printer === undefined ? undefined : yamlText(printer),
  };
}

function textsByInitials(node: YamlNode | undefined): ReadonlyMap<string, string> {
  if (node === undefined) return new Map();
  if (!isYamlMap(node.value)) throw yamlMisfit(node, 'a map from initials to text');
  return new Map([...node.value].map(([initials, text]) => [initials, yamlText(text)]));
}
