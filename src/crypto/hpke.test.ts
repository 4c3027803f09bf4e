import * as oracle from 'hpke';
import { describe, expect, test } from 'vitest';
import { toHex, utf8 } from '../core/bytes.ts';
import { codeOf, cryptoVectors, hex } from '../testing/crypto-vectors.ts';
import { ENGINES } from './engine.ts';
import { hpkeOpen, hpkeSeal } from './hpke.ts';
import { kemOfHpkeId, type KemId, KEMS } from './kems/index.ts';

interface HpkeCase {
  readonly kem_id: number;
  readonly info: string;
  readonly ikmE: string;
  readonly skRm: string;
  readonly pkRm: string;
  readonly enc: string;
  readonly aad: string;
  readonly pt: string;
  readonly ct: string;
}

const ORACLE: Record<KemId, oracle.KEMFactory> = {
  'MLKEM768-X25519': oracle.KEM_MLKEM768_X25519,
  'MLKEM768-P256': oracle.KEM_MLKEM768_P256,
  'MLKEM1024-P384': oracle.KEM_MLKEM1024_P384,
  'DHKEM-P256': oracle.KEM_DHKEM_P256_HKDF_SHA256,
  'DHKEM-X25519': oracle.KEM_DHKEM_X25519_HKDF_SHA256,
  'ML-KEM-512': oracle.KEM_ML_KEM_512,
  'ML-KEM-768': oracle.KEM_ML_KEM_768,
  'ML-KEM-1024': oracle.KEM_ML_KEM_1024,
};

test.each(cryptoVectors<HpkeCase>('rfc9180-hpke').cases)(
  'seals and opens RFC 9180 base mode, KEM $kem_id',
  (vector) => {
    const kem = kemOfHpkeId(vector.kem_id);
    const context = { kem, info: hex(vector.info), aad: hex(vector.aad) };
    for (const engine of ENGINES) {
      const plaintext = hex(vector.pt);
      const sealed = hpkeSeal({
        ...context,
        engine,
        plaintext,
        recipient: hex(vector.pkRm),
        randomness: hex(vector.ikmE),
      });
      expect([toHex(sealed.encapsulated), toHex(sealed.ciphertext)]).toEqual([vector.enc, vector.ct]);
      expect(hpkeOpen({ ...context, ...sealed, engine, secret: hex(vector.skRm) })).toEqual(plaintext);
    }
  },
);

describe.each(KEMS)('HPKE with $id', (kem) => {
  const suite = new oracle.CipherSuite(ORACLE[kem.id], oracle.KDF_HKDF_SHA256, oracle.AEAD_AES_256_GCM);
  const keys = kem.keygen('noble', new Uint8Array(kem.seedBytes).fill(2));
  const randomness = new Uint8Array(kem.randomnessBytes).fill(9);
  const [info, aad, plaintext] = [utf8('what it is for'), utf8('beside it'), new Uint8Array(32).fill(0xcc)];

  test.each(ENGINES)('%s seals what the hpke package opens, and opens what it seals', async (engine) => {
    const request = { kem, engine, info, aad };
    const ours = hpkeSeal({ ...request, recipient: keys.publicKey, plaintext, randomness });
    const theirSecret = await suite.DeserializePrivateKey(keys.secret, true);
    expect(await suite.Open(theirSecret, ours.encapsulated, ours.ciphertext, { info, aad })).toEqual(plaintext);
    const theirKey = await suite.DeserializePublicKey(keys.publicKey);
    const theirs = await suite.Seal(theirKey, plaintext, { info, aad });
    const { encapsulatedSecret: encapsulated, ciphertext } = theirs;
    expect(hpkeOpen({ ...request, secret: keys.secret, encapsulated, ciphertext })).toEqual(plaintext);
  });

  test.each(ENGINES)('%s refuses another info, aad, recipient, ciphertext or encapsulated secret', (engine) => {
    const request = { kem, engine, info, aad };
    const sealed = hpkeSeal({ ...request, recipient: keys.publicKey, plaintext, randomness });
    const changed = (bytes: Uint8Array) => bytes.map((byte, i) => (i === 5 ? byte ^ 1 : byte));
    const good = { ...request, ...sealed, secret: keys.secret };
    const stranger = kem.keygen('noble', new Uint8Array(kem.seedBytes).fill(3)).secret;
    expect(hpkeOpen(good)).toEqual(plaintext);
    for (const wrong of [
      { info: changed(info) },
      { aad: changed(aad) },
      { secret: stranger },
      { ciphertext: changed(sealed.ciphertext) },
      { ciphertext: sealed.ciphertext.subarray(1) },
      { ciphertext: new Uint8Array(0) },
      { encapsulated: changed(sealed.encapsulated) },
      { encapsulated: sealed.encapsulated.subarray(1) },
    ]) {
      expect(codeOf(() => hpkeOpen({ ...good, ...wrong }))).toBe('DECRYPT_FAILED');
    }
  });
});
