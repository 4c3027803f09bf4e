/**
 * Typed readers of strict YAML: each error names file, line, column and field.
 *
 * Invariant: a map is read whole; a field that is not known is refused.
 */
import { failure } from '../core/errors.ts';
import type { SecureevError } from '../core/errors.ts';
import { quote } from '../core/brands.ts';
import { isYamlList, isYamlMap } from './yaml.ts';
import type { YamlNode } from './yaml.ts';

/** Plain data of free-form fields. */
export type YamlData = string | null | readonly YamlData[] | { readonly [name: string]: YamlData };

/** The error for a value that is not what belongs there. */
export function yamlMisfit(node: YamlNode, expected: string): SecureevError {
  const what = node.path === '' ? 'the document' : node.path;
  return failure(node.code, `${node.place}: ${what} is not ${expected}`, { place: node.place, path: node.path });
}

/** The fields of a map. */
export interface YamlFields {
  readonly node: YamlNode;
  /** The value of an optional field. */
  get(name: string): YamlNode | undefined;
  /** The value of a field that must be there. @throws the node's code */
  need(name: string): YamlNode;
}

/** Reads a map that has no field outside `known`. @throws YAML_FIELD_UNKNOWN, the node's code */
export function yamlFields(node: YamlNode, known: readonly string[]): YamlFields {
  const { value } = node;
  if (!isYamlMap(value)) throw yamlMisfit(node, 'a map');
  for (const [name, field] of value) {
    if (known.includes(name)) continue;
    const message = `${field.place}: unknown field ${quote(name)}; known are ${known.join(', ')}`;
    throw failure('YAML_FIELD_UNKNOWN', message, { place: field.place, path: field.path });
  }
  const fields = value;
  function need(name: string): YamlNode {
    const field = fields.get(name);
    if (field === undefined) throw failure(node.code, `${node.place}: ${inside(node)}${name} is missing`);
    return field;
  }
  return { node, need, get: (name) => fields.get(name) };
}

function inside(node: YamlNode): string {
  return node.path === '' ? '' : `${node.path}.`;
}

/** Reads a list of `min` to `max` values. @throws the node's code */
export function yamlList(node: YamlNode, range: { min: number; max: number }): readonly YamlNode[] {
  const { value } = node;
  if (!isYamlList(value) || value.length < range.min || value.length > range.max) {
    throw yamlMisfit(node, `a list of ${range.min} to ${range.max} values`);
  }
  return value;
}

/** Reads text that is not empty. @throws the node's code */
export function yamlText(node: YamlNode): string {
  if (typeof node.value !== 'string' || node.value === '') throw yamlMisfit(node, 'text');
  return node.value;
}

/** Reads text through a parse function of `core/brands`. @throws the node's code */
export function yamlParsed<T>(node: YamlNode, parse: (text: string) => T): T {
  const text = yamlText(node);
  try {
    return parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw failure(node.code, `${node.place}: ${node.path}: ${reason}`, { place: node.place, path: node.path });
  }
}

/** Reads a decimal integer from 1 to 2^53-1. @throws the node's code */
export function yamlInteger(node: YamlNode): number {
  const number = typeof node.value === 'string' && /^[1-9][0-9]{0,15}$/.test(node.value) ? Number(node.value) : 0;
  if (!Number.isSafeInteger(number) || number < 1) throw yamlMisfit(node, 'an integer from 1 to 2^53-1');
  return number;
}

/** Reads `true` or `false`. @throws the node's code */
export function yamlBoolean(node: YamlNode): boolean {
  if (node.value !== 'true' && node.value !== 'false') throw yamlMisfit(node, 'true or false');
  return node.value === 'true';
}

/** Reads a path below the folder of the file: relative, no `..`, no backslash. @throws YAML_PATH_REFUSED */
export function yamlRelativePath(node: YamlNode): string {
  const path = yamlText(node);
  const segments = path.split('/');
  const plain = !/[\\\p{Cc}]|^\/|^[A-Za-z]:/u.test(path);
  if (!plain || segments.some((segment) => segment === '..' || segment === '') || path.length > 1024) {
    const message = `${node.place}: ${node.path} is not a path below this file's folder: ${quote(path)}`;
    throw failure('YAML_PATH_REFUSED', message, { place: node.place, path: node.path });
  }
  return path;
}

/** Takes a free-form value as it is. */
export function yamlData(node: YamlNode): YamlData {
  const { value } = node;
  if (isYamlMap(value)) return Object.fromEntries([...value].map(([name, field]) => [name, yamlData(field)]));
  return isYamlList(value) ? value.map(yamlData) : value;
}
