/** A key on a PKCS#11 token as a signer; its PIN is asked for once, and tried once. */
import { failure } from '../../core/errors.ts';
import { fromUtf8 } from '../../core/bytes.ts';
import type { Io } from '../../core/ports.ts';
import { signatureAlgorithm } from '../../crypto/signatures/index.ts';
import { makePublicKey } from '../../formats/keys/public-key.ts';
import type { PublicKey } from '../../formats/keys/public-key.ts';
import { rsaSpki } from '../../formats/keys/rsa.ts';
import type { Signer, SignerKey, SignerSetting } from '../signer.ts';
import { chooseToken, loadModule, openSession } from './token.ts';
import type { TokenKey, TokenSession } from './token.ts';
import { parsePkcs11Uri, publicPkcs11Uri } from './uri.ts';
import type { Pkcs11Uri } from './uri.ts';

const PIN_FILE_BYTES_MAX = 256;
const OCTET_STRING_TAG = 0x04;

/** Opens the signer of a `pkcs11:` address. @throws SIGNER_*, PASSPHRASE_MISSING */
export async function openPkcs11(text: string, setting: SignerSetting): Promise<Signer> {
  const uri = parsePkcs11Uri(text, setting.io.environment.get('SECUREEV_PKCS11_MODULE'));
  const session = await openTokenSession(uri, setting);
  const key = session.findKey();
  const { label, serial } = session.token;
  return {
    uri: publicPkcs11Uri(uri),
    description: `key ${key.label} on token ${label} (serial ${serial})`,
    keys: [signerKey(setting.io, { session, key })],
    [Symbol.dispose]: () => session[Symbol.dispose](),
  };
}

/** Opens a logged-in session on the token of an address. @throws SIGNER_*, PASSPHRASE_MISSING */
export async function openTokenSession(uri: Pkcs11Uri, setting: SignerSetting): Promise<TokenSession> {
  const binding = await loadModule(uri);
  const chosen = chooseToken(binding, uri);
  const { label, serial } = chosen.token;
  setting.io.progress.note(`using token ${label} (serial ${serial})`);
  const pin =
    uri.pinSource === undefined
      ? await setting.passphrases.next(`token ${label} (serial ${serial}): PIN`)
      : await readPin(setting.io, uri.pinSource);
  return openSession(binding, { ...chosen, uri, pin });
}

async function readPin(io: Io, path: string): Promise<string> {
  const pin = fromUtf8(await io.files.read(path, PIN_FILE_BYTES_MAX), 'the PIN file').replace(/\r?\n$/, '');
  if (pin === '' || pin.includes('\n')) throw failure('PASSPHRASE_MISSING', `${path} is not one line with a PIN`);
  return pin;
}

function signerKey(io: Io, on: { session: TokenSession; key: TokenKey }): SignerKey {
  const publicKey = tokenPublicKey(on.key);
  return {
    publicKey,
    sign: async (message) => {
      const signature = await on.session.sign(on.key, message);
      const algorithm = signatureAlgorithm(publicKey.algorithm);
      algorithm.verify({ engine: io.engine, publicKey: publicKey.bytes, message, signature });
      return signature;
    },
  };
}

/** The public key of a key on a token. @throws KEY_MALFORMED */
export function tokenPublicKey({ algorithm, publicValues }: TokenKey): PublicKey {
  const [first = new Uint8Array(), second = new Uint8Array()] = publicValues;
  if (algorithm.id === 'rsa-pss-sha256') return makePublicKey(algorithm.id, rsaSpki(first, second));
  const { publicKeyBytes, checkPublicKey } = signatureAlgorithm(algorithm.id);
  const raw = unwrapPoint(first, publicKeyBytes);
  checkPublicKey('noble', raw);
  return makePublicKey(algorithm.id, raw);
}

/** EC points stand in a DER OCTET STRING on most tokens and bare on some. @see PKCS#11 3.2 section 6.3.3 */
function unwrapPoint(value: Uint8Array, bytes: number): Uint8Array {
  const wrapped = value.length === bytes + 2 && value[0] === OCTET_STRING_TAG && value[1] === bytes;
  return wrapped ? value.slice(2) : value;
}
