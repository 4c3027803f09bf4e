/**
 * Opens a sealed payload with one recipient's key. Needs no repository.
 *
 * Invariants: the output appears only when the last chunk was right, readable by its owner only; what comes out is
 * unverified, whoever sealed it.
 */
import type { Instant, Vin } from '../../core/brands.ts';
import { failure } from '../../core/errors.ts';
import type { InputFile, Io } from '../../core/ports.ts';
import type { Unverified } from '../../core/verified.ts';
import { PREFIX_BYTES, decodePrefix, demandFileSize } from '../../formats/sealed/header.ts';
import type { PayloadPrefix } from '../../formats/sealed/header.ts';
import type { Suite } from '../../formats/sealed/suites.ts';
import { openDecryptionKey } from '../../signers/index.ts';
import type { DecryptionKey, PassphraseChoice } from '../../signers/index.ts';
import { envelopesIn, openForKey } from './envelope-opening.ts';
import type { OpenedEnvelope } from './envelope-opening.ts';
import { envelopesBeside } from './sealed-names.ts';
import { openFile } from './sealed-payload.ts';
import { hashAside } from './sealed-pump.ts';
import type { HashedFile } from './sealed-payload.ts';

/** What to decrypt. */
export interface DecryptInput {
  readonly blob: string;
  /** The recipient's private key, as a signer address. */
  readonly key: string;
  readonly out: string;
  /** `NAME.sevk` beside the blob where it is left out. */
  readonly envelopes?: string | undefined;
  readonly passphrases: PassphraseChoice;
  readonly rehearsal?: boolean | undefined;
}

/** What came out. */
export interface Decrypted {
  readonly out: string;
  readonly suite: Suite;
  /** Whom the envelope names; null for the escrow key. */
  readonly vin: Vin | null;
  readonly keyId: string;
  /** Advice: for a vehicle with a secure clock. */
  readonly expires: Instant | null;
  readonly sealed: HashedFile;
  readonly content: Unverified<HashedFile>;
}

/** Output files hold what was confidential. */
const OUTPUT_MODE = 0o600;

/** Decrypts a payload. @throws ENVELOPE_*, SEALED_*, FILE_*, DISK_FULL, and what opening the key throws */
export async function decrypt(input: DecryptInput, io: Io): Promise<Decrypted> {
  await using blob = await io.files.open(input.blob);
  const read = await readPrefix(blob);
  const stop = new AbortController();
  // It needs no key, so it has its turn while the key's passphrase is worked on.
  const sealedSha256 = hashAside(io, blob, stop.signal);
  sealedSha256.catch(() => undefined);
  try {
    return await decryptTo(input, io, { ...read, blob, sealedSha256 });
  } finally {
    stop.abort();
    await sealedSha256.catch(() => undefined);
  }
}

interface Reading {
  readonly blob: InputFile;
  readonly prefix: PayloadPrefix;
  readonly prefixBytes: Uint8Array;
  readonly sealedSha256: Promise<Uint8Array>;
}

async function decryptTo(input: DecryptInput, io: Io, { blob, ...read }: Reading): Promise<Decrypted> {
  const { fileKey, envelope } = await openedEnvelope(input, io, read.prefix);
  await using output = await io.files.create(input.out, { mode: OUTPUT_MODE });
  const { clear, sealed } = await openFile(io, { input: blob, output }, { ...read, fileKey });
  await output.commit();
  return {
    out: input.out,
    suite: read.prefix.header.suite,
    vin: envelope.vin,
    keyId: envelope.keyId,
    expires: envelope.expires,
    sealed,
    content: { unverified: clear },
  };
}

/** Reads a payload's beginning and checks the file's size against it. @throws SEALED_* */
export async function readPrefix(blob: InputFile): Promise<{ prefix: PayloadPrefix; prefixBytes: Uint8Array }> {
  const prefixBytes = await blob.read(0, PREFIX_BYTES);
  const prefix = decodePrefix(prefixBytes);
  demandFileSize(prefix.header, blob.sizeBytes);
  return { prefix, prefixBytes };
}

/** Opens the decryption key at an address. @throws KEY_UNSUITABLE, and what its backend throws */
export function openKey(
  io: Io,
  chosen: { readonly key: string; readonly passphrases: PassphraseChoice; readonly rehearsal?: boolean | undefined },
): Promise<DecryptionKey> {
  const { key, passphrases, rehearsal } = chosen;
  return openDecryptionKey(key, { io, passphrases, rehearsal });
}

async function openedEnvelope(input: DecryptInput, io: Io, prefix: PayloadPrefix): Promise<OpenedEnvelope> {
  const path = input.envelopes ?? envelopesBeside(input.blob);
  if ((await io.files.status(path)) === undefined) {
    throw failure('FILE_NOT_FOUND', `no envelopes: ${path} is not there`, { path, flag: '--envelopes' });
  }
  using key = await openKey(io, input);
  return await openForKey(io, envelopesIn(io, path), { key, prefix });
}
