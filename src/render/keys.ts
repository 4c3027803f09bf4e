/** Keys in words: never a secret. */
import { formatInstant } from '../core/brands.ts';
import type { Instant } from '../core/brands.ts';
import { fingerprint } from './fingerprint.ts';
import { fields } from './table.ts';

/** A signer or recipient as `ops/keys` tells it. */
interface IdentityShown {
  readonly purpose: string;
  readonly holder: string | undefined;
  readonly created: Instant | undefined;
  readonly keys: readonly { readonly algorithm: string; readonly keyId: string }[];
}

/** Whose keys, what for, and their ids in groups of four digits. */
export function identityText(identity: IdentityShown): string {
  const created = identity.created === undefined ? '' : formatInstant(identity.created);
  const about = fields([
    ['purpose', identity.purpose],
    ['holder', identity.holder ?? ''],
    ['created', created],
    ...identity.keys.map(({ algorithm, keyId }) => [algorithm, fingerprint(keyId)] as const),
  ]);
  return about;
}

/** What `key show` says of a file. */
export function keyFileText(
  file: IdentityShown & {
    readonly path: string;
    readonly kind: 'public' | 'private';
    readonly encrypted: boolean;
    readonly checked: boolean;
  },
): string {
  const locked = file.encrypted ? 'encrypted' : 'NOT ENCRYPTED';
  const kind = file.kind === 'public' ? 'public key' : `private key, ${locked}`;
  const note = file.checked ? '' : '\n(ids as the file says; --check opens it and works them out)';
  return `${file.path}: ${kind}\n${identityText(file)}${note}`;
}

/** The same as JSON. */
export function identityJson({ purpose, holder, created, keys }: IdentityShown): Readonly<Record<string, unknown>> {
  return {
    purpose,
    holder: holder ?? null,
    created: created === undefined ? null : formatInstant(created),
    keys: keys.map(({ algorithm, keyId }) => ({ algorithm, keyId })),
  };
}
