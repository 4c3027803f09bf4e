import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { codeOf } from '../testing/crypto-vectors.ts';
import { availableEngine, NATIVE, otherEngine } from './engine.ts';

test('the pinned Node has ML-DSA and ML-KEM of its own, so that both engines are tested here', () => {
  expect(NATIVE).toEqual({ mlDsa: true, mlKem: true });
});

test('SECUREEV_ENGINE forces an engine; anything else is refused', () => {
  expect(availableEngine(undefined)).toBe('native');
  expect(availableEngine('')).toBe('native');
  expect(availableEngine('native')).toBe('native');
  expect(availableEngine('noble')).toBe('noble');
  expect(codeOf(() => availableEngine('openssl'))).toBe('ENGINE_MISSING');
});

test('each engine is checked by the other', () => {
  expect(otherEngine('noble')).toBe('native');
  expect(otherEngine('native')).toBe('noble');
});

test('the post-quantum algorithms of the runtime warn nobody on stderr', async () => {
  const script = `
    import { SIGNATURES } from '${new URL('./signatures/index.ts', import.meta.url).href}';
    import { KEMS } from '${new URL('./kems/index.ts', import.meta.url).href}';
    const bytes = (count) => new Uint8Array(count).fill(1);
    for (const algorithm of SIGNATURES.filter(({ secretBytes }) => secretBytes > 0)) {
      const { secret, publicKey } = algorithm.keygen('native', bytes(32));
      const request = { engine: 'native', secret, publicKey, message: bytes(3), randomness: bytes(32) };
      algorithm.verify({ ...request, signature: algorithm.sign(request) });
    }
    for (const kem of KEMS) {
      const { secret, publicKey } = kem.keygen('native', bytes(kem.seedBytes));
      const request = { engine: 'native', secret, publicKey, randomness: bytes(kem.randomnessBytes) };
      kem.decapsulate({ ...request, ...kem.encapsulate(request) });
    }
    console.log('done');`;
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);
  expect({ stdout, stderr }).toEqual({ stdout: 'done\n', stderr: '' });
});
