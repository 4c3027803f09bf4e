/** Published test vectors: `fixtures/vectors/crypto/*.json`, whose sources its README lists. */
import { readFileSync } from 'node:fs';
import { fromHex, toHex } from '../core/bytes.ts';

/** A vector file: where it came from, and its cases. */
export interface VectorFile<Case> {
  readonly file: string;
  readonly cases: readonly Case[];
}

/** Reads `fixtures/vectors/crypto/NAME.json`. */
export function cryptoVectors<Case>(name: string): VectorFile<Case> {
  const url = new URL(`../../fixtures/vectors/crypto/${name}.json`, import.meta.url);
  const parsed: VectorFile<Case> = JSON.parse(readFileSync(url, 'utf8'));
  if (parsed.cases.length === 0) throw new Error(`${name} has no cases`);
  return parsed;
}

/** Bytes of hex as vector files write it, in either case. */
export function hex(text: string): Uint8Array<ArrayBuffer> {
  return fromHex(text.toLowerCase());
}

/** The code of the failure that `action` throws; undefined where it returns. Other errors pass through. */
export function codeOf(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.name === 'SecureevError') return String(thrown.code);
    throw thrown;
  }
}

/** What `action` comes to: the hex of the bytes it returns, or the code of its failure. */
export function outcomeOf(action: () => Uint8Array): string {
  let bytes: Uint8Array = new Uint8Array(0);
  const code = codeOf(() => {
    bytes = action();
  });
  return code ?? toHex(bytes);
}
