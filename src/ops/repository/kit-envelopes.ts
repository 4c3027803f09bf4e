/** The envelopes in a kit: each for the payload that it lies beside, and for vehicles only. */
import type { Vin } from '../../core/brands.ts';
import { toHex } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import { sha256 } from '../../crypto/hash.ts';
import { decodeEnvelopes } from '../../formats/sealed/envelope.ts';
import { readPrefix } from '../release/decrypt.ts';
import type { KitTargets } from './kit-targets.ts';
import { counted } from './kit-work.ts';
import type { KitWork } from './kit-work.ts';

/** Checks all envelopes. @throws ENVELOPE_MALFORMED, ENVELOPE_REFUSED, ENVELOPE_NOT_FOUND, KIT_FILE_UNKNOWN */
export async function checkEnvelopes(work: KitWork, { sealed }: KitTargets): Promise<void> {
  const { index, book, input } = work;
  const expected = new Set(sealed.map((path) => `${path}k`));
  const stray = index.files.find((path) => path.endsWith('.sevk') && isImage(path) && !expected.has(path));
  if (stray !== undefined) {
    throw failure('KIT_FILE_UNKNOWN', `${stray} lies beside no sealed payload of the kit`, { path: stray });
  }
  let vehicles = 0;
  for (const path of sealed)
    vehicles += await checkEnvelopeFile(work, { payload: path, path: `${path}k`, vin: input.vin });
  const found = `${counted(vehicles, 'envelope')} beside ${counted(sealed.length, 'sealed payload')}`;
  book.pass('envelopes', input.vin === undefined ? found : `${found}, one of each for ${input.vin}`);
}

function isImage(path: string): boolean {
  return path.startsWith('image/');
}

/** A file of envelopes and the payload that they are of, paths within the kit. */
export interface EnvelopeFile {
  readonly payload: string;
  readonly path: string;
  /** Whose there must be one. */
  readonly vin: Vin | undefined;
}

/** Gives how many there are. @throws ENVELOPE_MALFORMED, ENVELOPE_REFUSED, ENVELOPE_NOT_FOUND */
export async function checkEnvelopeFile({ io, input }: KitWork, { payload, path, vin }: EnvelopeFile): Promise<number> {
  await using blob = await io.files.open(`${input.kit}/${payload}`);
  const { prefix } = await readPrefix(blob);
  const headerSha256 = toHex(sha256(io.engine, prefix.headerBytes));
  let count = 0;
  let isForVehicle = false;
  if ((await io.files.status(`${input.kit}/${path}`)) !== undefined) {
    await using file = await io.files.open(`${input.kit}/${path}`);
    for await (const envelope of decodeEnvelopes(file.stream())) {
      if (toHex(envelope.headerSha256) !== headerSha256 || envelope.suite.code !== prefix.header.suite.code) {
        throw failure('ENVELOPE_REFUSED', `${path} holds an envelope of another payload`, { path });
      }
      if (envelope.vin === null) {
        throw failure('ENVELOPE_REFUSED', `${path} holds an envelope of the escrow key`, { path });
      }
      isForVehicle ||= envelope.vin === vin;
      count += 1;
    }
  }
  if (vin === undefined || isForVehicle) return count;
  throw failure('ENVELOPE_NOT_FOUND', `${path} holds no envelope for vehicle ${vin}`, { path });
}
