/** Which bundles a role lists: what a key of that role signed verifies only as long as the role has the key. */
import { binsPrefixOf } from '../../store/delegations.ts';
import type { Reader } from '../../store/reader.ts';
import { bundlesOf, releases } from '../../store/releases.ts';
import { listingRoles } from '../../store/targets.ts';

const NAMED_MAX = 5;

/** What to know when a key goes from roles of the Image repository; nothing where they list no bundles. */
export function lostBundlesNote(reader: Reader, roles: ReadonlySet<string>): readonly string[] {
  const names = releasesOf(reader, roles);
  if (names.length === 0) return [];
  const more = names.length > NAMED_MAX ? ` and ${names.length - NAMED_MAX} more` : '';
  const which = `of ${names.slice(0, NAMED_MAX).join(', ')}${more}`;
  const again = '`secureev package RELEASE.yaml --reissue RELEASE`';
  return [`bundles ${which} that this key signed no longer verify once this is signed: build them again with ${again}`];
}

/** Releases with a bundle that one of the roles lists, newest first. */
function releasesOf(reader: Reader, roles: ReadonlySet<string>): readonly string[] {
  if (roles.size === 0) return [];
  const isListed = (release: string): boolean =>
    bundlesOf(reader, release).some(({ target }) =>
      listingRoles(reader, target).some(({ name }) => roles.has(name) || roles.has(binsPrefixOf(reader, name) ?? '')),
    );
  return releases(reader)
    .map(({ name }) => name)
    .filter(isListed);
}
