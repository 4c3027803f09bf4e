/** Names and key sizes of the mechanisms without the mechanisms, which whoever verifies signatures has no use for. */
import type { KemId } from './index.ts';

/** Bytes of a raw public key. A test holds it to the mechanisms themselves. */
export const KEM_PUBLIC_KEY_BYTES = {
  'MLKEM768-X25519': 1216,
  'MLKEM768-P256': 1249,
  'MLKEM1024-P384': 1665,
  'DHKEM-P256': 65,
  'DHKEM-X25519': 32,
  'ML-KEM-512': 800,
  'ML-KEM-768': 1184,
  'ML-KEM-1024': 1568,
} as const satisfies Readonly<Record<KemId, number>>;

/** Whether `id` names a key encapsulation mechanism. */
export function isKemId(id: string): id is KemId {
  return Object.hasOwn(KEM_PUBLIC_KEY_BYTES, id);
}
