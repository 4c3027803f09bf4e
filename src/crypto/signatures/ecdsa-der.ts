/**
 * ECDSA P-256 signatures as TUF and X.509 write them: DER `SEQUENCE { INTEGER r, INTEGER s }`, 8 to 72 bytes.
 *
 * Invariant: decoding accepts exactly the shortest form, so that encode(decode(x)) = x for whatever is accepted.
 *
 * @see RFC 3279 section 2.2.3; X.690 section 8.3 and 10.1
 */
import { concatBytes } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';

const HALF_BYTES = 32;
const SEQUENCE = 0x30;
const INTEGER = 0x02;
const SIGN_BIT = 0x80;

/** DER of a raw signature of exactly 64 bytes (r || s). @throws SIGNATURE_INVALID */
export function ecdsaSignatureToDer(raw: Uint8Array): Uint8Array<ArrayBuffer> {
  if (raw.length !== 2 * HALF_BYTES) throw malformed(`it is 64 bytes raw, not ${raw.length}`);
  const body = concatBytes(encodeInteger(raw.subarray(0, HALF_BYTES)), encodeInteger(raw.subarray(HALF_BYTES)));
  return concatBytes(Uint8Array.of(SEQUENCE, body.length), body);
}

/** The raw 64 bytes (r || s) of a DER signature. @throws SIGNATURE_INVALID for all but the shortest DER */
export function ecdsaSignatureFromDer(der: Uint8Array): Uint8Array<ArrayBuffer> {
  if (der[0] !== SEQUENCE || der[1] !== der.length - 2) throw malformed('it is not one DER sequence');
  const r = integerAt(der, 2);
  const s = integerAt(der, 4 + r.length);
  if (4 + r.length + 2 + s.length !== der.length) throw malformed('bytes follow its two integers');
  return concatBytes(leftPadded(r), leftPadded(s));
}

function encodeInteger(bytes: Uint8Array): Uint8Array {
  const first = bytes.findIndex((byte) => byte !== 0);
  const digits = first === -1 ? bytes.subarray(-1) : bytes.subarray(first);
  const sign = (digits[0] ?? 0) >= SIGN_BIT ? [0] : [];
  return concatBytes(Uint8Array.of(INTEGER, digits.length + sign.length, ...sign), digits);
}

/** The content bytes of the integer at `offset`. */
function integerAt(der: Uint8Array, offset: number): Uint8Array {
  const length = der[offset + 1] ?? 0;
  const content = der.subarray(offset + 2, offset + 2 + length);
  if (der[offset] !== INTEGER || length === 0 || content.length !== length) {
    throw malformed(`there is no integer at byte ${offset}`);
  }
  const [first = 0, second = SIGN_BIT] = content;
  if (first >= SIGN_BIT) throw malformed(`the integer at byte ${offset} is negative`);
  if (first === 0 && length > 1 && second < SIGN_BIT)
    throw malformed(`the integer at byte ${offset} has a needless zero`);
  return content;
}

function leftPadded(content: Uint8Array): Uint8Array {
  const digits = content[0] === 0 ? content.subarray(1) : content;
  if (digits.length > HALF_BYTES) throw malformed(`an integer in it is longer than ${HALF_BYTES} bytes`);
  const half = new Uint8Array(HALF_BYTES);
  half.set(digits, HALF_BYTES - digits.length);
  return half;
}

function malformed(why: string) {
  return failure('SIGNATURE_INVALID', `not an ecdsa-p256 signature: ${why}`);
}
