/**
 * A thread that signs; started by `workers.ts`.
 *
 * Secrets come once, over a port of this thread's own, their memory handed over and wiped here; nothing of them comes by
 * environment, arguments or `workerData`.
 */
import { parentPort } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { isFailure } from '../core/errors.ts';
import { lanesOf, signLot } from './sign-lots.ts';
import type { FromSigner, SignerThreadKeys, ToSigner } from './sign-lots.ts';

parentPort?.once('message', ({ port }: { port: MessagePort }) => {
  port.once('message', (keys: SignerThreadKeys) => {
    const lanes = lanesOf(keys);
    for (const { secret } of keys.keys) secret.fill(0);
    port.on('message', (lot: ToSigner) => {
      const { answer, transfer } = attempt(() => signLot(lanes, lot));
      port.postMessage({ id: lot.id, ...answer } satisfies FromSigner, transfer);
    });
    port.once('close', () => {
      for (const lane of lanes) lane[Symbol.dispose]();
    });
  });
});

function attempt(work: () => { signatures: Uint8Array<ArrayBuffer>; crossChecked: number }): {
  answer: Omit<FromSigner, 'id'>;
  transfer: ArrayBuffer[];
} {
  try {
    const signed = work();
    return { answer: signed, transfer: [signed.signatures.buffer] };
  } catch (thrown) {
    const failed = isFailure(thrown) ? { code: thrown.code, message: thrown.message } : { message: String(thrown) };
    return { answer: { failed }, transfer: [] };
  }
}
