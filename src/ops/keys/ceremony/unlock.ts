/** Opens a custodian's root key, wherever it is, and shows that it is the one that was made here. */
import { failure } from '../../../core/errors.ts';
import type { CoseSignature } from '../../../formats/cose/cose-sign.ts';
import { coseToBeSigned } from '../../../formats/cose/cose-sign.ts';
import { isSignatureId } from '../../../crypto/signatures/index.ts';
import type { Custodian } from '../../../formats/ceremony-plan.ts';
import type { RootKind } from '../../../plan/ceremony/steps.ts';
import { openSigner } from '../../../signers/index.ts';
import type { PassphraseSource, Signer } from '../../../signers/index.ts';
import type { Ceremony } from './ceremony.ts';
import { keyMade } from './ceremony.ts';
import { mediumPaths, requireMedium } from './folder.ts';

/** Passphrases and PINs come from the custodian alone; the environment does not count. */
export function custodianPassphrases({ asker }: Ceremony, custodian: Custodian): PassphraseSource {
  return {
    next: (what) => {
      const kind = what.endsWith(': PIN') ? 'pin' : 'passphrase';
      const asked = kind === 'pin' ? what : `passphrase of ${what}`;
      return asker.ask({ kind, secret: true, custodian, prompt: `${custodian.name}: ${asked}` });
    },
  };
}

/** Whether a custodian's classical key is on a token. */
export function onToken(custodian: Custodian): boolean {
  return custodian.signer !== 'file';
}

/** The address of a key file, whatever its path holds. */
export function fileAddress(path: string): string {
  return `file:${path.split('/').map(encodeURIComponent).join('/')}`;
}

/** Opens the key. @throws CEREMONY_MEDIUM_MISSING, CEREMONY_KEY_OTHER, PASSPHRASE_WRONG, SIGNER_*, KEY_FILE_* */
export async function unlock(ceremony: Ceremony, custodian: Custodian, root: RootKind): Promise<Signer> {
  const { io, rehearsal, transcript } = ceremony;
  await requireMedium(io.files, custodian);
  const paths = mediumPaths(custodian, root);
  const address = fileAddress(onToken(custodian) ? paths.signer : paths.key);
  const passphrases = custodianPassphrases(ceremony, custodian);
  const signer = await openSigner(address, { io, passphrases, rehearsal });
  const expected = keyMade(transcript.entries, custodian, root).keys.map(({ keyId }) => keyId);
  if (signer.keys.map(({ publicKey }) => publicKey.keyId).join() === expected.join()) return signer;
  signer[Symbol.dispose]();
  throw failure(
    'CEREMONY_KEY_OTHER',
    `${signer.description} is not the ${root} root key that ${custodian.name} made here`,
  );
}

/** One COSE signature by each key of a signer. @throws SIGNER_*, ENGINE_DISAGREES */
export async function coseSignatures(
  signer: Signer,
  what: { readonly payload: Uint8Array; readonly externalAad: Uint8Array },
): Promise<readonly CoseSignature[]> {
  const signatures: CoseSignature[] = [];
  for (const { publicKey, sign } of signer.keys) {
    const { algorithm, keyId } = publicKey;
    if (!isSignatureId(algorithm)) throw failure('INTERNAL', 'a signer holds a key that cannot sign');
    signatures.push({ algorithm, keyId, signature: await sign(coseToBeSigned({ algorithm, keyId, ...what })) });
  }
  return signatures;
}
