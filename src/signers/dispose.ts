/** Opening several signers and closing them again, whatever happens in between. */
import type { Signer } from './signer.ts';

/** Opens one after the other, for each may ask; where one fails, those before it are closed. */
export async function openAll<T>(items: readonly T[], open: (item: T) => Promise<Signer>): Promise<readonly Signer[]> {
  const signers: Signer[] = [];
  try {
    for (const item of items) signers.push(await open(item));
    return signers;
  } catch (thrown) {
    disposeAll(signers);
    throw thrown;
  }
}

/** Forgets the secrets of all. */
export function disposeAll(signers: readonly Signer[]): void {
  for (const signer of signers) signer[Symbol.dispose]();
}
