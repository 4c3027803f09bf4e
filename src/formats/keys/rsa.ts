/** RSA public keys made of modulus and exponent, as tokens give them. @see RFC 8017 appendix A.1.1 */
import * as asn1js from 'asn1js';
import { failure } from '../../core/errors.ts';
import { algorithmNode } from './algorithm-identifier.ts';
import { identifierOf } from './spki.ts';

const MODULUS_BYTES = { min: 256, max: 1024 };
const EXPONENT_BYTES_MAX = 8;

/** The SPKI DER of an RSA key of 2048 to 8192 bits; both numbers big-endian and positive. @throws KEY_MALFORMED */
export function rsaSpki(modulus: Uint8Array, exponent: Uint8Array): Uint8Array {
  const [n, e] = [withoutZeros(modulus), withoutZeros(exponent)];
  const fits = n.length >= MODULUS_BYTES.min && n.length <= MODULUS_BYTES.max;
  if (!fits || e.length === 0 || e.length > EXPONENT_BYTES_MAX) {
    throw failure('KEY_MALFORMED', `an RSA key of ${n.length * 8} bits is not used here (2048 to 8192)`);
  }
  const key = new asn1js.Sequence({ value: [positive(n), positive(e)] });
  const bits = new asn1js.BitString({ valueHex: key.toBER(false) });
  const spki = new asn1js.Sequence({ value: [algorithmNode(identifierOf('rsa-pss-sha256')), bits] });
  return new Uint8Array(spki.toBER(false));
}

function withoutZeros(bytes: Uint8Array): Uint8Array {
  const first = bytes.findIndex((byte) => byte !== 0);
  return first < 0 ? new Uint8Array() : bytes.subarray(first);
}

function positive(bytes: Uint8Array): asn1js.Integer {
  const sign = (bytes[0] ?? 0) >= 0x80 ? [0] : [];
  return new asn1js.Integer({ valueHex: Uint8Array.from([...sign, ...bytes]) });
}
