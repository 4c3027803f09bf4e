/** What a gateway's bundle is called, as a file and as a target. */
import { parseTargetName } from '../../core/brands.ts';
import type { Name, TargetName } from '../../core/brands.ts';

/** The name of a gateway's bundle file. */
export function bundleFileName(gateway: Name): string {
  return `${gateway}.otap`;
}

/** Under which name the bundle of a release for a gateway is a target. @throws VALUE_MALFORMED */
export function bundleTargetName(release: Name, gateway: Name): TargetName {
  return parseTargetName(`bundles/${release}/${bundleFileName(gateway)}`);
}
