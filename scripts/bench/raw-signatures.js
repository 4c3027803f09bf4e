// What this machine's node:crypto alone needs, on all cores, to make and verify signatures of ECDSA P-256 and ML-DSA-65.
// Run with the number of signatures of each kind; they are as long as those of a vehicle's metadata.
import { createHash, generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { isMainThread, Worker, workerData } from 'node:worker_threads';

const MESSAGE_BYTES = 1024;

if (isMainThread) {
  const threads = availableParallelism();
  const count = Math.ceil(Number(process.argv[2]) / threads);
  for (let thread = 0; thread < threads; thread++) {
    const worker = new Worker(fileURLToPath(import.meta.url), { workerData: count });
    worker.once('error', (error) => {
      throw error;
    });
  }
} else {
  const classical = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const postQuantum = generateKeyPairSync('ml-dsa-65');
  const message = randomBytes(MESSAGE_BYTES);
  const dsaEncoding = 'ieee-p1363';
  for (let made = 0; made < workerData; made++) {
    message.writeUInt32BE(made);
    const digest = createHash('sha512').update(message).digest();
    const ecdsa = sign('sha256', message, { key: classical.privateKey, dsaEncoding });
    const mlDsa = sign(null, digest, postQuantum.privateKey);
    if (!verify('sha256', message, { key: classical.publicKey, dsaEncoding }, ecdsa)) throw new Error('bad ECDSA');
    if (!verify(null, digest, postQuantum.publicKey, mlDsa)) throw new Error('bad ML-DSA');
  }
}
