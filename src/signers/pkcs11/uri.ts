/**
 * `pkcs11:` addresses of keys on tokens.
 *
 * Invariants: only attributes we act on are taken; none twice; no PIN in the address itself, where it would show in
 * process lists and logs.
 *
 * @see RFC 7512 sections 2.3 and 2.4
 */
import { failure } from '../../core/errors.ts';
import { quote } from '../../core/brands.ts';

/** What an address says of the token and the key. */
export interface Pkcs11Uri {
  readonly modulePath: string;
  readonly token: string | undefined;
  readonly serial: string | undefined;
  readonly manufacturer: string | undefined;
  readonly model: string | undefined;
  /** The key's label. */
  readonly object: string | undefined;
  /** The key's CKA_ID. */
  readonly id: Uint8Array | undefined;
  /** A file that holds the PIN. */
  readonly pinSource: string | undefined;
}

const PATH_ATTRIBUTES = ['token', 'serial', 'manufacturer', 'model', 'object', 'id', 'type'];
const QUERY_ATTRIBUTES = ['module-path', 'pin-source'];
const URI_CHARS_MAX = 4096;

/**
 * Parses a `pkcs11:` address; the module comes from `module-path` or `defaultModule` (SECUREEV_PKCS11_MODULE).
 *
 * @throws SIGNER_URI_MALFORMED
 */
export function parsePkcs11Uri(text: string, defaultModule: string | undefined): Pkcs11Uri {
  if (!text.startsWith('pkcs11:') || text.length > URI_CHARS_MAX) throw malformed('it does not begin with pkcs11:');
  const [path = '', query = '', ...more] = text.slice('pkcs11:'.length).split('?');
  if (more.length > 0) throw malformed('it has two question marks');
  const attributes = readAttributes(path.split(';'), PATH_ATTRIBUTES);
  const queries = readAttributes(query.split('&'), QUERY_ATTRIBUTES);
  if (!['private', undefined].includes(textOf(attributes, 'type'))) throw malformed('type is not private');
  const modulePath = textOf(queries, 'module-path') ?? defaultModule;
  if (modulePath === undefined || !modulePath.startsWith('/')) {
    throw malformed('no module: add ?module-path=/path/to/module.so or set SECUREEV_PKCS11_MODULE');
  }
  return {
    modulePath,
    token: textOf(attributes, 'token'),
    serial: textOf(attributes, 'serial'),
    manufacturer: textOf(attributes, 'manufacturer'),
    model: textOf(attributes, 'model'),
    object: textOf(attributes, 'object'),
    id: attributes.get('id'),
    pinSource: pinFile(textOf(queries, 'pin-source')),
  };
}

/** The address without anything that leads to the PIN, for messages and records. */
export function publicPkcs11Uri(uri: Pkcs11Uri): string {
  const parts = [
    ['token', uri.token],
    ['serial', uri.serial],
    ['object', uri.object],
  ].flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`]));
  const id =
    uri.id === undefined ? [] : [`id=${[...uri.id].map((b) => `%${b.toString(16).padStart(2, '0')}`).join('')}`];
  return `pkcs11:${[...parts, ...id].join(';')}`;
}

function readAttributes(items: readonly string[], known: readonly string[]): ReadonlyMap<string, Uint8Array> {
  const attributes = new Map<string, Uint8Array>();
  for (const item of items.filter((text) => text !== '')) {
    const [name = '', value, ...more] = item.split('=');
    if (name === 'pin-value') throw malformed('a PIN must not stand in an address; use pin-source=FILE');
    if (!known.includes(name)) throw malformed(`unknown attribute ${quote(name)}; known are ${known.join(', ')}`);
    if (value === undefined || more.length > 0) throw malformed(`attribute ${name} is not of the form name=value`);
    if (attributes.has(name)) throw malformed(`attribute ${name} is there twice`);
    attributes.set(name, percentDecode(value, name));
  }
  return attributes;
}

function percentDecode(value: string, name: string): Uint8Array {
  if (!/^(?:[A-Za-z0-9\-._~:[\]@!$'()*+,=&/ ]|%[0-9A-Fa-f]{2})*$/.test(value)) {
    throw malformed(`attribute ${name} has a character that must be percent-encoded`);
  }
  const bytes = (value.match(/%..|./g) ?? []).map((part) =>
    part.length === 3 ? Number.parseInt(part.slice(1), 16) : part.charCodeAt(0),
  );
  return Uint8Array.from(bytes);
}

function textOf(attributes: ReadonlyMap<string, Uint8Array>, name: string): string | undefined {
  const bytes = attributes.get(name);
  if (bytes === undefined) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw malformed(`attribute ${name} is not UTF-8`);
  }
}

function pinFile(source: string | undefined): string | undefined {
  if (source === undefined) return undefined;
  const path = source.startsWith('file:') ? source.slice('file:'.length).replace(/^\/\/(?=\/)/, '') : source;
  if (!path.startsWith('/')) throw malformed('pin-source is not the absolute path of a file');
  return path;
}

function malformed(reason: string): Error {
  return failure('SIGNER_URI_MALFORMED', `not a usable pkcs11 address: ${reason}`);
}
