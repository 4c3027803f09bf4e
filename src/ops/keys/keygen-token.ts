/**
 * Makes a key on a PKCS#11 token, where it stays: `NAME.signer` (how to reach it) and `NAME.pub`.
 *
 * A hybrid pair on a token without ML-DSA is joined: `--signer 'pkcs11:...+file:'` keeps the ML-DSA half in `NAME.key`.
 */
import { utf8 } from '../../core/bytes.ts';
import { SecureevError, failure, isFailure } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import { signatureAlgorithm } from '../../crypto/signatures/index.ts';
import type { SignatureId } from '../../crypto/signatures/index.ts';
import { parseHolder } from '../../formats/keys/key-text.ts';
import { encodePublicFile } from '../../formats/keys/public-file.ts';
import type { PublicKey } from '../../formats/keys/public-key.ts';
import { newPassphrase, passphraseSource } from '../../signers/passphrase.ts';
import type { PassphraseChoice } from '../../signers/signer.ts';
import { PKCS11_ALGORITHMS } from '../../signers/pkcs11/mechanisms.ts';
import { openTokenSession, tokenPublicKey } from '../../signers/pkcs11/signer.ts';
import type { TokenSession } from '../../signers/pkcs11/token.ts';
import { parsePkcs11Uri, publicPkcs11Uri } from '../../signers/pkcs11/uri.ts';
import type { Pkcs11Uri } from '../../signers/pkcs11/uri.ts';
import { identityFacts } from './key-facts.ts';
import type { IdentityFacts } from './key-facts.ts';
import { forget, keyFileBytes, newIdentity } from './new-keys.ts';
import { tokenScheme } from './schemes.ts';

/** What to make where. */
export interface TokenKeygenInput {
  readonly name: string;
  /** `pkcs11:...`, or `pkcs11:...+file:` for a hybrid pair whose ML-DSA half is a key file. */
  readonly signer: string;
  readonly scheme?: string | undefined;
  readonly holder?: string | undefined;
  readonly folder: string;
  readonly passphrases: PassphraseChoice;
}

/** What was made. */
export interface TokenKeygenAnswer extends IdentityFacts {
  readonly scheme: string;
  readonly signerFile: string;
  readonly publicFile: string;
  /** The ML-DSA half, where it is not on the token. */
  readonly keyFile: string | undefined;
  /** `token LABEL (serial SERIAL)`. */
  readonly token: string;
}

const FILE_HALF = '+file:';
const ID_BYTES = 16;
const PRIVATE_MODE = 0o600;

/** Makes the key. @throws USAGE, FILE_EXISTS, SIGNER_*, PASSPHRASE_* */
export async function generateTokenKey(input: TokenKeygenInput, io: Io): Promise<TokenKeygenAnswer> {
  const joined = input.signer.endsWith(FILE_HALF);
  const address = joined ? input.signer.slice(0, -FILE_HALF.length) : input.signer;
  const uri = parsePkcs11Uri(address, io.environment.get('SECUREEV_PKCS11_MODULE'));
  const scheme = tokenScheme(input.scheme);
  if (joined && scheme.algorithms.length < 2)
    throw failure('USAGE', `scheme ${scheme.id} has no second half for a file`);
  const files = await freeNames(input, { io, joined });
  const holder = input.holder === undefined ? undefined : parseHolder(input.holder);
  const label = uri.object ?? input.name;
  using session = await openTokenSession(uri, { io, passphrases: passphraseSource(io, input.passphrases) });
  const onToken = joined ? scheme.algorithms.slice(0, 1) : scheme.algorithms;
  requireMechanisms(session, onToken);
  const half = joined ? await makeFileHalf({ input, scheme, holder, path: files.keyFile }, io) : undefined;
  const made = onToken.map((id) =>
    makeOnToken({ io, session, id, label: onToken.length > 1 ? `${label} ${id}` : label }),
  );
  const identity = {
    keys: [...made.map(({ key }) => key), ...(half === undefined ? [] : [half])],
    purpose: 'signing' as const,
    holder,
    created: io.clock.now(),
  };
  const exact = { ...uri, token: session.token.label, serial: session.token.serial };
  const parts = made.map(({ id }) => addressOf(exact, id));
  const line = [...parts, ...(joined ? [`file:${baseName(files.keyFile)}`] : [])].join('+');
  await io.files.write(files.signerFile, utf8(`${line}\n`));
  await io.files.write(files.publicFile, utf8(encodePublicFile(identity)));
  const token = `token ${session.token.label} (serial ${session.token.serial})`;
  const { signerFile, publicFile } = files;
  const keyFile = joined ? files.keyFile : undefined;
  return { scheme: scheme.id, signerFile, publicFile, keyFile, token, ...identityFacts(identity) };
}

interface Names {
  readonly signerFile: string;
  readonly publicFile: string;
  readonly keyFile: string;
}

async function freeNames(input: TokenKeygenInput, { io, joined }: { io: Io; joined: boolean }): Promise<Names> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(input.name)) throw failure('USAGE', 'not a name for key files');
  const base = `${input.folder.replace(/\/+$/, '') || '.'}/${input.name}`.replace(/^\.\//, '');
  const names = { signerFile: `${base}.signer`, publicFile: `${base}.pub`, keyFile: `${base}.key` };
  for (const path of joined ? Object.values(names) : [names.signerFile, names.publicFile]) {
    if ((await io.files.status(path)) === undefined) continue;
    throw failure('FILE_EXISTS', `${path} is there already, and key files are never overwritten`, { path });
  }
  return names;
}

/** Before anything is made: a token that cannot do one half makes neither. */
function requireMechanisms(session: TokenSession, ids: readonly string[]): void {
  for (const id of ids) {
    try {
      session.requireAlgorithm(algorithmOf(id));
    } catch (thrown) {
      if (!isFailure(thrown, 'SIGNER_MECHANISM_MISSING') || !id.startsWith('ml-dsa')) throw thrown;
      throw new SecureevError('SIGNER_MECHANISM_MISSING', {
        message: thrown.message,
        hint: "keep the ML-DSA half in a key file: --signer 'pkcs11:...+file:'",
      });
    }
  }
}

interface MadeKey {
  readonly key: PublicKey;
  readonly id: Uint8Array;
}

function makeOnToken(at: { io: Io; session: TokenSession; id: string; label: string }): MadeKey {
  const id = at.io.random.bytes(ID_BYTES);
  return { id, key: tokenPublicKey(at.session.generate(algorithmOf(at.id), { label: at.label, id })) };
}

function algorithmOf(id: string): (typeof PKCS11_ALGORITHMS)[number] {
  const found = PKCS11_ALGORITHMS.find((algorithm) => algorithm.id === id);
  if (found === undefined) throw failure('USAGE', `keys of ${id} are not made on tokens`);
  return found;
}

interface FileHalf {
  readonly input: TokenKeygenInput;
  readonly scheme: { readonly algorithms: readonly string[] };
  readonly holder: string | undefined;
  readonly path: string;
}

async function makeFileHalf({ input, scheme, holder, path }: FileHalf, io: Io): Promise<PublicKey> {
  const [, second = ''] = scheme.algorithms;
  const algorithm: SignatureId = signatureAlgorithm(second).id;
  const passphrase = await newPassphrase(io, input.passphrases, path);
  const single = { id: algorithm, purpose: 'signing', algorithms: [algorithm] } as const;
  const identity = newIdentity(single, io, { holder, created: io.clock.now() });
  try {
    await io.files.write(path, await keyFileBytes(identity, passphrase, io), { mode: PRIVATE_MODE });
    const [key] = identity.keys;
    if (key === undefined) throw failure('INTERNAL', 'a scheme without keys');
    return key.publicKey;
  } finally {
    forget(identity);
  }
}

/** How to reach one key again: the token by label and serial, the key by its id, the module where it was named. */
function addressOf(uri: Pkcs11Uri, id: Uint8Array): string {
  const query = [
    `module-path=${uri.modulePath}`,
    ...(uri.pinSource === undefined ? [] : [`pin-source=file:${uri.pinSource}`]),
  ];
  return `${publicPkcs11Uri({ ...uri, object: undefined, id })}?${query.join('&')}`;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
