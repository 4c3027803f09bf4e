/** Writes what a custodian takes away, and reads it back. */
import { toHex } from '../../../core/bytes.ts';
import { failure } from '../../../core/errors.ts';
import { sha256 } from '../../../crypto/hash.ts';
import { jsonMap } from '../../../formats/json/json.ts';
import { ROOT_KINDS, rootsOf } from '../../../plan/ceremony/steps.ts';
import type { MediumStep } from '../../../plan/ceremony/steps.ts';
import { askInitials, custodianAndWitness, keyMade } from './ceremony.ts';
import type { Ceremony, StepAnswer } from './ceremony.ts';
import { ceremonyPaths, mediumPaths, requireMedium, sweep, writeAndReadBack } from './folder.ts';

const FILE_BYTES_MAX = 1024 * 1024;

/** Writes the medium. @throws CEREMONY_MEDIUM_MISSING, CEREMONY_READ_BACK, CEREMONY_KEY_OTHER, DISK_FULL */
export async function writeMedium(ceremony: Ceremony, { custodian }: MediumStep): Promise<StepAnswer> {
  const { io, asker, plan, folder, transcript } = ceremony;
  await requireMedium(io.files, custodian);
  await sweep(io.files, custodian.medium);
  const paths = ceremonyPaths(folder);
  const written = new Map<string, Uint8Array>();
  const copy = async (from: string, to: string): Promise<void> => {
    const bytes = await io.files.read(from, FILE_BYTES_MAX);
    await writeAndReadBack(io, to, bytes);
    written.set(to, bytes);
  };
  for (const root of ROOT_KINDS) {
    const made = keyMade(transcript.entries, custodian, root);
    const at = mediumPaths(custodian, root);
    await copy(paths.publicKey(custodian, root), at.publicKey);
    if (made.keyFileSha256 === undefined) continue;
    const bytes = await io.files.read(at.key, FILE_BYTES_MAX);
    if (toHex(sha256(io.engine, bytes)) !== made.keyFileSha256) {
      throw failure('CEREMONY_KEY_OTHER', `${at.key} is no longer the key file that was made here`);
    }
    written.set(at.key, bytes);
  }
  for (const root of rootsOf(plan)) await copy(paths.root(root), mediumPaths(custodian, root).root);
  await copy(paths.plan, `${custodian.medium.replace(/\/+$/, '')}/ceremony.yaml`);
  const files = [...written].map(([path, bytes]) =>
    jsonMap({ file: path.split('/').at(-1), sha256: toHex(sha256(io.engine, bytes)) }),
  );
  await asker.tell([{ kind: 'fact', label: custodian.medium, text: `${files.length} files written and read back` }]);
  return { initials: await askInitials(asker, custodianAndWitness(plan, custodian)), facts: { files } };
}
