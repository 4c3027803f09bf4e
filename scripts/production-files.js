// Copies what `npm pack` would pack, and the production dependencies as they are installed, into a folder.
//
//   node scripts/production-files.js FOLDER
import { cpSync, existsSync, readFileSync, realpathSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { PROJECT } from './scratch.js';

/** What building leaves behind in a package and nothing loads: sources, objects, archives, types. */
const LEFT_OVER =
  /\.(?:o|d|a|c|cc|cpp|h|map|stamp|mk|gyp|gypi|d\.[cm]?ts)$|(?:^|\/)(?:obj\.target|\.deps|Makefile)(?:\/|$)/;
/** Native modules for other systems, as packages with prebuilt ones name them: `linux-x64.node`. */
const PREBUILT = /(?:^|\/)prebuilds\/(\w+)-(\w+)\.node$/;
const FILES = ['package.json', 'bin', 'dist', 'LICENSE', 'README.md'];

const target = process.argv[2];
if (target === undefined) {
  process.stderr.write('usage: node scripts/production-files.js FOLDER\n');
  process.exit(2);
}
for (const name of FILES)
  copy(join(PROJECT, name), join(target, name), (path) => !/\.test\.js$|^testing(?:\/|$)/.test(path));
for (const folder of productionFolders()) copy(join(PROJECT, folder), join(target, folder), needed);

/** The installed packages that are not for development only, as the lock file lists them. */
function productionFolders() {
  const { packages } = JSON.parse(readFileSync(join(PROJECT, 'package-lock.json'), 'utf8'));
  const wanted = Object.entries(packages).filter(
    ([folder, { dev, devOptional }]) =>
      folder !== '' && !dev && !devOptional && !folder.startsWith('node_modules/@types/'),
  );
  for (const [folder, { optional }] of wanted) {
    if (!existsSync(join(PROJECT, folder)) && !optional) throw new Error(`${folder} is not installed; run npm ci`);
  }
  return wanted.map(([folder]) => folder).filter((folder) => existsSync(join(PROJECT, folder)));
}

/** A package's own files: packages inside it are listed by themselves. */
function needed(path) {
  const [, system, processor] = PREBUILT.exec(path) ?? [];
  const foreign = system !== undefined && !(system.startsWith(process.platform) && processor === process.arch);
  return !foreign && !/(?:^|\/)node_modules(?:\/|$)/.test(path) && !LEFT_OVER.test(path);
}

function copy(from, to, keep) {
  const root = realpathSync(from);
  cpSync(root, to, {
    recursive: true,
    dereference: true,
    filter: (path) => path === root || keep(relative(root, path).split(sep).join('/')),
  });
}
