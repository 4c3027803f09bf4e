/** What holds a private key, wherever it is. */
import type { BulkKey, Io } from '../core/ports.ts';
import type { PublicKey } from '../formats/keys/public-key.ts';

/** One private key that signs. */
export interface SignerKey {
  readonly publicKey: PublicKey;
  /** The raw signature of `message`, verified under `publicKey` before it is returned. @throws SIGNER_*, ENGINE_DISAGREES */
  sign(message: Uint8Array): Promise<Uint8Array>;
  /** The key itself, where this process holds it, for threads that sign in bulk; a token's never leaves it. */
  lend?(): BulkKey;
}

/** An opened signer: one key, or a classical and a post-quantum one in this order. Disposing it forgets the secrets. */
export interface Signer extends Disposable {
  /** Its address, without anything secret. */
  readonly uri: string;
  /** In words, what is about to sign, e.g. `token Root A (serial 0815)`. */
  readonly description: string;
  readonly keys: readonly SignerKey[];
}

/** One private key that decrypts. Disposing it forgets the secret. */
export interface DecryptionKey extends Disposable {
  /** Its address, without anything secret. */
  readonly uri: string;
  /** Its algorithm is a KEM's id. */
  readonly publicKey: PublicKey;
  /** The raw secret, as the KEM's `decapsulate` takes it. */
  readonly secret: Uint8Array;
}

/** Where passphrases come from, as global flags say. */
export interface PassphraseChoice {
  /** Passphrases, one a line, in the order of the keys. */
  readonly file?: string | undefined;
  /** The same from an open file descriptor. */
  readonly fd?: number | undefined;
}

/** What opening a signer needs. */
export interface SignerSetting {
  readonly io: Io;
  readonly passphrases: PassphraseSource;
  /** Signatures that the same input makes again (reproducible bundles, vectors); hedged otherwise. */
  readonly deterministic?: boolean | undefined;
  /** Whether the example keys may be used. */
  readonly rehearsal?: boolean | undefined;
}

/** The same as its users say it. */
export interface SignerOptions extends Omit<SignerSetting, 'passphrases'> {
  /** What the flags say, or a source that several keys share. */
  readonly passphrases: PassphraseChoice | PassphraseSource;
}

/** Gives each key's passphrase when it is asked for. */
export interface PassphraseSource {
  /** The passphrase of what `what` names, for messages and prompts. @throws PASSPHRASE_MISSING, INTERRUPTED */
  next(what: string): Promise<string>;
}
