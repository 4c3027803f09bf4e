// Puts src/ and the libraries written in JavaScript together into dist/, whole: what no longer has a source does not survive.
//
// A few files, not hundreds, and CommonJS, not ES modules: a command starts in half the time. Native modules stay where npm
// installed them, and so does ink, which only a terminal needs. The libraries stay dependencies of the package, so that audits
// see them.
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { dirname, join, relative } from 'node:path';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
const EXTERNAL = [/^node:/, /^better-sqlite3$/, /^zstd-napi\//, /^pkcs11js$/, /^ink$/, /^react(?:\/|$)/];

if (!existsSync(join(root, 'node_modules', 'rolldown'))) {
  process.stderr.write('build: rolldown is not installed; run npm ci first\n');
  process.exit(5);
}
/**
 * Modules of the runtime that are not imported but asked for: an import of all of `crypto` looks at every name of it, and some
 * of the names load much more (`webcrypto`). commander knows how to start programs, which is never asked of it.
 */
const ASKED_FOR = {
  // In CommonJS there is one already; what it loads of ours is an entry below.
  'node:module': `export const createRequire = () => (id) => require(id.replace(/\\.ts$/, '.js'));`,
  'node:crypto': plainNames('node:crypto'),
  'node:child_process': `export default { spawn: (...given) => process.getBuiltinModule('node:child_process').spawn(...given) };`,
};
const askFor = {
  name: 'ask-for',
  resolveId: (id) => (id in ASKED_FOR ? `\0${id}` : null),
  load: (id) => (id.startsWith('\0node:') ? { code: ASKED_FOR[id.slice(1)], moduleType: 'js' } : null),
};

/** A module that exports what `id` has at hand, getters left out. */
function plainNames(id) {
  const found = Object.entries(Object.getOwnPropertyDescriptors(process.getBuiltinModule(id)));
  const names = found.filter(
    ([name, { get }]) => get === undefined && /^[A-Za-z]\w*$/.test(name) && name !== 'default',
  );
  const lines = names.map(([name]) => `const own_${name} = real.${name}; export { own_${name} as ${name} };`);
  return [`const real = process.getBuiltinModule('${id}');`, 'export default real;', ...lines].join('\n');
}

/**
 * What threads that hash need; what even `--help` needs; what works with keys, or verifies metadata; what every command
 * needs: each in one file, for a file takes 0.2 ms to open.
 */
const GROUPS = [
  { name: 'crypto', test: /^node:crypto$/ },
  { name: 'ring', test: /^src\/io\/(?:hash-ring|shared-memory)/ },
  {
    name: 'base',
    test: /^@oxc-project|^src\/(?:commands\/(?:global-flags|suggest|words)\.|core\/(?:brands|codes|errors|exit)|io\/program)/,
  },
  {
    name: 'core',
    test: /^src\/(?:core|formats\/json|crypto\/(?:bulk-sign|engine|hash|key-bytes|native-keys|noble\.|signatures)|io\/sign-lots)/,
  },
  {
    name: 'metadata',
    test: /^src\/(?:trust|formats\/(?:metadata|keys\/(?:algorithms|jwk|pem|public-key|spki)))/,
    minShareCount: 4,
  },
  {
    name: 'shell',
    test: /^node_modules\/commander\/|^src\/(?:commands\/(?:flags|parse-flags)\.|io\/(?!hash-|machine|program|shared-|sign)|render\/(?:failure|table|text)|tui\/progress\.)/,
  },
].map((group) => ({ ...group, test: (id) => group.test.test(nameOf(id)) }));

/** A module's path in this project, wherever that lies; of what a plugin makes, its own name. */
function nameOf(id) {
  return id.startsWith('\0') ? id.slice(1) : relative(root, id).replaceAll('\\', '/');
}

const { rolldown } = await import('rolldown');
const bundle = await rolldown({
  input: {
    main: join(root, 'src', 'main.ts'),
    'noble-library': join(root, 'src', 'crypto', 'noble-library.ts'),
    ...threads(),
  },
  external: (id) => !(id in ASKED_FOR) && EXTERNAL.some((form) => form.test(id)),
  platform: 'node',
  plugins: [askFor],
  tsconfig: join(root, 'tsconfig.json'),
  // `using` came with Node 24.
  transform: { target: 'node22.12' },
  treeshake: { propertyReadSideEffects: false },
});
const fresh = `${dist}.new`;
rmSync(fresh, { recursive: true, force: true });
const { output } = await bundle.write({
  dir: fresh,
  format: 'cjs',
  codeSplitting: { groups: GROUPS },
  entryFileNames: '[name].js',
  chunkFileNames: '[name]-[hash].js',
});
await bundle.close();
writeFileSync(join(fresh, 'package.json'), '{ "type": "commonjs" }\n');
writeFileSync(join(fresh, 'THIRD-PARTY.txt'), notices(output));
rmSync(dist, { recursive: true, force: true });
renameSync(fresh, dist);

/** Scripts of threads are started by their file's name. */
function threads() {
  const folder = join(root, 'src', 'io');
  const names = readdirSync(folder).filter((name) => name.endsWith('-worker.ts'));
  return Object.fromEntries(names.map((name) => [name.slice(0, -3), join(folder, name)]));
}

/** The licences of what is in dist/ and not ours. */
function notices(chunks) {
  const modules = chunks.flatMap((chunk) => chunk.moduleIds ?? []);
  const folders = modules.map((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0]);
  const unique = [...new Set(folders.filter((folder) => folder !== undefined).sort())];
  return unique.map(noticeOf).join('\n');
}

function noticeOf(folder) {
  const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (file === undefined) throw new Error(`${name} has no licence file to pass on`);
  return `${name} ${version}\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
}
