/** What a key file says: whose, what for, which ids; without a passphrase as its text claims, with one as it is. */
import { atPath } from '../../core/at-path.ts';
import type { Io } from '../../core/ports.ts';
import { purposeOf, isKeyAlgorithm } from '../../formats/keys/algorithms.ts';
import type { KeyPurpose } from '../../formats/keys/algorithms.ts';
import { decodeKeyFile, publicHalf } from '../../formats/keys/key-file.ts';
import type { KeyFile } from '../../formats/keys/key-file.ts';
import { PEM_BYTES_MAX, decodePem } from '../../formats/keys/pem.ts';
import { decodePublicFile } from '../../formats/keys/public-file.ts';
import { openPrivateFile } from '../../signers/private-file.ts';
import type { PassphraseSource } from '../../signers/index.ts';
import { settled } from '../../signers/passphrase.ts';
import type { PassphraseChoice } from '../../signers/index.ts';
import { identityFacts } from './key-facts.ts';
import type { IdentityFacts } from './key-facts.ts';
import { forget } from './new-keys.ts';

/** Which files to look at. */
export interface KeyShowInput {
  readonly files: readonly string[];
  /** Open private keys and derive their ids. */
  readonly check: boolean;
  readonly passphrases: PassphraseChoice;
}

/** What one file says. */
export interface KeyFileFacts extends IdentityFacts {
  readonly path: string;
  readonly kind: 'public' | 'private';
  readonly encrypted: boolean;
  /** Whether the ids were worked out from the keys; else they are what the file's text claims. */
  readonly checked: boolean;
}

/** Looks at each file. @throws FILE_NOT_FOUND, PEM_MALFORMED, KEY_MALFORMED, KEY_FILE_*, PASSPHRASE_* */
export async function showKeys(input: KeyShowInput, io: Io): Promise<readonly KeyFileFacts[]> {
  const { passphrases } = settled({ io, passphrases: input.passphrases });
  const facts: KeyFileFacts[] = [];
  for (const path of input.files) facts.push(await showKey(path, { io, passphrases, check: input.check }));
  return facts;
}

interface Looking {
  readonly io: Io;
  readonly passphrases: PassphraseSource;
  readonly check: boolean;
}

async function showKey(path: string, looking: Looking): Promise<KeyFileFacts> {
  const bytes = await looking.io.files.read(path, PEM_BYTES_MAX);
  return await atPath(path, () => factsOf(path, bytes, looking));
}

async function factsOf(path: string, bytes: Uint8Array, { io, passphrases, check }: Looking): Promise<KeyFileFacts> {
  if (!decodePem(bytes).some(({ label }) => label.includes('PRIVATE'))) {
    const facts = identityFacts(decodePublicFile(bytes));
    return { path, kind: 'public', encrypted: false, checked: true, ...facts };
  }
  const file = decodeKeyFile(bytes);
  const claimed = claims(file);
  const { encrypted } = file;
  if (!check && claimed !== undefined) return { path, kind: 'private', encrypted, checked: false, ...claimed };
  const { identity } = await openPrivateFile(path, { io, passphrases });
  forget(identity);
  return { path, kind: 'private', encrypted, checked: true, ...identityFacts(publicHalf(identity)) };
}

/** What the text says, where it says all. */
function claims({ blocks, holder, created }: KeyFile): IdentityFacts | undefined {
  const keys = blocks.flatMap(({ text: { keyId, algorithm } }) =>
    keyId === undefined || algorithm === undefined ? [] : [{ keyId, algorithm }],
  );
  const algorithm = keys[0]?.algorithm;
  if (algorithm === undefined || keys.length < blocks.length || !isKeyAlgorithm(algorithm)) return undefined;
  const purpose: KeyPurpose = purposeOf(algorithm);
  return { purpose, holder, created, keys };
}
