/** Public keys as inventory files name them: the path of a `.pub` file, or SPKI in base64. */
import { isFailure, SecureevError } from '../../core/errors.ts';
import { fromUtf8 } from '../../core/bytes.ts';
import type { Io } from '../../core/ports.ts';
import { inventoryFailure } from '../../formats/inventory/vehicle.ts';
import type { InventoryPlace } from '../../formats/inventory/vehicle.ts';
import type { KeyPurpose } from '../../formats/keys/algorithms.ts';
import { decodePublicFile, encodePublicFile } from '../../formats/keys/public-file.ts';
import { makePublicKey } from '../../formats/keys/public-key.ts';
import { decodeSpki } from '../../formats/keys/spki.ts';
import { encryptionKeyOfText } from './vehicles-keys.ts';
import type { EncryptionKey } from './vehicles-keys.ts';

const PUBLIC_FILE_BYTES_MAX = 64 * 1024;
/** What DER of a SEQUENCE of over 31 bytes looks like in base64: no path begins so by chance and has this form. */
const SPKI_BASE64 = /^M[A-Za-z0-9+/]{40,}={0,2}$/;

/** Reads keys; `folder` is what paths are relative to. */
export interface KeyReader {
  /** @throws KEY_*, PEM_MALFORMED, FILE_*, each with its place */
  encryptionKey(text: string, place: InventoryPlace): Promise<EncryptionKey>;
  /** The key (or the pair) that an ECU signs its reports with. @throws the same */
  identityKey(text: string, place: InventoryPlace): Promise<{ keyId: string; text: string }>;
}

/** A reader of keys; with a folder before it, `-` is a file of that name and not standard input. */
export function keyReader(io: Io, folder: string): KeyReader {
  const textOf = async (text: string, purpose: KeyPurpose): Promise<string> => {
    if (SPKI_BASE64.test(text) && text.length % 4 === 0) return inlineKey(text, purpose);
    const path = text.startsWith('/') ? text : `${folder}/${text}`;
    return fromUtf8(await io.files.read(path, PUBLIC_FILE_BYTES_MAX), 'public key file');
  };
  return {
    encryptionKey: (text, place) =>
      placed(place, async () => encryptionKeyOfText(io, await textOf(text, 'encryption'))),
    identityKey: (text, place) =>
      placed(place, async () => {
        const file = await textOf(text, 'signing');
        const { keys, purpose } = decodePublicFile(new TextEncoder().encode(file));
        if (purpose === 'signing') return { keyId: keys[0]?.keyId ?? '', text: file };
        throw inventoryFailure('KEY_UNSUITABLE', place, 'a key for encryption, ECUs sign their reports');
      }),
  };
}

function inlineKey(base64: string, purpose: KeyPurpose): string {
  const { algorithm, bytes } = decodeSpki(
    Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)),
    purpose,
  );
  return encodePublicFile({ keys: [makePublicKey(algorithm, bytes)], purpose });
}

/** Runs `work`; what it refuses is told with its place, under the same code. */
export async function placed<T>(place: InventoryPlace, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw atPlace(thrown, place);
  }
}

/** A refusal with a row and column before it; others unchanged. */
export function atPlace(thrown: unknown, place: InventoryPlace): unknown {
  if (!isFailure(thrown) || thrown.details['column'] !== undefined) return thrown;
  const { message, details } = inventoryFailure(thrown.code, place, thrown.message);
  return new SecureevError(thrown.code, {
    message,
    hint: thrown.hint,
    details: { ...thrown.details, ...details },
    cause: thrown,
  });
}
