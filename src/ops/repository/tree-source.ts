/**
 * A published tree to verify, in a folder or behind a URL: `metadata/` and `targets/` below it.
 *
 * Invariants: names come percent-encoded, so that none leaves the tree; no more than was asked for is handed on.
 */
import { failure, isFailure } from '../../core/errors.ts';
import { quote } from '../../core/brands.ts';
import type { Files, Http, Io } from '../../core/ports.ts';
import { concatBytes } from '../../core/bytes.ts';
import { encodeRoleName } from '../../trust/file-names.ts';
import type { TrustSource } from '../../trust/source.ts';

/** A tree: metadata, and the content of targets. */
export interface TreeSource {
  readonly metadata: TrustSource;
  /**
   * Hands the file below `targets/` to `sink` as it arrives; false where there is none.
   * @throws HTTP_ENDLESS (more than `maxBytes`), and what `sink` throws
   */
  readTarget(name: string, wanted: TargetSink): Promise<boolean>;
}

/** How much of a target may come, and where it goes. */
export interface TargetSink {
  readonly maxBytes: number;
  readonly sink: (bytes: Uint8Array) => Promise<void>;
}

/** Whether the place is a web address. */
export function isUrl(place: string): boolean {
  return /^https?:\/\//i.test(place);
}

/** The tree at `place`, a folder or an http(s) URL. */
export function treeSource({ files, http }: Pick<Io, 'files' | 'http'>, place: string): TreeSource {
  const base = place.replace(/(?<=.)\/+$/, '');
  if (isUrl(place)) return urlTree(http, base);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(place)) {
    throw failure('USAGE', `${quote(place)}: a tree is a folder, or an http or https URL`);
  }
  return folderTree(files, base);
}

function folderTree(files: Files, folder: string): TreeSource {
  return {
    metadata: {
      fetch: (name, maxBytes) => orUndefined(() => files.read(`${folder}/metadata/${name}`, maxBytes)),
    },
    async readTarget(name, { sink }) {
      await using file = await orUndefined(() => files.open(`${folder}/targets/${name}`));
      if (file === undefined) return false;
      for await (const chunk of file.stream()) await sink(chunk);
      return true;
    },
  };
}

async function orUndefined<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (thrown) {
    if (isFailure(thrown, 'FILE_NOT_FOUND')) return undefined;
    throw thrown;
  }
}

function urlTree(http: Http, url: string): TreeSource {
  const read = async (path: string, { maxBytes, sink }: TargetSink): Promise<boolean> => {
    await using body = await http.get(`${url}/${path}`, maxBytes);
    if (body === undefined) return false;
    for await (const chunk of body.chunks) await sink(chunk);
    return true;
  };
  return {
    metadata: {
      async fetch(name, maxBytes) {
        const chunks: Uint8Array[] = [];
        const sink = async (bytes: Uint8Array): Promise<void> => void chunks.push(bytes);
        return (await read(`metadata/${name}`, { maxBytes, sink })) ? concatBytes(...chunks) : undefined;
      },
    },
    readTarget: (name, wanted) => read(`targets/${name.split('/').map(encodeRoleName).join('/')}`, wanted),
  };
}
