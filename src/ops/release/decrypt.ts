/**
 * Opens a sealed payload with one recipient's key. Needs no repository.
 *
 * Invariants: the output appears only when the last chunk was right, readable by its owner only; what comes out is
 * unverified, whoever sealed it.
 */
import { atPath } from '../../core/at-path.ts';
import type { Instant, Vin } from '../../core/brands.ts';
import type { InputFile, Io } from '../../core/ports.ts';
import type { Unverified } from '../../core/verified.ts';
import { PREFIX_BYTES, decodePrefix, demandFileSize } from '../../formats/sealed/header.ts';
import type { PayloadPrefix } from '../../formats/sealed/header.ts';
import type { Suite } from '../../formats/sealed/suites.ts';
import type { ChosenKey } from './envelope-opening.ts';
import { envelopesBeside } from './sealed-names.ts';
import { openFile } from './sealed-payload.ts';
import { hashAside } from './sealed-pump.ts';
import type { HashedFile } from './sealed-payload.ts';

/** What to decrypt. */
export interface DecryptInput extends ChosenKey {
  readonly blob: string;
  readonly out: string;
  /** `NAME.sevk` beside the blob where it is left out. */
  readonly envelopes?: string | undefined;
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
  const read = await atPath(input.blob, () => readPrefix(blob));
  const stop = new AbortController();
  // It needs no key, so it has its turn while that side of the program is loaded and the passphrase worked on.
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
  const path = input.envelopes ?? envelopesBeside(input.blob);
  const { openFromFile } = await import('./envelope-opening.ts');
  const { fileKey, envelope } = await openFromFile(io, input, { path, prefix: read.prefix });
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
