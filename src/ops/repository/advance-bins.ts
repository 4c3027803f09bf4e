/**
 * Takes all hashed bins of a prefix a step further: those that changed, have no version, are due, or are signed with
 * keys that the delegator no longer lists; the others are not touched.
 *
 * Invariants: the delegator, its keys and thresholds are read once for all bins; work goes in lots, so that memory does
 * not grow with the bins; every signature is verified under the key that the delegator lists before it is stored.
 */
import { dialectOf } from '../../formats/metadata/index.ts';
import { isComplete, maySign, thresholdStates } from '../../plan/quorum.ts';
import type { SignerKey } from '../../signers/signer.ts';
import { movingMuch } from '../../store/hash-indexes.ts';
import type { Tx } from '../../store/reader.ts';
import { advanceRole, anyMaySign, named, openThresholds } from './advance-role.ts';
import type { RoleOutcome, Signing } from './advance-role.ts';
import { binsInForce, binsToSign } from './bins-situation.ts';
import type { Bin } from './bins-situation.ts';
import { sectionOf } from './collect-signatures.ts';
import { signLots } from './sign-lots.ts';

/** Takes the bins a step further. @throws SIGNATURE_INVALID, ENGINE_DISAGREES, and what signers throw */
export async function advanceBins(tx: Tx, namePrefix: string, signing: Signing): Promise<RoleOutcome> {
  const none = { version: null, expires: null, made: false, added: [], thresholds: [], reason: null };
  const base = { role: namePrefix, ...none };
  const bins = binsInForce(tx, namePrefix);
  if ('blocked' in bins) return { ...base, state: 'blocked', reason: bins.blocked };
  const wanted = binsToSign(tx, bins, { ...signing, now: tx.now });
  const total = 2 ** bins.bitLength;
  if (wanted.length === 0) return { ...base, state: 'unchanged', bins: { total, signed: 0 } };
  const authorities = [bins.authority];
  if (!anyMaySign(authorities, signing.keys) && wanted.every(({ frozenVersion }) => frozenVersion === null)) {
    const thresholds = openThresholds(tx, absent(namePrefix), { authorities, version: null });
    return { ...base, state: 'waiting', thresholds, bins: { total, signed: 0 } };
  }
  tx.about(`role:${namePrefix}`);
  const keys = signing.keys.filter(({ publicKey }) => maySign(authorities, sectionOf(publicKey)));
  const enough = isComplete(
    thresholdStates(
      authorities,
      keys.map(({ publicKey }) => sectionOf(publicKey)),
    ),
  );
  const atOnce = enough ? wanted.filter(({ frozenVersion }) => frozenVersion === null) : [];
  const { identity, pretend, purpose } = signing;
  const dialect = dialectOf(identity.dialect);
  const lots = { bins, wanted: atOnce, keys, identity, dialect, pretend, takesStaged: purpose === 'sign' };
  if (lots.takesStaged && atOnce.length > 0) await movingMuch(tx, () => signLots(tx, lots));
  else await signLots(tx, lots);
  const others = enough ? wanted.filter(({ frozenVersion }) => frozenVersion !== null) : wanted;
  const waiting = await oneByOne(tx, others, signing);
  const added = named(bins.definition.members, addedBy(keys, atOnce.length + others.length));
  const signed = wanted.length - waiting.length;
  const outcome = { ...base, made: true, added, bins: { total, signed } };
  const [first] = waiting;
  if (first === undefined) return { ...outcome, state: 'complete' };
  return { ...outcome, state: first.state, thresholds: first.thresholds, reason: first.reason };
}

function addedBy(keys: readonly SignerKey[], signed: number): readonly { readonly keyId: string }[] {
  return signed === 0 ? [] : keys.map(({ publicKey }) => ({ keyId: publicKey.keyId }));
}

/** Bins that signers sign one after the other: their thresholds are not met at once. Gives what is not complete. */
async function oneByOne(tx: Tx, bins: readonly Bin[], signing: Signing): Promise<readonly RoleOutcome[]> {
  const open: RoleOutcome[] = [];
  for (const { name } of bins) {
    const outcome = await advanceRole(tx, { repository: 'image', name }, signing);
    if (outcome.state !== 'complete') open.push(outcome);
  }
  return open;
}

function absent(name: string) {
  return {
    id: 0,
    repository: 'image',
    vehicle: null,
    name,
    lastVersion: 0,
    completeVersion: null,
    frozenVersion: null,
  } as const;
}
