/** Opens every signer before long work begins or anything is locked: they may ask for passphrases. */
import type { Io } from '../../core/ports.ts';
import { openSigner } from '../../signers/index.ts';
import { passphraseSource } from '../../signers/passphrase.ts';
import type { PassphraseChoice, Signer, SignerKey } from '../../signers/signer.ts';

/** Signers that were opened together. Disposing forgets their secrets. */
export interface OpenSigners extends AsyncDisposable {
  readonly keys: readonly SignerKey[];
}

/** Opens `signers`; `deterministic` signatures come out the same each time. @throws what signers throw */
export async function openBundleSigners(
  io: Io,
  input: { signers: readonly string[]; passphrases: PassphraseChoice; deterministic: boolean },
): Promise<OpenSigners> {
  const passphrases = passphraseSource(io, input.passphrases);
  const open: Signer[] = [];
  const dispose = async (): Promise<void> => {
    for (const signer of open) signer[Symbol.dispose]();
  };
  try {
    for (const uri of input.signers) {
      open.push(await openSigner(uri, { io, passphrases, deterministic: input.deterministic }));
    }
  } catch (thrown) {
    await dispose();
    throw thrown;
  }
  return { keys: open.flatMap((signer) => signer.keys), [Symbol.asyncDispose]: dispose };
}
