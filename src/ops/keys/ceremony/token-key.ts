/** Makes a key on a custodian's token; it never leaves it. */
import { utf8 } from '../../../core/bytes.ts';
import { failure, isFailure } from '../../../core/errors.ts';
import { sha256 } from '../../../crypto/hash.ts';
import type { KeyAlgorithm } from '../../../formats/keys/algorithms.ts';
import type { PublicKey } from '../../../formats/keys/public-key.ts';
import type { CustodianStep } from '../../../plan/ceremony/steps.ts';
import { PKCS11_ALGORITHMS } from '../../../signers/pkcs11/mechanisms.ts';
import { openTokenSession, tokenPublicKey } from '../../../signers/pkcs11/signer.ts';
import type { TokenKey, TokenSession } from '../../../signers/pkcs11/token.ts';
import { parsePkcs11Uri } from '../../../signers/pkcs11/uri.ts';
import type { Ceremony } from './ceremony.ts';
import { isPending, notePending } from './folder.ts';
import { custodianPassphrases } from './unlock.ts';

/** A key on a token. */
export interface TokenKeyMade {
  readonly publicKey: PublicKey;
  /** Its address, for the `.signer` file. */
  readonly address: string;
  /** Which token, in words. */
  readonly description: string;
}

const ID_BYTES = 16;

/** Makes the key. @throws SIGNER_*, SIGNER_KEY_EXISTS where a key of that name is there that this step did not begin */
export async function makeTokenKey(
  ceremony: Ceremony,
  step: CustodianStep,
  key: { readonly algorithm: KeyAlgorithm; readonly label: string },
): Promise<TokenKeyMade> {
  const { io } = ceremony;
  const { custodian } = step;
  const address = withObject(custodian.signer, key.label);
  const uri = parsePkcs11Uri(address, io.environment.get('SECUREEV_PKCS11_MODULE'));
  const passphrases = custodianPassphrases(ceremony, custodian);
  using session = await openTokenSession(uri, { io, passphrases });
  const made = await generateOrFind(ceremony, { session, step, ...key });
  const { label, serial } = session.token;
  return { publicKey: tokenPublicKey(made), address, description: `token ${label} (serial ${serial})` };
}

interface Making {
  readonly session: TokenSession;
  readonly step: CustodianStep;
  readonly algorithm: KeyAlgorithm;
  readonly label: string;
}

/** A key that a killed run of this very step made on the token is taken; any other one is refused. */
async function generateOrFind({ io, folder }: Ceremony, making: Making): Promise<TokenKey> {
  const { session, step, label } = making;
  const algorithm = PKCS11_ALGORITHMS.find(({ id }) => id === making.algorithm);
  if (algorithm === undefined) throw failure('SIGNER_MECHANISM_MISSING', `tokens make no ${making.algorithm} keys`);
  const pending = { step: step.id, path: `token:${session.token.serial}:${label}` };
  const began = await isPending(io.files, folder, pending);
  await notePending(io.files, folder, pending);
  try {
    return session.generate(algorithm, { label, id: sha256(io.engine, utf8(label)).slice(0, ID_BYTES) });
  } catch (thrown) {
    if (began && isFailure(thrown, 'SIGNER_KEY_EXISTS')) return session.findKey();
    throw thrown;
  }
}

/** The plan's address names the token; the key's label is ours. */
function withObject(signer: string, label: string): string {
  const [path = '', query] = signer.split('?');
  const attributes = path
    .slice('pkcs11:'.length)
    .split(';')
    .filter((one) => one !== '' && !/^(?:object|id|type)=/.test(one));
  const whole = `pkcs11:${[...attributes, `object=${encodeURIComponent(label)}`].join(';')}`;
  return query === undefined ? whole : `${whole}?${query}`;
}
