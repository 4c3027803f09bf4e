/** Splits a custodian's key into shares for paper, and proves that the paper restores it. */
import { formatInstant } from '../../../core/brands.ts';
import { toHex } from '../../../core/bytes.ts';
import { failure, isFailure } from '../../../core/errors.ts';
import { ceremonyKeyName } from '../../../formats/ceremony-plan.ts';
import { qrText } from '../../../formats/qr-text.ts';
import { decodeShareText, encodeShareQr, encodeShareText } from '../../../formats/shares/key-share.ts';
import type { KeyShare } from '../../../formats/shares/key-share.ts';
import { sharePage } from '../../../formats/shares/share-page.ts';
import type { CustodianStep } from '../../../plan/ceremony/steps.ts';
import { openPrivateFile } from '../../../signers/private-file.ts';
import { forget } from '../new-keys.ts';
import { joinShares, splitKeys } from '../shares.ts';
import { askInitials, backupFacts, custodianAndWitness, keyMade } from './ceremony.ts';
import type { Ceremony, StepAnswer } from './ceremony.ts';
import { mediumPaths, requireMedium } from './folder.ts';
import { custodianPassphrases, fileAddress } from './unlock.ts';

/** Hands out the shares. @throws PASSPHRASE_WRONG, CEREMONY_KEY_OTHER, KEY_FILE_* */
export async function backup(ceremony: Ceremony, { custodian, root }: CustodianStep): Promise<StepAnswer> {
  const { io, asker, plan, transcript } = ceremony;
  const splitting = plan.backup ?? { shares: 0, threshold: 0 };
  await requireMedium(io.files, custodian);
  const { keys } = keyMade(transcript.entries, custodian, root);
  const name = ceremonyKeyName(custodian.initials, root);
  const passphrases = custodianPassphrases(ceremony, custodian);
  const { identity } = await openPrivateFile(fileAddress(mediumPaths(custodian, root).key), { io, passphrases });
  try {
    const ids = identity.keys.map(({ publicKey }) => publicKey.keyId);
    if (ids.join() !== keys.map(({ keyId }) => keyId).join()) {
      throw failure('CEREMONY_KEY_OTHER', `the key file is not the ${root} root key that ${custodian.name} made here`);
    }
    const shares = await splitKeys(identity.keys, splitting, io);
    const date = formatInstant(io.clock.now()).slice(0, 10);
    const pages = shares.map((share) => ({
      name: `${name}-share-${share.number}-of-${share.count}.txt`,
      text: sharePage(share, { name, keys, date }),
      qr: qrText(encodeShareQr(share)),
    }));
    await asker.handOut(pages);
    const initials = await askInitials(asker, custodianAndWitness(plan, custodian));
    return { initials, facts: { ...splitting, setId: toHex(setIdOf(shares)), lines: linesOf(shares) } };
  } finally {
    forget(identity);
  }
}

function setIdOf(shares: readonly KeyShare[]): Uint8Array {
  return shares[0]?.setId ?? new Uint8Array();
}

function linesOf([share]: readonly KeyShare[]): number {
  return share === undefined ? 0 : encodeShareText(share).trimEnd().split('\n').length;
}

/** The shares are typed in from paper. @throws CEREMONY_KEY_OTHER, SHARE_* */
export async function drill(ceremony: Ceremony, step: CustodianStep): Promise<StepAnswer> {
  const { io, asker, plan, transcript } = ceremony;
  const { custodian, root } = step;
  const { setId, lines } = backupFacts(transcript.entries, custodian, root);
  const shares: KeyShare[] = [];
  while (shares.length < (plan.backup?.threshold ?? 0)) {
    const share = await typeShare(ceremony, step, lines);
    if (share === undefined) continue;
    const refusal = refusalOf(share, { setId, shares });
    if (refusal === undefined) shares.push(share);
    await asker.tell([
      refusal === undefined
        ? { kind: 'fact', label: `share ${share.number}`, text: 'read' }
        : { kind: 'warning', text: refusal },
    ]);
  }
  const keys = await joinShares(shares, io.engine);
  for (const { secret } of keys) secret.fill(0);
  const ids = keyMade(transcript.entries, custodian, root).keys.map(({ keyId }) => keyId);
  if (keys.map(({ publicKey }) => publicKey.keyId).join() !== ids.join()) {
    throw failure('CEREMONY_KEY_OTHER', 'the shares restore another key than the one made here');
  }
  const initials = await askInitials(asker, custodianAndWitness(plan, custodian));
  return { initials, facts: { shares: shares.map(({ number }) => number), restored: ids } };
}

function refusalOf(share: KeyShare, drilled: { setId: string; shares: readonly KeyShare[] }): string | undefined {
  if (toHex(share.setId) !== drilled.setId) return 'this share is of another set: an older splitting, or another key';
  return drilled.shares.some(({ number }) => number === share.number) ? 'this share was typed in already' : undefined;
}

/** One share, line by line or from its QR code at once; undefined where it was mistyped. */
async function typeShare({ asker }: Ceremony, step: CustodianStep, lines: number): Promise<KeyShare | undefined> {
  const { custodian, root } = step;
  const typed: string[] = [];
  while (typed.length < lines) {
    const line = typed.length + 1;
    const prompt = `${custodian.name}: a share of the ${root} root key, line ${line} of ${lines} (or scan its QR code)`;
    const answer = await asker.ask({ kind: 'share', secret: false, custodian, root, line, prompt });
    typed.push(answer);
    if (/^\s*SECUREEV-SHARE:/i.test(answer)) break;
  }
  try {
    return decodeShareText(typed.length === 1 ? (typed[0] ?? '') : typed.map(numbered).join('\n'));
  } catch (thrown) {
    if (!isFailure(thrown, 'SHARE_MALFORMED')) throw thrown;
    await asker.tell([{ kind: 'warning', text: `${thrown.message}: type this share again` }]);
    return undefined;
  }
}

/** People may leave the line's number out. */
function numbered(text: string, index: number): string {
  return /^\s*\d{1,3}:/.test(text) ? text : `${index + 1}: ${text}`;
}
