/**
 * Loads what is in `dist/`, and keeps its compiled code from one run of a command to the next.
 *
 * Node keeps compiled code too, but takes it before anything has run, when nearly no function is compiled yet; taken after a
 * run it saves the next one a third of its start. (For libraries that lie elsewhere, Node's is good enough.)
 *
 * One file a command, for each uses other functions:
 *   SHA-256 of the rest (32 bytes) | length of the index (4 bytes, little-endian)
 *   | index, JSON: [[name, SHA-256 of the source in hex, length], ...] | the code of each, its start at a multiple of 8
 * V8 itself looks at neither: not at its code, and of the source at nothing but the length. What does not fit, cannot be
 * read or cannot be written is done without, as is everything with SECUREEV_CODE_CACHE=off.
 */
'use strict';
const fs = require('node:fs');
const { constants, createRequire, enableCompileCache, getCompileCacheDir } = require('node:module');
const { dirname, isAbsolute, join } = require('node:path');
const vm = require('node:vm');

const DIST = join(dirname(__dirname), 'dist');
const { compileCacheStatus } = constants;
const HASH_BYTES = 32;
const INDEX_AT = HASH_BYTES + 4;
const FILE_BYTES_MAX = 16 * 1024 * 1024;
const STICKY = 0o1000;

/** Files of `dist/` by name: `{ exports }`. */
const chunks = new Map();
const requireOther = createRequire(join(DIST, 'main.js'));
/** Once the command is known: what earlier runs kept, by name, and what this one has compiled. */
let keeping;

/** The exports of a file of `dist/`. */
function load(name) {
  const known = chunks.get(name);
  if (known !== undefined) return known.exports;
  const chunk = { exports: {} };
  chunks.set(name, chunk);
  const filename = join(DIST, name);
  const script = compiled(name, filename);
  script.runInThisContext().call(chunk.exports, chunk.exports, requireFrom, chunk, filename, DIST);
  return chunk.exports;
}

function compiled(name, filename) {
  const source = fs.readFileSync(filename);
  const digest = keeping && sha256(source, 'hex');
  const before = keeping && keeping.kept.get(name);
  const cachedData = before && before.digest === digest ? before.code : undefined;
  const script = new vm.Script(
    `(function (exports, require, module, __filename, __dirname) {${source.toString('utf8')}\n})`,
    { filename, cachedData, importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER },
  );
  if (keeping) {
    keeping.compiled.push({ name, digest, script });
    if (cachedData === undefined || script.cachedDataRejected) keeping.hasNew = true;
  }
  return script;
}

function requireFrom(id) {
  return id.startsWith('./') ? load(id.slice(2)) : requireOther(id);
}

function sha256(bytes, form) {
  return process.getBuiltinModule('node:crypto').hash('sha256', bytes, form);
}

/** Uses what earlier runs of a command kept; a run that ends well keeps what is new, if `save`. */
function keepFor(command, save) {
  const folder = orNothing(keptFolder);
  if (folder === undefined) return;
  const file = join(folder, `${command}.code`);
  keeping = { kept: readKept(file), compiled: [], hasNew: false };
  if (save) process.on('exit', (status) => status === 0 && keeping.hasNew && orNothing(() => writeKept(file)));
}

/**
 * The folder where Node keeps compiled code, named after all that it depends on; undefined where nothing is to be kept.
 *
 * Compiled code is as good as a program, so from the root down nobody but us and root may be able to put a folder there.
 */
function keptFolder() {
  const { SECUREEV_CODE_CACHE, XDG_CACHE_HOME, HOME } = process.env;
  const cache = XDG_CACHE_HOME || (HOME && join(HOME, '.cache'));
  if (SECUREEV_CODE_CACHE === 'off' || !cache || !isAbsolute(cache)) return undefined;
  const folder = ownFolder(join(cache, 'secureev'));
  if (folder === undefined) return undefined;
  const umask = process.umask(0o077);
  try {
    const { status } = enableCompileCache(folder);
    return status === compileCacheStatus.ENABLED ? getCompileCacheDir() : undefined;
  } finally {
    process.umask(umask);
  }
}

/** The real path of a folder that is ours alone, made where it is missing. */
function ownFolder(folder) {
  if (!fs.existsSync(folder)) {
    let above = folder;
    while (!fs.existsSync(above)) above = dirname(above);
    if (!isSafe(fs.realpathSync.native(above))) return undefined;
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  }
  const real = fs.realpathSync.native(folder);
  const found = fs.lstatSync(real);
  const inside = fs.readdirSync(real).map((name) => fs.lstatSync(join(real, name)));
  if (![found, ...inside].every(isOurs) || !isSafe(dirname(real))) return undefined;
  if ((found.mode & 0o077) !== 0) fs.chmodSync(real, 0o700);
  return real;
}

/** Whether nobody but us and root can change what is at a real path: in folders like `/tmp` nobody can but who made it. */
function isSafe(path) {
  const found = fs.lstatSync(path);
  const isKnown = found.uid === 0 || found.uid === process.geteuid();
  const isClosed = !othersMayWrite(found) || (found.mode & STICKY) !== 0;
  return isKnown && isClosed && (path === dirname(path) || isSafe(dirname(path)));
}

function isOurs(found) {
  return found.uid === process.geteuid() && !othersMayWrite(found);
}

function othersMayWrite({ mode }) {
  return (mode & 0o022) !== 0;
}

function readKept(file) {
  return orNothing(() => entriesOf(readOwn(file))) ?? new Map();
}

function readOwn(file) {
  const descriptor = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
  try {
    const { uid, size } = fs.fstatSync(descriptor);
    return uid === process.geteuid() && size <= FILE_BYTES_MAX ? fs.readFileSync(descriptor) : Buffer.alloc(HASH_BYTES);
  } finally {
    fs.closeSync(descriptor);
  }
}

function entriesOf(bytes) {
  if (!sha256(bytes.subarray(HASH_BYTES), 'buffer').equals(bytes.subarray(0, HASH_BYTES))) return undefined;
  const start = INDEX_AT + bytes.readUInt32LE(HASH_BYTES);
  let at = start;
  const entries = new Map();
  for (const [name, digest, length] of JSON.parse(bytes.toString('utf8', INDEX_AT, start))) {
    at = aligned(at);
    entries.set(name, { digest, code: bytes.subarray(at, at + length) });
    at += length;
  }
  return entries;
}

function writeKept(file) {
  const found = keeping.compiled.map(({ name, digest, script }) => ({ name, digest, code: script.createCachedData() }));
  const index = Buffer.from(JSON.stringify(found.map(({ name, digest, code }) => [name, digest, code.length])));
  const start = INDEX_AT + index.length;
  const end = found.reduce((at, { code }) => aligned(at) + code.length, start);
  if (end > FILE_BYTES_MAX) return;
  const bytes = Buffer.alloc(end);
  bytes.writeUInt32LE(index.length, HASH_BYTES);
  index.copy(bytes, INDEX_AT);
  found.reduce((at, { code }) => aligned(at) + code.copy(bytes, aligned(at)), start);
  sha256(bytes.subarray(HASH_BYTES), 'buffer').copy(bytes);
  const temporary = `${file}.${process.hrtime.bigint()}.${process.pid}`;
  try {
    fs.writeFileSync(temporary, bytes, { flag: 'wx', mode: 0o600 });
    fs.renameSync(temporary, file);
  } catch (thrown) {
    fs.rmSync(temporary, { force: true });
    throw thrown;
  }
}

function aligned(offset) {
  return Math.ceil(offset / 8) * 8;
}

function orNothing(work) {
  try {
    return work();
  } catch {
    return undefined;
  }
}

module.exports = { load, keepFor };
