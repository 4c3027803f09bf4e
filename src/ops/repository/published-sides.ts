/** Which of the given places is the Image repository's tree and which the Director's. */
import { failure } from '../../core/errors.ts';
import type { Files } from '../../core/ports.ts';
import { isUrl } from './tree-source.ts';

/** The two trees. */
export interface PublishedSides {
  readonly image: string;
  readonly director: string;
}

/**
 * The trees that were named, or `image/` and `director/` of one folder; partial verification needs the Director's alone.
 *
 * @throws USAGE
 */
export async function publishedSides(
  files: Files,
  named: { readonly tree: string; readonly director: string | undefined; readonly isPartial: boolean },
): Promise<PublishedSides> {
  const [tree, director] = [plain(named.tree), named.director === undefined ? undefined : plain(named.director)];
  if (director !== undefined) return { image: tree, director };
  if (isUrl(tree)) throw failure('USAGE', '--vehicle with a URL needs --director');
  const isFolder = async (name: string): Promise<boolean> => (await files.status(`${tree}/${name}`))?.kind === 'folder';
  if (await isFolder('director')) return { image: `${tree}/image`, director: `${tree}/director` };
  if (named.isPartial && (await isFolder('vehicles'))) return { image: tree, director: tree };
  throw failure('USAGE', `--vehicle needs --director: there is no director/ in ${tree}`);
}

function plain(place: string): string {
  return place.replace(/(?<=.)\/+$/, '');
}
