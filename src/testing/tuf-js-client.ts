/** A vehicle with tuf-js: a TUF client that no one here wrote. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { Updater } from 'tuf-js';
import { formatInstant, instantOf } from '../core/brands.ts';

/** tuf-js reads the machine's clock, so repositories for it live now. */
export const TUF_JS_NOW = formatInstant(instantOf(Math.floor(Date.now() / 1000)));

/** A vehicle with its own folder. */
export interface TufJsClient {
  /** Updates and downloads a target; gives its content, undefined where none is found. */
  download(name: string): Promise<Uint8Array | undefined>;
  /** The version in the client's own copy of a role. */
  version(role: string): Promise<number>;
}

/** A vehicle pinned to `root`, with its files in `folder`; the tree is below `server.url`. */
export async function tufJsClient(
  folder: string,
  root: Uint8Array,
  server: { readonly url: string },
): Promise<TufJsClient> {
  await mkdir(`${folder}/targets`, { recursive: true });
  await writeFile(`${folder}/root.json`, root);
  return {
    async download(target) {
      const updater = new Updater({
        metadataDir: folder,
        metadataBaseUrl: `${server.url}/metadata`,
        targetDir: `${folder}/targets`,
        targetBaseUrl: `${server.url}/targets`,
        config: { fetchRetry: 0, fetchTimeout: 5000 },
      });
      await updater.refresh();
      const info = await updater.getTargetInfo(target);
      return info === undefined ? undefined : new Uint8Array(await readFile(await updater.downloadTarget(info)));
    },
    async version(role) {
      const file = JSON.parse(await readFile(`${folder}/${role}.json`, 'utf8')) as { signed: { version: number } };
      return file.signed.version;
    },
  };
}
