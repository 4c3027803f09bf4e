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
const { createRequire, enableCompileCache } = require('node:module');
const { dirname, join } = require('node:path');
const vm = require('node:vm');

const DIST = join(dirname(__dirname), 'dist');
const HASH_BYTES = 32;
const INDEX_AT = HASH_BYTES + 4;
const FILE_BYTES_MAX = 16 * 1024 * 1024;
const OTHERS_MAY_WRITE = 0o022;

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
  const { SECUREEV_CODE_CACHE, XDG_CACHE_HOME, HOME } = process.env;
  if (SECUREEV_CODE_CACHE === 'off') return;
  const cache = XDG_CACHE_HOME || (HOME && join(HOME, '.cache'));
  const folder = cache && join(cache, 'secureev');
  if (!folder || !isOurs(folder)) return;
  enableCompileCache(folder);
  const file = join(folder, `${process.version}-${process.arch}`, `${command}.code`);
  keeping = { kept: readKept(file), compiled: [], hasNew: false };
  if (save) process.on('exit', (status) => status === 0 && keeping.hasNew && orNothing(() => writeKept(file)));
}

/** Compiled code is as good as a program: it is taken only from where nobody else writes. */
function isOurs(folder) {
  return orNothing(() => {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { uid, mode } = fs.statSync(folder);
    return uid === process.geteuid() && (mode & OTHERS_MAY_WRITE) === 0;
  });
}

function readKept(file) {
  return orNothing(() => entriesOf(fs.readFileSync(file))) ?? new Map();
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
  const temporary = `${file}.${process.pid}`;
  fs.mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  fs.writeFileSync(temporary, bytes, { flag: 'wx', mode: 0o600 });
  fs.renameSync(temporary, file);
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
