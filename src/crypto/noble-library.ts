/** What is used of the `@noble` libraries; loaded by `noble.ts` alone. */
export { cbc, gcm } from '@noble/ciphers/aes.js';
export { ed25519, x25519 } from '@noble/curves/ed25519.js';
export { p256, p384 } from '@noble/curves/nist.js';
export { hmac } from '@noble/hashes/hmac.js';
export { sha1 } from '@noble/hashes/legacy.js';
export { pbkdf2Async } from '@noble/hashes/pbkdf2.js';
export { scryptAsync } from '@noble/hashes/scrypt.js';
export { sha256, sha512 } from '@noble/hashes/sha2.js';
export { sha3_256, shake256 } from '@noble/hashes/sha3.js';
export { ml_dsa44, ml_dsa65, ml_dsa87 } from '@noble/post-quantum/ml-dsa.js';
export { ml_kem1024, ml_kem512, ml_kem768 } from '@noble/post-quantum/ml-kem.js';
