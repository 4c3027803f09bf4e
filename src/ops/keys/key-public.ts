/** The public half of any signer or recipient, as a `.pub` file. */
import { utf8 } from '../../core/bytes.ts';
import type { Io } from '../../core/ports.ts';
import type { KeyPurpose } from '../../formats/keys/algorithms.ts';
import { publicHalf } from '../../formats/keys/key-file.ts';
import { parseHolder } from '../../formats/keys/key-text.ts';
import { encodePublicFile } from '../../formats/keys/public-file.ts';
import type { PublicIdentity } from '../../formats/keys/public-file.ts';
import { resolveAddress } from '../../signers/address.ts';
import { openSigner } from '../../signers/index.ts';
import type { PassphraseChoice } from '../../signers/index.ts';
import { settled } from '../../signers/passphrase.ts';
import { openPrivateFile } from '../../signers/private-file.ts';
import { identityFacts } from './key-facts.ts';
import type { IdentityFacts } from './key-facts.ts';
import { forget } from './new-keys.ts';

/** Whose public half. */
export interface KeyPublicInput {
  readonly signer: string;
  /** Replaces what the key file says. */
  readonly holder?: string | undefined;
  /** What a P-256 key of another tool is for; signing by default. */
  readonly purpose?: KeyPurpose | undefined;
  /** Where to write it; not at all where undefined. */
  readonly out?: string | undefined;
  readonly passphrases: PassphraseChoice;
}

/** The public half, and as which text it is written. */
export interface KeyPublicAnswer extends IdentityFacts {
  readonly text: string;
  readonly publicFile: string | undefined;
}

/** Works out the public half. @throws SIGNER_*, PASSPHRASE_*, KEY_FILE_*, FILE_EXISTS */
export async function publicOf(input: KeyPublicInput, io: Io): Promise<KeyPublicAnswer> {
  const holder = input.holder === undefined ? {} : { holder: parseHolder(input.holder) };
  const identity = { ...(await identityOf(input, io)), ...holder };
  const text = encodePublicFile(identity);
  if (input.out !== undefined) await io.files.write(input.out, utf8(text));
  return { text, publicFile: input.out, ...identityFacts(identity) };
}

async function identityOf(input: KeyPublicInput, io: Io): Promise<PublicIdentity> {
  const setting = settled({ io, passphrases: input.passphrases });
  const [part, ...more] = await resolveAddress(input.signer, io.files);
  if (part?.scheme === 'file' && more.length === 0) {
    const purpose = input.purpose === undefined ? {} : { purpose: input.purpose };
    const { identity } = await openPrivateFile(part.text, { ...setting, ...purpose });
    forget(identity);
    return publicHalf(identity);
  }
  using signer = await openSigner(input.signer, { ...setting, rehearsal: true });
  return { keys: signer.keys.map(({ publicKey }) => publicKey), purpose: 'signing', created: io.clock.now() };
}
