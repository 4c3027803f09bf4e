/** Base64 and base64url (RFC 4648 sections 4 and 5), read strictly: no other character, exact or no padding, no stray bits. */
import { failure } from './errors.ts';

const FORM = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$/;
const URL_FORM = /^(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?$/;

/** Base64 of `bytes`, padded. */
export function toBase64(bytes: Uint8Array): string {
  return bufferOf(bytes).toString('base64');
}

/** The bytes of base64. @throws VALUE_MALFORMED */
export function fromBase64(text: string, what = 'base64'): Uint8Array<ArrayBuffer> {
  if (!FORM.test(text)) throw failure('VALUE_MALFORMED', `${what} is not base64 with exact padding`);
  return Uint8Array.from(Buffer.from(text, 'base64'));
}

/** Base64url of `bytes`, without padding. */
export function toBase64Url(bytes: Uint8Array): string {
  return bufferOf(bytes).toString('base64url');
}

/** The bytes of base64url without padding. @throws VALUE_MALFORMED */
export function fromBase64Url(text: string, what = 'base64url'): Uint8Array<ArrayBuffer> {
  if (!URL_FORM.test(text)) throw failure('VALUE_MALFORMED', `${what} is not base64url without padding`);
  return Uint8Array.from(Buffer.from(text, 'base64url'));
}

/** The same memory as Node's own kind of byte string, which knows encodings. */
function bufferOf({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}
