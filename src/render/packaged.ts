/** A packaged release as text. */
import { shortId } from './fingerprint.ts';
import { table } from './table.ts';
import { count, size } from './text.ts';

/** What of a release is shown. */
export interface ShownRelease {
  readonly release: string;
  readonly model: string;
  readonly confidential: boolean;
  readonly role: string;
  readonly bundles: readonly ShownBundle[];
  /** Releases whose bundles no longer fit once this is signed. */
  readonly outdates: readonly string[];
  /** The bundles lack signatures. */
  readonly incomplete: boolean;
}

/** What of a bundle is shown. */
export interface ShownBundle {
  readonly path: string;
  readonly gateway: string;
  readonly ecus: readonly string[];
  readonly sizeBytes: number;
  /** 64 hex digits. */
  readonly sha256: string;
}

/** The bundles of a release that was packaged, or would have been. */
export function packagedText(shown: ShownRelease, dryRun: boolean): string {
  const rows = shown.bundles.map((bundle) => [
    bundle.path,
    bundle.gateway,
    bundle.ecus.join(', '),
    size(bundle.sizeBytes),
    shortId(bundle.sha256),
  ]);
  const title = `release ${shown.release} of model ${shown.model}: ${count(shown.bundles.length, 'bundle')}`;
  const secrecy = shown.confidential
    ? `confidential: clear bytes are not published; encrypt the bundles ${shown.incomplete ? 'once they are signed' : 'next'}`
    : 'not confidential: images and bundles will be published as they are';
  const outdated = shown.outdates.map(
    (name) => `outdates release ${name}, which has images of it: build that again too, with --reissue ${name}`,
  );
  const done = shown.incomplete
    ? 'the bundles wait for signatures, then they are staged: `secureev request create bundle FILE.otap -o FILE.sigreq`'
    : `staged for the next version of ${shown.role}`;
  const staged = dryRun ? 'dry run: nothing was written' : done;
  return [
    title,
    table({ head: ['file', 'gateway', 'ECUs', 'size', 'sha256'], rows, right: [3] }),
    secrecy,
    ...outdated,
    staged,
  ].join('\n');
}
