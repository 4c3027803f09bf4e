/**
 * Symbolic links in a folder that is written to: a tree may be reached through one, but none inside leads out of it.
 *
 * Invariant: what lies at a path of the tree is asked for after every folder on the way was seen to be inside.
 */
import { SecureevError } from '../../core/errors.ts';
import type { Files } from '../../core/ports.ts';

/** Looks at the way to the files of one tree. */
export interface TreeGuard {
  /** Demands that the folders on the way to `path` (within the tree) lie inside. @throws PUBLISH_LINK */
  requireInside(path: string): Promise<void>;
  /** Whether a regular file lies at `path` itself, not at the end of a link. @throws PUBLISH_LINK */
  hasOwnFile(path: string, sizeBytes: number): Promise<boolean>;
}

/** Guards the tree in `folder`, which need not exist yet. */
export function guardTree(files: Files, folder: string): TreeGuard {
  const seen = new Set<string>();
  let root: string | undefined;
  const realRoot = async (): Promise<string | undefined> => {
    if (root === undefined && (await files.status(folder)) !== undefined) root = await files.realPath(folder);
    return root;
  };

  async function requireFolderInside(path: string): Promise<void> {
    const base = await realRoot();
    if (base === undefined || seen.has(path)) return;
    if ((await files.status(`${folder}/${path}`)) === undefined) return;
    const real = await files.realPath(`${folder}/${path}`);
    if (!real.startsWith(withSlash(base))) throw leadsOut(`${folder}/${path}`, real);
    seen.add(path);
  }

  async function requireInside(path: string): Promise<void> {
    for (const way of foldersOf(path)) await requireFolderInside(way);
  }

  return {
    requireInside,
    async hasOwnFile(path, sizeBytes) {
      await requireInside(path);
      const there = await files.status(`${folder}/${path}`);
      if (there?.kind !== 'file' || there.sizeBytes !== sizeBytes) return false;
      return (await files.realPath(`${folder}/${path}`)) === (await ownPath(path));
    },
  };

  async function ownPath(path: string): Promise<string> {
    const cut = path.lastIndexOf('/');
    const parent = cut === -1 ? folder : `${folder}/${path.slice(0, cut)}`;
    return `${withSlash(await files.realPath(parent))}${path.slice(cut + 1)}`;
  }
}

/** `a/b` gives nothing but `a`; `a/b/c` gives `a` and `a/b`. */
function foldersOf(path: string): readonly string[] {
  const names = path.split('/').slice(0, -1);
  return names.map((_, i) => names.slice(0, i + 1).join('/'));
}

function withSlash(folder: string): string {
  return folder.endsWith('/') ? folder : `${folder}/`;
}

function leadsOut(path: string, real: string): SecureevError {
  return new SecureevError('PUBLISH_LINK', {
    message: `${path} is a link that leads out of the folder`,
    hint: 'nothing was written through it; remove the link, or name the folder it leads to',
    details: { path, leadsTo: real },
  });
}
