/**
 * A session on one token: found by its address, opened once with its PIN, closed when disposed.
 *
 * Invariants: a PIN is tried once; exactly one token and one key fit an address, or it is refused by name; private keys
 * never leave the token; every PKCS#11 error becomes one of our codes.
 */
import type { Handle, PKCS11, Template } from 'pkcs11js';
import { SecureevError, failure } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/errors.ts';
import { P11 } from './constants.ts';
import { PKCS11_ALGORITHMS, privateTemplate, publicTemplate } from './mechanisms.ts';
import type { Pkcs11Algorithm } from './mechanisms.ts';
import type { Pkcs11Uri } from './uri.ts';

/** Which token an address led to, as it calls itself. */
export interface TokenIdentity {
  readonly label: string;
  readonly serial: string;
  readonly manufacturer: string;
  readonly model: string;
}

/** A key on a token. */
export interface TokenKey {
  readonly algorithm: Pkcs11Algorithm;
  readonly privateHandle: Handle;
  /** The values of the algorithm's `publicAttributes`, in order. */
  readonly publicValues: readonly Uint8Array[];
  readonly label: string;
}

/** An open, logged-in session. */
export interface TokenSession extends Disposable {
  readonly token: TokenIdentity;
  /** The one key that fits. @throws SIGNER_KEY_NOT_FOUND, SIGNER_KEY_AMBIGUOUS, SIGNER_MECHANISM_MISSING */
  findKey(): TokenKey;
  /** Demands that the token makes and uses keys of an algorithm. @throws SIGNER_MECHANISM_MISSING */
  requireAlgorithm(algorithm: Pkcs11Algorithm): void;
  /** Makes a key pair that stays on the token. @throws SIGNER_MECHANISM_MISSING, SIGNER_KEY_EXISTS */
  generate(algorithm: Pkcs11Algorithm, key: { label: string; id: Uint8Array }): TokenKey;
  /** Signs `message`. @throws SIGNER_SESSION_LOST, SIGNER_FAILED */
  sign(key: TokenKey, message: Uint8Array): Promise<Uint8Array>;
}

const OBJECTS_MAX = 16;
const SLOTS_MAX = 256;

/** Codes of PKCS#11 that have one of ours; all others are SIGNER_FAILED. */
const CODES: ReadonlyMap<number, ErrorCode> = new Map([
  [P11.CKR_PIN_INCORRECT, 'SIGNER_PIN_WRONG'],
  [P11.CKR_PIN_INVALID, 'SIGNER_PIN_WRONG'],
  [P11.CKR_PIN_LEN_RANGE, 'SIGNER_PIN_WRONG'],
  [P11.CKR_PIN_EXPIRED, 'SIGNER_PIN_LOCKED'],
  [P11.CKR_PIN_LOCKED, 'SIGNER_PIN_LOCKED'],
  [P11.CKR_DEVICE_ERROR, 'SIGNER_SESSION_LOST'],
  [P11.CKR_DEVICE_REMOVED, 'SIGNER_SESSION_LOST'],
  [P11.CKR_SESSION_CLOSED, 'SIGNER_SESSION_LOST'],
  [P11.CKR_SESSION_HANDLE_INVALID, 'SIGNER_SESSION_LOST'],
  [P11.CKR_TOKEN_NOT_PRESENT, 'SIGNER_SESSION_LOST'],
  [P11.CKR_USER_NOT_LOGGED_IN, 'SIGNER_SESSION_LOST'],
] as const);

/** Loads the module of an address. @throws SIGNER_MODULE_MISSING */
export async function loadModule(uri: Pkcs11Uri): Promise<PKCS11> {
  try {
    const { PKCS11 } = (await import('pkcs11js')).default;
    const binding = new PKCS11();
    binding.load(uri.modulePath);
    initialize(binding);
    return binding;
  } catch (cause) {
    const message = `cannot load the PKCS#11 module ${uri.modulePath}: ${reasonOf(cause)}`;
    throw new SecureevError('SIGNER_MODULE_MISSING', {
      message,
      hint: 'check module-path; the binding pkcs11js must have been built when secureev was installed',
      cause,
    });
  }
}

function initialize(binding: PKCS11): void {
  try {
    binding.C_Initialize();
  } catch (error) {
    if (codeOf(error) !== P11.CKR_CRYPTOKI_ALREADY_INITIALIZED) throw error;
  }
}

/** The tokens present that fit an address. */
export function listTokens(binding: PKCS11, uri: Pkcs11Uri): readonly { slot: Handle; token: TokenIdentity }[] {
  return guarded('list the tokens', () =>
    binding
      .C_GetSlotList(true)
      .slice(0, SLOTS_MAX)
      .map((slot) => ({ slot, token: identityOf(binding, slot) }))
      .filter(({ token }) => fits(uri.token, token.label) && fits(uri.serial, token.serial))
      .filter(({ token }) => fits(uri.manufacturer, token.manufacturer) && fits(uri.model, token.model)),
  );
}

function identityOf(binding: PKCS11, slot: Handle): TokenIdentity {
  const info = binding.C_GetTokenInfo(slot);
  const [label, serial] = [info.label.trimEnd(), info.serialNumber.trimEnd()];
  return { label, serial, manufacturer: info.manufacturerID.trimEnd(), model: info.model.trimEnd() };
}

function fits(wanted: string | undefined, found: string): boolean {
  return wanted === undefined || wanted === found;
}

/** Chooses the one token that fits. @throws SIGNER_TOKEN_MISSING, SIGNER_TOKEN_AMBIGUOUS */
export function chooseToken(binding: PKCS11, uri: Pkcs11Uri): { slot: Handle; token: TokenIdentity } {
  const [first, second] = listTokens(binding, uri);
  const wanted = uri.token ?? uri.serial ?? 'any';
  if (first === undefined) throw failure('SIGNER_TOKEN_MISSING', `no token ${JSON.stringify(wanted)} is present`);
  if (second === undefined) return first;
  throw new SecureevError('SIGNER_TOKEN_AMBIGUOUS', {
    message: `two tokens fit: ${first.token.label} (serial ${first.token.serial}), ${second.token.label} (serial ${second.token.serial})`,
    hint: 'add serial=... to the address',
  });
}

/** Logs in to the token at `slot`, with one try. @throws SIGNER_PIN_WRONG, SIGNER_PIN_LOCKED, SIGNER_FAILED */
export function openSession(
  binding: PKCS11,
  at: { slot: Handle; token: TokenIdentity; uri: Pkcs11Uri; pin: string },
): TokenSession {
  const flags = P11.CKF_SERIAL_SESSION + P11.CKF_RW_SESSION;
  const session = guarded('open a session', () => binding.C_OpenSession(at.slot, flags));
  login(binding, session, at);
  const context: Context = { binding, session, at };
  return {
    token: at.token,
    findKey: () => findKey(context),
    requireAlgorithm: (algorithm) => {
      requireMechanism(context, algorithm.generateMechanism, algorithm);
      requireMechanism(context, algorithm.signMechanism, algorithm);
    },
    generate: (algorithm, key) => generate(context, algorithm, key),
    sign: (key, message) => sign(context, key, message),
    [Symbol.dispose]: () => closeQuietly(binding, session),
  };
}

interface Context {
  readonly binding: PKCS11;
  readonly session: Handle;
  readonly at: { readonly slot: Handle; readonly token: TokenIdentity; readonly uri: Pkcs11Uri };
}

function login(binding: PKCS11, session: Handle, at: { token: TokenIdentity; pin: string }): void {
  try {
    guarded(`log in to token ${at.token.label}`, () => binding.C_Login(session, P11.CKU_USER, at.pin));
  } catch (error) {
    const inner = error instanceof Error ? error.cause : undefined;
    if (codeOf(inner) === P11.CKR_USER_ALREADY_LOGGED_IN) return;
    closeQuietly(binding, session);
    throw error;
  }
}

function closeQuietly(binding: PKCS11, session: Handle): void {
  try {
    binding.C_CloseSession(session);
  } catch {
    // a lost session is closed already
  }
}

function findKey(context: Context): TokenKey {
  const { uri, token } = context.at;
  const privateKeys = search(context, [{ type: P11.CKA_CLASS, value: P11.CKO_PRIVATE_KEY }, ...nameOf(uri)]);
  const where = `on token ${token.label}`;
  const [privateHandle] = privateKeys;
  if (privateHandle === undefined) throw failure('SIGNER_KEY_NOT_FOUND', `no private key fits the address ${where}`);
  if (privateKeys.length > 1) {
    throw failure('SIGNER_KEY_AMBIGUOUS', `several private keys fit the address ${where}; add object=... or id=...`);
  }
  return describeKey(context, privateHandle);
}

function nameOf(uri: Pkcs11Uri): Template {
  const label = uri.object === undefined ? [] : [{ type: P11.CKA_LABEL, value: uri.object }];
  const id = uri.id === undefined ? [] : [{ type: P11.CKA_ID, value: Buffer.from(uri.id) }];
  return [...label, ...id];
}

function describeKey(context: Context, privateHandle: Handle): TokenKey {
  const [id, label, keyType] = attributes(context, privateHandle, [P11.CKA_ID, P11.CKA_LABEL, P11.CKA_KEY_TYPE]);
  const type = Buffer.from(keyType ?? []).readUIntLE(0, Math.min(keyType?.length ?? 0, 6));
  const publicKeys = search(context, [
    { type: P11.CKA_CLASS, value: P11.CKO_PUBLIC_KEY },
    { type: P11.CKA_ID, value: Buffer.from(id ?? []) },
    { type: P11.CKA_LABEL, value: Buffer.from(label ?? []) },
  ]);
  const name = Buffer.from(label ?? []).toString('utf8');
  const [publicHandle] = publicKeys;
  if (publicHandle === undefined) {
    throw failure('SIGNER_KEY_NOT_FOUND', `token ${context.at.token.label} has no public key beside the key ${name}`);
  }
  const algorithm = algorithmOf(context, publicHandle, type);
  return {
    algorithm,
    privateHandle,
    publicValues: attributes(context, publicHandle, algorithm.publicAttributes),
    label: name,
  };
}

function algorithmOf(context: Context, publicHandle: Handle, keyType: number): Pkcs11Algorithm {
  const candidates = PKCS11_ALGORITHMS.filter((algorithm) => algorithm.keyType === keyType);
  const found = candidates.find((algorithm) =>
    algorithm.parameters.every(({ type, value }) => {
      const [actual] = attributes(context, publicHandle, [type]);
      return Buffer.isBuffer(value)
        ? value.equals(actual ?? new Uint8Array())
        : Buffer.from(actual ?? []).readUIntLE(0, Math.min(actual?.length ?? 0, 6)) === value;
    }),
  );
  if (found === undefined) {
    throw failure('SIGNER_MECHANISM_MISSING', `the key on token ${context.at.token.label} is of a type not used here`);
  }
  return found;
}

function generate(context: Context, algorithm: Pkcs11Algorithm, key: { label: string; id: Uint8Array }): TokenKey {
  requireMechanism(context, algorithm.generateMechanism, algorithm);
  const taken = search(context, [{ type: P11.CKA_LABEL, value: key.label }]);
  if (taken.length > 0) {
    throw failure('SIGNER_KEY_EXISTS', `token ${context.at.token.label} has a key labelled ${key.label} already`);
  }
  const pair = guarded('make a key on the token', () =>
    context.binding.C_GenerateKeyPair(
      context.session,
      { mechanism: algorithm.generateMechanism },
      publicTemplate(algorithm, key),
      privateTemplate(algorithm, key),
    ),
  );
  return describeKey(context, pair.privateKey);
}

function requireMechanism(context: Context, mechanism: number, algorithm: Pkcs11Algorithm): void {
  const known = guarded('list the mechanisms', () => context.binding.C_GetMechanismList(context.at.slot));
  if (known.includes(mechanism)) return;
  throw new SecureevError('SIGNER_MECHANISM_MISSING', {
    message: `token ${context.at.token.label} does not do ${algorithm.id}`,
    hint: algorithm.id.startsWith('ml-dsa') ? 'join it with a file: pkcs11:...+file:pq.key' : undefined,
  });
}

async function sign(context: Context, key: TokenKey, message: Uint8Array): Promise<Uint8Array> {
  const { binding, session } = context;
  const { algorithm } = key;
  requireMechanism(context, algorithm.signMechanism, algorithm);
  const parameter = algorithm.signParameter === undefined ? {} : { parameter: algorithm.signParameter };
  const output = Buffer.alloc(algorithm.signatureBytesMax);
  try {
    binding.C_SignInit(session, { mechanism: algorithm.signMechanism, ...parameter }, key.privateHandle);
    return Uint8Array.from(await binding.C_SignAsync(session, Buffer.from(algorithm.tokenInput(message)), output));
  } catch (cause) {
    throw tokenError(`sign with key ${key.label} on token ${context.at.token.label}`, cause);
  }
}

function search(context: Context, template: Template): readonly Handle[] {
  const { binding, session } = context;
  return guarded('search the token', () => {
    binding.C_FindObjectsInit(session, template);
    try {
      return binding.C_FindObjects(session, OBJECTS_MAX);
    } finally {
      binding.C_FindObjectsFinal(session);
    }
  });
}

function attributes(context: Context, object: Handle, types: readonly number[]): readonly Uint8Array[] {
  return guarded('read a key on the token', () =>
    context.binding
      .C_GetAttributeValue(
        context.session,
        object,
        types.map((type) => ({ type })),
      )
      .map((attribute) => Uint8Array.from(attribute.value)),
  );
}

function guarded<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw tokenError(what, cause);
  }
}

function tokenError(what: string, cause: unknown): SecureevError {
  if (cause instanceof SecureevError) return cause;
  const code = CODES.get(codeOf(cause) ?? 0) ?? 'SIGNER_FAILED';
  const hint = code === 'SIGNER_PIN_WRONG' ? 'it was tried once; tokens lock after a few wrong PINs' : undefined;
  return new SecureevError(code, { message: `cannot ${what}: ${reasonOf(cause)}`, hint, cause });
}

function codeOf(error: unknown): number | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : undefined;
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message.slice(0, 200) : 'unknown error';
}
