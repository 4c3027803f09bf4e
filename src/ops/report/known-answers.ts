/**
 * Known answers: every algorithm, by both engines, must give on this machine what it gave where it passed its published
 * vectors (the tests of `crypto/` run those; the digests here are of results for one fixed seed).
 */
import { concatBytes, equalBytes, toHex, utf8 } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import type { EngineName } from '../../core/ports.ts';
import { aes256Gcm } from '../../crypto/aead.ts';
import { ENGINES } from '../../crypto/engine.ts';
import { sha256 } from '../../crypto/hash.ts';
import { KEMS } from '../../crypto/kems/index.ts';
import type { KemAlgorithm } from '../../crypto/kems/algorithm.ts';
import { SIGNATURES } from '../../crypto/signatures/index.ts';
import type { SignatureAlgorithm } from '../../crypto/signatures/index.ts';

const MESSAGE = utf8('secureev known answer');

/** SHA-256 of a signature algorithm's public key and deterministic signature, or a KEM's public key, ciphertext and secret. */
const KNOWN: Readonly<Record<string, string>> = {
  'ecdsa-p256': 'e4e301cd5cc4a3c4888a81fbf9d5885a61bbf94c51cd2d76e5aed4b7423be1d0',
  ed25519: '1b2c200902b9acc6dbf9dfc78e625a17eaf982ad7aee95b647e65865547eb392',
  'ml-dsa-44': 'a0e8cf05fdb747149c891560c00e01f90cbdae893100662ed27890462d4bef08',
  'ml-dsa-65': '8114c3fb3f56fdfcd77dce23862533a63aa05cac69231558188244875d074db2',
  'ml-dsa-87': 'b1b40ca1a3b34cd2decb420bff1b5c3492c0be1c8930a71b29184900f5140dfa',
  'MLKEM768-X25519': 'e29b4ed99b361a222377ce4d60c77e3511fc858c273a5f883be0d868135fea7f',
  'MLKEM768-P256': '0a32ed9629d1fbd2354e189697c9ae28f172b5e31295df2ec3ab8aa84a29fa15',
  'MLKEM1024-P384': 'f33a78acbc0d9a8bbde400cc214b12ba48fd6f753e73c48ffcb09a3acd0cda46',
  'DHKEM-P256': '5b8b7c969a40e287c9bd235838a2e2bc573f2b107bb9d3c9f6a7dcd6cee739b3',
  'DHKEM-X25519': '30914168bd6797c9812b33a8b808e43cd9e0ac65307d8808a0cb8739a51fc033',
  'ML-KEM-512': 'aacb6553df26fdcb62f5c0cc4469db02075b22b5552bc211b14fcb54fde43079',
  'ML-KEM-768': 'ad596ae29741d0e589f80420a4f6702ad123ea92448700d53e46328df9dc56ae',
  'ML-KEM-1024': '86cd29de5f1b8abbce6c4c38650c239b25f725c5a12f21761d448a8672dc5298',
};

/** Runs every algorithm with one fixed seed by both engines; gives the names of what was run. @throws KNOWN_ANSWER_WRONG */
export function checkKnownAnswers(): readonly string[] {
  for (const engine of ENGINES) checkSymmetric(engine);
  const signatures = SIGNATURES.filter(({ secretBytes }) => secretBytes > 0);
  for (const algorithm of signatures) expectKnown(algorithm.id, signatureAnswer(algorithm));
  for (const kem of KEMS) expectKnown(kem.id, kemAnswer(kem));
  return ['sha-256', 'aes-256-gcm', ...signatures.map(({ id }) => id), ...KEMS.map(({ id }) => id)];
}

/** FIPS 180-4's "abc", and AES-256-GCM test case 14 of the GCM specification. */
function checkSymmetric(engine: EngineName): void {
  const abc = toHex(sha256(engine, utf8('abc')));
  expectEqual('sha-256', abc, 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  const sealed = aes256Gcm(engine, new Uint8Array(32)).seal(new Uint8Array(12), new Uint8Array(16));
  expectEqual('aes-256-gcm', toHex(sealed), 'cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919');
}

/** The digest of what noble makes; both engines must agree to it, and to nothing else. */
function signatureAnswer(algorithm: SignatureAlgorithm): string {
  const { secret, publicKey } = algorithm.keygen('noble', counting(32));
  const signature = algorithm.sign({ engine: 'noble', secret, message: MESSAGE });
  const wrong = Uint8Array.from(signature, (byte, i) => (i === signature.length - 1 ? byte ^ 1 : byte));
  for (const engine of ENGINES) {
    expectEqual(algorithm.id, toHex(algorithm.publicKeyOf(engine, secret)), toHex(publicKey));
    algorithm.verify({ engine, publicKey, message: MESSAGE, signature });
    expectRefused(algorithm.id, () => algorithm.verify({ engine, publicKey, message: MESSAGE, signature: wrong }));
  }
  return digest(publicKey, signature);
}

function kemAnswer(kem: KemAlgorithm): string {
  const { secret, publicKey } = kem.keygen('noble', counting(kem.seedBytes));
  const randomness = counting(kem.randomnessBytes);
  const { encapsulated, sharedSecret } = kem.encapsulate({ engine: 'noble', publicKey, randomness });
  for (const engine of ENGINES) {
    expectEqual(kem.id, toHex(kem.publicKeyOf(engine, secret)), toHex(publicKey));
    const opened = kem.decapsulate({ engine, secret, encapsulated });
    if (!equalBytes(opened, sharedSecret)) throw wrongAnswer(kem.id);
  }
  return digest(publicKey, encapsulated, sharedSecret);
}

function counting(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i);
}

function digest(...parts: readonly Uint8Array[]): string {
  return toHex(sha256('noble', concatBytes(...parts)));
}

function expectKnown(id: string, answer: string): void {
  expectEqual(id, answer, KNOWN[id] ?? 'an answer that is not listed');
}

function expectEqual(id: string, answer: string, known: string): void {
  if (answer !== known) throw wrongAnswer(id);
}

function expectRefused(id: string, verify: () => void): void {
  let refused = false;
  try {
    verify();
  } catch {
    refused = true;
  }
  if (!refused) throw wrongAnswer(id);
}

function wrongAnswer(id: string): Error {
  return failure('KNOWN_ANSWER_WRONG', `${id} does not give its known answer on this machine`, { algorithm: id });
}
