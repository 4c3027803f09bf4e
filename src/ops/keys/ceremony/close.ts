/**
 * Closes the transcript: every key made signs its head, the closing entry included; everyone's medium gets a copy.
 *
 * The closing entry is made first and written last, so that the transcript says that the ceremony is over only when its
 * signatures are durable.
 */
import { utf8 } from '../../../core/bytes.ts';
import type { CoseSignature } from '../../../formats/cose/cose-sign.ts';
import { encodeCoseSign } from '../../../formats/cose/cose-sign.ts';
import { jsonMap } from '../../../formats/json/json.ts';
import { transcriptToSign } from '../../../formats/transcript/transcript.ts';
import type { Transcript, TranscriptEntry } from '../../../formats/transcript/transcript.ts';
import { ROOT_KINDS } from '../../../plan/ceremony/steps.ts';
import { askInitials } from './ceremony.ts';
import type { Ceremony } from './ceremony.ts';
import { appendEntry, ceremonyPaths, grownTranscript, requireMedium, writeAndReadBack } from './folder.ts';
import { coseSignatures, unlock } from './unlock.ts';

/** Closes the ceremony; gives the transcript with its last entry. @throws CEREMONY_MEDIUM_MISSING, SIGNER_*, DISK_FULL */
export async function close(ceremony: Ceremony): Promise<Transcript> {
  const { io, asker, plan, folder, transcript } = ceremony;
  for (const custodian of plan.custodians) await requireMedium(io.files, custodian);
  const initials = await askInitials(asker, [plan.administrator, ...plan.custodians, ...plan.witnesses]);
  const facts = jsonMap({ steps: transcript.entries.filter(({ outcome }) => outcome === 'done').length + 1 });
  const entry: TranscriptEntry = { time: io.clock.now(), step: 'close', outcome: 'done', initials, facts };
  const { bytes, after } = await grownTranscript(io.files, folder, { from: transcript, entry });
  const signed = encodeCoseSign(await signatures(ceremony, after));
  const report = utf8(ceremony.report(plan, after));
  const paths = ceremonyPaths(folder);
  await writeAndReadBack(io, paths.signatures, signed);
  await writeAndReadBack(io, paths.report, report);
  for (const custodian of plan.custodians) {
    await requireMedium(io.files, custodian);
    const medium = custodian.medium.replace(/\/+$/, '');
    await writeAndReadBack(io, `${medium}/transcript.jsonl`, bytes);
    await writeAndReadBack(io, `${medium}/transcript.cose`, signed);
    await writeAndReadBack(io, `${medium}/report.md`, report);
  }
  await io.files.remove(paths.pending);
  return await appendEntry(io.files, folder, { from: transcript, entry });
}

async function signatures(ceremony: Ceremony, after: Transcript): Promise<readonly CoseSignature[]> {
  const what = transcriptToSign(after.head);
  const all: CoseSignature[] = [];
  for (const custodian of ceremony.plan.custodians) {
    for (const root of ROOT_KINDS) {
      using signer = await unlock(ceremony, custodian, root);
      all.push(...(await coseSignatures(signer, what)));
    }
  }
  return all;
}
