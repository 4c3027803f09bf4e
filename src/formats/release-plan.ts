/**
 * `release.yaml`: what a release is to contain, as a person plans it.
 *
 * Invariants: an ECU or type is named once; a file is below the plan's folder; unknown fields are refused. What is free for
 * later use (purpose, notes, approvals, evidence) is kept as written and recorded with the release.
 */
import { parseName, parseTargetName, parseVersion } from '../core/brands.ts';
import type { Name, TargetName, Version } from '../core/brands.ts';
import { failure } from '../core/errors.ts';
import { OTAP_LIMITS } from './otap/bundle.ts';
import type { Requirement } from './otap/bundle.ts';
import { parseYaml } from './yaml.ts';
import type { YamlNode } from './yaml.ts';
import {
  yamlBoolean,
  yamlData,
  yamlFields,
  yamlInteger,
  yamlList,
  yamlMisfit,
  yamlParsed,
  yamlRelativePath,
} from './yaml-reader.ts';
import type { YamlData, YamlFields } from './yaml-reader.ts';

/** Whom an image is for: all ECUs of a type, or one ECU. */
export interface Selector {
  readonly kind: 'type' | 'ecu';
  readonly name: Name;
}

/** Where an image's bytes are. */
export type ImageSource =
  | { readonly kind: 'file'; /** Relative to the plan's folder. */ readonly path: string }
  | {
      readonly kind: 'target';
      readonly name: TargetName;
      /** Relative to the plan's folder; the repository's own copy of the bytes where it is left out. */
      readonly path: string | undefined;
    };

/** One image of a plan. */
export interface PlannedImage {
  readonly selector: Selector;
  readonly version: Name;
  readonly source: ImageSource;
  /** The target that a delta is to be made against. */
  readonly base: TargetName | undefined;
  readonly requires: readonly Requirement[];
  /** Exactly these versions must not be beside it; the Director sees to that. */
  readonly conflicts: readonly Requirement[];
  readonly releaseCounter: Version | undefined;
  /** Where it stands in the file, for messages. */
  readonly place: string;
}

/** A release as planned. */
export interface ReleasePlan {
  readonly release: Name;
  readonly model: Name;
  /** Whether the clear bytes stay out of everything published; true unless the plan says otherwise. */
  readonly confidential: boolean;
  readonly images: readonly PlannedImage[];
  /** purpose, notes, approvals and evidence, as written. */
  readonly record: Readonly<Record<string, YamlData>>;
}

const RECORD_FIELDS = ['purpose', 'notes', 'approvals', 'evidence'] as const;
const PLAN_FIELDS = ['release', 'model', 'confidential', 'images', ...RECORD_FIELDS];
const IMAGE_FIELDS = ['type', 'ecu', 'version', 'file', 'target', 'base', 'requires', 'conflicts', 'release_counter'];

/**
 * Decodes a release plan; `name` is the file's name for messages.
 *
 * @throws YAML_MALFORMED, YAML_FIELD_UNKNOWN, YAML_PATH_REFUSED, PLAN_MALFORMED
 */
export function decodeReleasePlan(bytes: Uint8Array, name: string): ReleasePlan {
  const fields = yamlFields(parseYaml(bytes, { name, code: 'PLAN_MALFORMED' }), PLAN_FIELDS);
  const confidential = fields.get('confidential');
  const images = yamlList(fields.need('images'), { min: 1, max: OTAP_LIMITS.images }).map(decodeImage);
  requireDistinct(images);
  return {
    release: nameOf(fields.need('release')),
    model: nameOf(fields.need('model')),
    confidential: confidential === undefined || yamlBoolean(confidential),
    images,
    record: recordOf(fields),
  };
}

function decodeImage(node: YamlNode): PlannedImage {
  const fields = yamlFields(node, IMAGE_FIELDS);
  const base = fields.get('base');
  const requires = fields.get('requires');
  const conflicts = fields.get('conflicts');
  const counter = fields.get('release_counter');
  return {
    selector: selectorOf(fields),
    version: nameOf(fields.need('version')),
    source: sourceOf(fields),
    base: base === undefined ? undefined : yamlParsed(base, parseTargetName),
    requires: requires === undefined ? [] : requirementsOf(requires, '>='),
    conflicts: conflicts === undefined ? [] : requirementsOf(conflicts, '='),
    releaseCounter: counter === undefined ? undefined : parseVersion(yamlInteger(counter), 'release_counter'),
    place: node.place,
  };
}

function selectorOf(fields: YamlFields): Selector {
  const [type, ecu] = [fields.get('type'), fields.get('ecu')];
  if (type !== undefined && ecu === undefined) return { kind: 'type', name: nameOf(type) };
  if (ecu !== undefined && type === undefined) return { kind: 'ecu', name: nameOf(ecu) };
  throw yamlMisfit(fields.node, 'for one of type and ecu');
}

function sourceOf(fields: YamlFields): ImageSource {
  const [file, target] = [fields.get('file'), fields.get('target')];
  const path = file === undefined ? undefined : yamlRelativePath(file);
  if (target !== undefined) return { kind: 'target', name: yamlParsed(target, parseTargetName), path };
  if (path !== undefined) return { kind: 'file', path };
  throw yamlMisfit(fields.node, 'taken from a file, a target, or a target whose bytes are in a file');
}

/**
 * A plan as a repository recorded it, from its JSON.
 *
 * @throws VALUE_MALFORMED
 */
export function recordedPlan(recorded: Readonly<Record<string, unknown>>): ReleasePlan {
  const images: readonly unknown[] = Array.isArray(recorded['images']) ? recorded['images'] : [];
  return {
    release: parseName(textIn(recorded, 'release')),
    model: parseName(textIn(recorded, 'model')),
    confidential: recorded['confidential'] !== false,
    images: images.map((image, index) => recordedImage(image, `images[${index}] as recorded`)),
    record: {},
  };
}

function recordedImage(image: unknown, place: string): PlannedImage {
  const source = memberOf(image, 'source');
  const path = memberOf(source, 'path');
  return {
    selector: recordedSelector(memberOf(image, 'selector')),
    version: parseName(textIn(image, 'version')),
    source:
      memberOf(source, 'kind') === 'file'
        ? { kind: 'file', path: String(path) }
        : { kind: 'target', name: parseTargetName(textIn(source, 'name')), path: undefined },
    base: undefined,
    requires: recordedDemands(memberOf(image, 'requires')),
    conflicts: recordedDemands(memberOf(image, 'conflicts')),
    releaseCounter: undefined,
    place,
  };
}

function recordedDemands(list: unknown): readonly Requirement[] {
  const items: readonly unknown[] = Array.isArray(list) ? list : [];
  return items.map((item) => ({ ...recordedSelector(item), version: parseName(textIn(item, 'version')) }));
}

function recordedSelector(value: unknown): Selector {
  return { kind: memberOf(value, 'kind') === 'ecu' ? 'ecu' : 'type', name: parseName(textIn(value, 'name')) };
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function textIn(value: unknown, name: string): string {
  return String(memberOf(value, name));
}

/** Each a map of `ecu` or `type` and `version`, or of an ECU the text `ECU >= VERSION` (conflicts: `ECU = VERSION`). */
function requirementsOf(node: YamlNode, sign: '>=' | '='): readonly Requirement[] {
  return yamlList(node, { min: 1, max: OTAP_LIMITS.requirements }).map((item) => {
    if (typeof item.value === 'string') return yamlParsed(item, (text) => shortRequirement(text, sign));
    const fields = yamlFields(item, ['type', 'ecu', 'version']);
    return { ...selectorOf(fields), version: nameOf(fields.need('version')) };
  });
}

function shortRequirement(text: string, sign: '>=' | '='): Requirement {
  const [ecu = '', found = '', version = '', ...more] = text.trim().split(/ +/);
  if (found === sign && more.length === 0) return { kind: 'ecu', name: parseName(ecu), version: parseName(version) };
  throw failure('VALUE_MALFORMED', `not of the form ECU ${sign} VERSION`);
}

function recordOf(fields: YamlFields): Readonly<Record<string, YamlData>> {
  const present = RECORD_FIELDS.flatMap((name) => {
    const field = fields.get(name);
    return field === undefined ? [] : [[name, yamlData(field)] as const];
  });
  return Object.fromEntries(present);
}

function nameOf(node: YamlNode): Name {
  return yamlParsed(node, (text) => parseName(text));
}

function requireDistinct(images: readonly PlannedImage[]): void {
  const seen = new Set<string>();
  for (const { selector, place } of images) {
    const key = `${selector.kind} ${selector.name}`;
    if (seen.has(key)) throw failure('PLAN_MALFORMED', `${place}: a second image for ${key}`, { place });
    seen.add(key);
  }
}
