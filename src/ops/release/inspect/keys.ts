/** Facts about key files and public files; of a private key only what stands in clear text. */
import { formatInstant } from '../../../core/brands.ts';
import { decodeKeyFile } from '../../../formats/keys/key-file.ts';
import { PEM_BYTES_MAX } from '../../../formats/keys/pem.ts';
import { decodePublicFile } from '../../../formats/keys/public-file.ts';
import type { Inspector } from './inspector.ts';

const PRIVATE = /^-----BEGIN (?:ENCRYPTED )?PRIVATE /m;
const PUBLIC = /^-----BEGIN PUBLIC /m;

function textOf(first: Uint8Array): string {
  return new TextDecoder('latin1').decode(first);
}

/** `NAME.pub`. */
export const publicFileInspector: Inspector = {
  kind: 'public keys',
  recognises: (first) => PUBLIC.test(textOf(first)),
  async read(path, io) {
    const { keys, purpose, holder = null, created } = decodePublicFile(await io.files.read(path, PEM_BYTES_MAX));
    return {
      purpose,
      holder,
      created: created === undefined ? null : formatInstant(created),
      keys: keys.map(({ algorithm, keyId }) => ({ algorithm, keyId })),
    };
  },
};

/** `NAME.key`: what its text claims; nothing is opened. */
export const keyFileInspector: Inspector = {
  kind: 'private keys',
  recognises: (first) => PRIVATE.test(textOf(first)),
  async read(path, io) {
    const { blocks, holder = null, created, encrypted } = decodeKeyFile(await io.files.read(path, PEM_BYTES_MAX));
    return {
      encrypted,
      holder,
      created: created === undefined ? null : formatInstant(created),
      keys: blocks.map(({ text }) => ({
        algorithm: text.algorithm ?? null,
        purpose: text.purpose ?? null,
        keyId: text.keyId ?? null,
      })),
    };
  },
};
