/** The envelopes in a kit: each for the payload that it lies beside, and for vehicles only. */
import { toHex } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import { sha256 } from '../../crypto/hash.ts';
import { decodeEnvelopes } from '../../formats/sealed/envelope.ts';
import { readPrefix } from '../release/decrypt.ts';
import type { KitTargets } from './kit-targets.ts';
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
  for (const path of sealed) vehicles += await checkBeside(work, path);
  const counted = `${vehicles} beside ${sealed.length} sealed payloads`;
  book.pass('envelopes', input.vin === undefined ? counted : `${counted}, one of each for ${input.vin}`);
}

function isImage(path: string): boolean {
  return path.startsWith('image/');
}

/** Gives how many there are. */
async function checkBeside({ io, input }: KitWork, path: string): Promise<number> {
  await using blob = await io.files.open(`${input.kit}/${path}`);
  const { prefix } = await readPrefix(blob);
  const headerSha256 = toHex(sha256(io.engine, prefix.headerBytes));
  const beside = `${path}k`;
  let count = 0;
  let isForVehicle = false;
  if ((await io.files.status(`${input.kit}/${beside}`)) !== undefined) {
    await using file = await io.files.open(`${input.kit}/${beside}`);
    for await (const { headerSha256: of, suite, vin } of decodeEnvelopes(file.stream())) {
      if (toHex(of) !== headerSha256 || suite.code !== prefix.header.suite.code) {
        throw failure('ENVELOPE_REFUSED', `${beside} holds an envelope of another payload`, { path: beside });
      }
      if (vin === null)
        throw failure('ENVELOPE_REFUSED', `${beside} holds an envelope of the escrow key`, { path: beside });
      isForVehicle ||= vin === input.vin;
      count += 1;
    }
  }
  if (input.vin === undefined || isForVehicle) return count;
  throw failure('ENVELOPE_NOT_FOUND', `${beside} holds no envelope for vehicle ${input.vin}`, { path: beside });
}
