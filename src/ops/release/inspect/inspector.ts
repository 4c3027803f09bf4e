/** What a way to read one kind of file is. */
import type { Io } from '../../../core/ports.ts';

/** Plain data about a file: names in camel case, ready for JSON and for reading. */
export type Fact = string | number | boolean | null | readonly Fact[] | Facts;
/** Facts by name. */
export interface Facts {
  readonly [name: string]: Fact;
}

/** One kind of file. Nothing it tells is verified. */
export interface Inspector {
  /** In words, e.g. `OTAP bundle`. */
  readonly kind: string;
  /** Whether a file that begins so is of this kind. */
  recognises(first: Uint8Array): boolean;
  /** Reads the file with bounded memory. @throws what decoding throws */
  read(path: string, io: Io): Promise<Facts>;
}
