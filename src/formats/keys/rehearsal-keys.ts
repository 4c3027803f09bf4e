/**
 * Keys that are for rehearsals only: those of keys.example/, whose ids are known, and those that a rehearsed ceremony made,
 * whose holder says so.
 */
import { SecureevError } from '../../core/errors.ts';
import { EXAMPLE_KEY_IDS } from './example-keys.ts';

/** What the holder of a key that a rehearsed ceremony made begins with. */
export const REHEARSAL_HOLDER = 'REHEARSAL ';

/** Demands that a key is for production, unless this is a rehearsal. @throws KEY_REHEARSAL */
export function requireProductionKey(
  key: { readonly keyId: string; readonly holder?: string | undefined },
  rehearsal: boolean,
): void {
  if (rehearsal) return;
  const known = EXAMPLE_KEY_IDS.has(key.keyId);
  if (!known && key.holder?.startsWith(REHEARSAL_HOLDER) !== true) return;
  const why = known ? 'an example key, whose secret everyone has' : 'the key of a rehearsed ceremony';
  throw new SecureevError('KEY_REHEARSAL', {
    message: `key ${key.keyId} is ${why}`,
    hint: 'make your own with `secureev keygen`; to try things out, make a repository with `secureev init --rehearsal`',
    details: { keyId: key.keyId },
  });
}
