/** Base64 with padding (RFC 4648 section 4), read strictly: no other character, exact padding, no stray bits. */
import { failure } from './errors.ts';

const FORM = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$/;
/** Characters that one call takes as arguments. */
const STEP = 8192;

/** Base64 of `bytes`. */
export function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += STEP) binary += String.fromCharCode(...bytes.subarray(at, at + STEP));
  return btoa(binary);
}

/** The bytes of base64. @throws VALUE_MALFORMED */
export function fromBase64(text: string, what = 'base64'): Uint8Array<ArrayBuffer> {
  if (!FORM.test(text)) throw failure('VALUE_MALFORMED', `${what} is not base64 with exact padding`);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}
