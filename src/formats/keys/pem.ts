/**
 * PEM, read strictly: blocks of one label each with text between them.
 *
 * Invariants: base64 in lines of at most 76 characters with exact padding and no stray bits; no headers inside a block;
 * bounded size and number of blocks. Writing gives lines of 64 characters and one final newline.
 *
 * @see RFC 7468 section 3 (stricttextualmsg, with text before a block as section 5.2 allows)
 */
import { fromBase64, toBase64 } from '../../core/base64.ts';
import { fromUtf8 } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import type { SecureevError } from '../../core/errors.ts';

/** One block. */
export interface PemBlock {
  /** E.g. `PUBLIC KEY`. */
  readonly label: string;
  readonly bytes: Uint8Array;
  /** The lines of text right before it, without their line ends. */
  readonly before: readonly string[];
}

/** Largest PEM file read, in bytes. */
export const PEM_BYTES_MAX = 64 * 1024;
const BLOCKS_MAX = 8;
const LINE_CHARS = 64;
const BEGIN = /^-----BEGIN ([A-Z0-9 ]{1,64})-----$/;
const BASE64_LINE = /^[A-Za-z0-9+/]{1,76}={0,2}$/;

/** Reads the blocks of a file. @throws PEM_MALFORMED naming the line */
export function decodePem(bytes: Uint8Array): readonly PemBlock[] {
  if (bytes.length > PEM_BYTES_MAX) throw failure('PEM_MALFORMED', `malformed PEM: over ${PEM_BYTES_MAX} bytes`);
  const lines = decodeText(bytes).split(/\r?\n/);
  const blocks: PemBlock[] = [];
  let before: string[] = [];
  for (let at = 0; at < lines.length; at++) {
    const label = BEGIN.exec(lines[at] ?? '')?.[1];
    if (label === undefined) {
      if (lines[at]?.startsWith('-----') === true) throw malformed(at, 'a broken BEGIN or stray END line');
      before.push(lines[at] ?? '');
      continue;
    }
    const end = lines.indexOf(`-----END ${label}-----`, at);
    if (end < 0) throw malformed(at, `the block ${label} has no end`);
    if (blocks.length === BLOCKS_MAX) throw malformed(at, `more than ${BLOCKS_MAX} blocks`);
    blocks.push({ label, bytes: decodeBody(lines.slice(at + 1, end), at + 1), before });
    before = [];
    at = end;
  }
  return blocks;
}

function decodeText(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes, 'PEM');
  } catch {
    throw failure('PEM_MALFORMED', 'malformed PEM: not UTF-8 text');
  }
}

function decodeBody(lines: readonly string[], first: number): Uint8Array {
  for (const [index, line] of lines.entries()) {
    const isLast = index === lines.length - 1;
    if (!BASE64_LINE.test(line) || (!isLast && line.includes('='))) throw malformed(first + index, 'not base64');
  }
  try {
    return fromBase64(lines.join(''));
  } catch {
    throw malformed(first, 'base64 with a wrong length or padding');
  }
}

/** Writes one block, with one final newline. */
export function encodePem(label: string, bytes: Uint8Array): string {
  const text = toBase64(bytes);
  const lines = text.match(new RegExp(`.{1,${LINE_CHARS}}`, 'g')) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

function malformed(line: number, reason: string): SecureevError {
  return failure('PEM_MALFORMED', `malformed PEM at line ${line + 1}: ${reason}`, { line: line + 1 });
}
