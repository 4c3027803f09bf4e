/**
 * `exec:/path/to/program args`: a program that signs for us, such as the client of a cloud KMS or a company's service.
 *
 * The protocol is EXEC.md: one JSON request on standard input, one JSON answer on standard output, a process each.
 * Invariants: no shell; the program's environment holds no passphrase of ours; time and output are bounded; a signature
 * is verified under the key the program described before it is used.
 */
import { fromBase64, toBase64 } from '../core/base64.ts';
import { quote } from '../core/brands.ts';
import { toHex, utf8 } from '../core/bytes.ts';
import { SecureevError, failure } from '../core/errors.ts';
import type { Io } from '../core/ports.ts';
import { sha256 } from '../crypto/hash.ts';
import { ecdsaSignatureFromDer, isSignatureId, signatureAlgorithm } from '../crypto/signatures/index.ts';
import { jsonMap } from '../formats/json/json.ts';
import type { JsonMap } from '../formats/json/json.ts';
import { parseJson } from '../formats/json/parse.ts';
import { jsonList, jsonMember, jsonParsed, jsonText } from '../formats/json/read.ts';
import type { JsonPlace } from '../formats/json/read.ts';
import { writeJson } from '../formats/json/write.ts';
import { makePublicKey } from '../formats/keys/public-key.ts';
import type { PublicKey } from '../formats/keys/public-key.ts';
import { decodeSpkiPem } from '../formats/keys/spki.ts';
import type { Signer, SignerKey, SignerSetting } from './signer.ts';

/** The version of the protocol. */
const PROTOCOL = 1;
/** How long one answer may take. */
export const EXEC_TIMEOUT_MS = 120_000;
const OUTPUT_BYTES_MAX = 256 * 1024;
const ANSWER_LIMITS = { bytesMax: OUTPUT_BYTES_MAX, depthMax: 6, valuesMax: 100 };
const STDERR_CHARS_SHOWN = 300;
const KEYS_MAX = 2;

interface Program {
  readonly io: Io;
  readonly command: string;
  readonly args: readonly string[];
}

/** Opens the signer of an `exec:` address. @throws SIGNER_URI_MALFORMED, SIGNER_FAILED, SIGNER_ANSWER_MALFORMED */
export async function openExec(uri: string, { io }: SignerSetting): Promise<Signer> {
  const [command = '', ...args] = uri
    .replace(/^exec:/, '')
    .split(' ')
    .filter((word) => word !== '');
  if (!command.startsWith('/')) {
    throw failure('SIGNER_URI_MALFORMED', `an exec address names a program by its absolute path: ${quote(uri)}`);
  }
  const program: Program = { io, command, args };
  const keys = await describe(program);
  return {
    uri,
    description: `program ${command}`,
    keys: keys.map((publicKey) => signerKey(program, publicKey)),
    [Symbol.dispose]: () => undefined,
  };
}

async function describe(program: Program): Promise<readonly PublicKey[]> {
  const answer = await ask(program, jsonMap({ secureev: PROTOCOL, op: 'describe' }));
  const keys = jsonList(jsonMember(answer, 'keys'), KEYS_MAX).map((item) => {
    const raw = jsonParsed(jsonMember(item, 'publicKey'), (text) => decodeSpkiPem(text));
    return makePublicKey(raw.algorithm, raw.bytes);
  });
  if (keys.length === 0) throw failure('SIGNER_ANSWER_MALFORMED', `${program.command} describes no key`);
  return keys;
}

function signerKey(program: Program, publicKey: PublicKey): SignerKey {
  return { publicKey, sign: (message) => sign(program, publicKey, message) };
}

async function sign(program: Program, publicKey: PublicKey, message: Uint8Array): Promise<Uint8Array> {
  const { algorithm, keyId } = publicKey;
  if (!isSignatureId(algorithm)) throw failure('ALGORITHM_UNKNOWN', `${algorithm} does not sign`);
  const request = jsonMap({
    secureev: PROTOCOL,
    op: 'sign',
    keyid: keyId,
    algorithm,
    message: toBase64(message),
    sha256: toHex(sha256(program.io.engine, message)),
  });
  const answer = await ask(program, request);
  const encoded = jsonParsed(jsonMember(answer, 'signature'), (text) => fromBase64(text));
  const signature = algorithm === 'ecdsa-p256' ? ecdsaSignatureFromDer(encoded) : encoded;
  signatureAlgorithm(algorithm).verify({ engine: program.io.engine, publicKey: publicKey.bytes, message, signature });
  return signature;
}

async function ask(program: Program, request: JsonMap): Promise<JsonPlace> {
  const { io, command, args } = program;
  const { status, stdout, stderr } = await io.processes.run({
    command,
    args,
    stdin: writeJson(request),
    timeoutMs: EXEC_TIMEOUT_MS,
    maxOutputBytes: OUTPUT_BYTES_MAX,
  });
  if (status !== 0) {
    throw new SecureevError('SIGNER_FAILED', {
      message: `${command} failed with status ${status} at ${jsonText(placeOf(request, 'op'))}`,
      hint: `it said: ${quote(new TextDecoder().decode(stderr).trim().slice(-STDERR_CHARS_SHOWN))}`,
      details: { status },
    });
  }
  const value = parseJson(trimEnd(stdout), ANSWER_LIMITS);
  return { value, path: 'answer', code: 'SIGNER_ANSWER_MALFORMED' };
}

function placeOf(request: JsonMap, name: string): JsonPlace {
  return { value: request.get(name), path: name, code: 'INTERNAL' };
}

function trimEnd(bytes: Uint8Array): Uint8Array {
  return bytes.length > OUTPUT_BYTES_MAX ? bytes : utf8(new TextDecoder().decode(bytes).trimEnd());
}
