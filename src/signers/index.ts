/**
 * Signers: who holds a key. `openSigner` takes what `--key` was given; the scheme chooses the backend.
 *
 * A new backend is one file and one line in {@link SIGNER_SCHEMES}.
 */
import { quote } from '../core/brands.ts';
import { SecureevError } from '../core/errors.ts';
import { requireProductionKey } from '../formats/keys/rehearsal-keys.ts';
import { resolveAddress } from './address.ts';
import type { PartAddress } from './address.ts';
import { disposeAll, openAll } from './dispose.ts';
import { openFile } from './file.ts';
import { joinSigners } from './join.ts';
import { settled } from './passphrase.ts';
import type { Signer, SignerKey, SignerOptions, SignerSetting } from './signer.ts';

export { openDecryptionKey } from './decryption-key.ts';
export type { DecryptionKey, PassphraseChoice, PassphraseSource, Signer, SignerKey, SignerOptions } from './signer.ts';

/** A kind of signer. */
interface SignerScheme {
  readonly scheme: string;
  /** Opens the signer at `text`, which begins with the scheme (of `file` it may be a plain path). */
  readonly open: (text: string, setting: SignerSetting) => Promise<Signer>;
}

/** Every kind of signer, by the scheme of its address. */
export const SIGNER_SCHEMES: readonly SignerScheme[] = [
  { scheme: 'file', open: openFile },
  { scheme: 'pkcs11', open: async (...given) => (await import('./pkcs11/signer.ts')).openPkcs11(...given) },
  { scheme: 'exec', open: async (...given) => (await import('./exec.ts')).openExec(...given) },
];

/** Several signers that were opened together. Disposing them forgets all their secrets. */
export interface OpenSigners extends Disposable {
  readonly signers: readonly Signer[];
  /** The keys of all, in order. */
  readonly keys: readonly SignerKey[];
}

/** Opens a signer. @throws KEY_REHEARSAL for an example key outside rehearsals, SIGNER_URI_MALFORMED, and what its backend throws */
export async function openSigner(uri: string, options: SignerOptions): Promise<Signer> {
  return await openParts(uri, settled(options));
}

/** Opens several signers in order, with one source of passphrases; all or none. @throws as {@link openSigner} */
export async function openSigners(uris: readonly string[], options: SignerOptions): Promise<OpenSigners> {
  const shared = settled(options);
  const signers = await openAll(uris, (uri) => openParts(uri, shared));
  return { signers, keys: signers.flatMap(({ keys }) => keys), [Symbol.dispose]: () => disposeAll(signers) };
}

async function openParts(uri: string, setting: SignerSetting): Promise<Signer> {
  const parts = await resolveAddress(uri, setting.io.files);
  const signer = joinSigners(await openAll(parts, (part) => openPart(part, setting)));
  try {
    for (const { publicKey } of signer.keys) requireProductionKey(publicKey, setting.rehearsal === true);
    return signer;
  } catch (thrown) {
    signer[Symbol.dispose]();
    throw thrown;
  }
}

async function openPart(part: PartAddress, setting: SignerSetting): Promise<Signer> {
  const backend = SIGNER_SCHEMES.find(({ scheme }) => scheme === part.scheme);
  if (backend !== undefined) return await backend.open(part.text, setting);
  const known = SIGNER_SCHEMES.map(({ scheme }) => `${scheme}:`).join(', ');
  throw new SecureevError('SIGNER_URI_MALFORMED', {
    message: `unknown kind of signer ${quote(part.scheme)}`,
    hint: `a signer is a path, or an address that begins with one of ${known}`,
  });
}
