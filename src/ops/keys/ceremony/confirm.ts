/** Shows a new key's fingerprint and has it typed back; has the custodian prove that they can use the key. */
import { toHex, utf8 } from '../../../core/bytes.ts';
import { sha256 } from '../../../crypto/hash.ts';
import type { Custodian } from '../../../formats/ceremony-plan.ts';
import { encodeCoseSign } from '../../../formats/cose/cose-sign.ts';
import { canonicalJson } from '../../../formats/json/canonical.ts';
import { jsonMap } from '../../../formats/json/json.ts';
import type { CustodianStep, RootKind } from '../../../plan/ceremony/steps.ts';
import type { TranscriptEntry } from '../../../formats/transcript/transcript.ts';
import type { CeremonyAsker } from './asker.ts';
import { askInitials, askUntil, custodianAndWitness, keyMade, openFacts } from './ceremony.ts';
import type { Ceremony, StepAnswer } from './ceremony.ts';
import { ceremonyPaths, writeAndReadBack } from './folder.ts';
import { coseSignatures, unlock } from './unlock.ts';

const TYPED_DIGITS = 8;
const LABEL = 'secureev/possession/1';

/** The fingerprints are read aloud and typed back. @throws CEREMONY_ANSWER_WRONG */
export async function confirm(ceremony: Ceremony, { custodian, root }: CustodianStep): Promise<StepAnswer> {
  const { asker, plan, transcript } = ceremony;
  const { keys } = keyMade(transcript.entries, custodian, root);
  for (const { algorithm, keyId } of keys) await typeBack(asker, { algorithm, keyId });
  const initials = await askInitials(asker, custodianAndWitness(plan, custodian));
  return { initials, facts: { typedBack: keys.map(({ keyId }) => keyId.slice(-TYPED_DIGITS)) } };
}

/** Shows a key's fingerprint and asks for its end. @throws CEREMONY_ANSWER_WRONG */
export async function typeBack(asker: CeremonyAsker, key: { algorithm: string; keyId: string }): Promise<void> {
  const { algorithm, keyId } = key;
  await asker.tell([{ kind: 'fingerprint', algorithm, keyId }]);
  await askUntil(asker, {
    ask: () =>
      asker.ask({
        kind: 'typed-back',
        secret: false,
        keyId,
        prompt: `the last ${TYPED_DIGITS} digits of the ${algorithm} key's fingerprint`,
      }),
    accept: (answer) => answer.replaceAll(/\s/g, '').toLowerCase() === keyId.slice(-TYPED_DIGITS),
    wrong: 'these are not the last digits of the fingerprint',
  });
}

/** What a proof of possession signs. */
export function possessionStatement(
  entries: readonly TranscriptEntry[],
  custodian: Custodian,
  root: RootKind,
): { readonly payload: Uint8Array; readonly externalAad: Uint8Array } {
  const { repository } = openFacts(entries);
  const keys = keyMade(entries, custodian, root).keys.map(({ keyId }) => keyId);
  const statement = jsonMap({ ceremony: repository, custodian: custodian.initials, keys, root });
  return { payload: canonicalJson(statement), externalAad: utf8(LABEL) };
}

/** The custodian opens the key again and signs. @throws PASSPHRASE_WRONG, CEREMONY_KEY_OTHER, SIGNER_* */
export async function possess(ceremony: Ceremony, { custodian, root }: CustodianStep): Promise<StepAnswer> {
  const { io, asker, plan, folder, transcript } = ceremony;
  using signer = await unlock(ceremony, custodian, root);
  const signatures = await coseSignatures(signer, possessionStatement(transcript.entries, custodian, root));
  const proof = encodeCoseSign(signatures);
  await writeAndReadBack(io, ceremonyPaths(folder).possession(custodian, root), proof);
  const initials = await askInitials(asker, custodianAndWitness(plan, custodian));
  return { initials, facts: { proofSha256: toHex(sha256(io.engine, proof)), signer: signer.description } };
}
