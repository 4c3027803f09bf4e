/**
 * Loads what is in `dist/`, and keeps its compiled code from one run of a command to the next.
 *
 * Node keeps compiled code too, but takes it before anything has run, when nearly no function is compiled yet; taken after a
 * run it saves the next one a third of its start. (For libraries that lie elsewhere, Node's is good enough.) One file a command, for each uses other functions:
 *   SHA-256 of the rest (32 bytes) | length of the index (4 bytes, little-endian) | index, JSON: [[name, length], ...]
 *   | the compiled code of each, its start at a multiple of 8
 * A name holds a hash of the source, so that code of another build is never taken for it. What does not fit, cannot be read or
 * cannot be written is done without.
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

/** Chunks by file name: `{ exports }`, and what was compiled. */
const chunks = new Map();
const scripts = new Map();
const requireOther = createRequire(join(DIST, 'main.js'));
let kept = new Map();
let isKept = true;

/** The exports of a file of `dist/`. */
function load(name) {
  const known = chunks.get(name);
  if (known !== undefined) return known.exports;
  const chunk = { exports: {} };
  chunks.set(name, chunk);
  const filename = join(DIST, name);
  const cachedData = kept.get(name);
  const script = new vm.Script(
    `(function (exports, require, module, __filename, __dirname) {${sourceOf(filename)}\n})`,
    {
      filename,
      cachedData,
      importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    },
  );
  scripts.set(name, script);
  if (cachedData === undefined || script.cachedDataRejected) isKept = false;
  script.runInThisContext().call(chunk.exports, chunk.exports, requireFrom, chunk, filename, DIST);
  return chunk.exports;
}

function sourceOf(filename) {
  return fs.readFileSync(filename, 'utf8');
}

function requireFrom(id) {
  return id.startsWith('./') ? load(id.slice(2)) : requireOther(id);
}

/** Uses what earlier runs of a command kept; a run that ends well keeps what is new, if `save`. */
function keepFor(command, save) {
  const folder = join(process.env.XDG_CACHE_HOME || join(process.env.HOME || '/nowhere', '.cache'), 'secureev');
  if (!isOurs(folder)) return;
  enableCompileCache(folder);
  const file = join(folder, `${process.version}-${process.arch}`, `${command}.code`);
  kept = readKept(file);
  isKept = true;
  if (save) process.on('exit', (status) => status === 0 && !isKept && orNothing(() => writeKept(file)));
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
  const { hash } = process.getBuiltinModule('node:crypto');
  if (!hash('sha256', bytes.subarray(HASH_BYTES), 'buffer').equals(bytes.subarray(0, HASH_BYTES))) return undefined;
  const start = INDEX_AT + bytes.readUInt32LE(HASH_BYTES);
  const index = JSON.parse(bytes.toString('utf8', INDEX_AT, start));
  let at = start;
  const entries = new Map();
  for (const [name, length] of index) {
    at = aligned(at);
    entries.set(name, bytes.subarray(at, at + length));
    at += length;
  }
  return entries;
}

function writeKept(file) {
  const found = [...scripts].map(([name, script]) => [name, script.createCachedData()]);
  const index = Buffer.from(JSON.stringify(found.map(([name, code]) => [name, code.length])));
  const start = INDEX_AT + index.length;
  const end = found.reduce((at, [, code]) => aligned(at) + code.length, start);
  if (end > FILE_BYTES_MAX) return;
  const bytes = Buffer.alloc(end);
  bytes.writeUInt32LE(index.length, HASH_BYTES);
  index.copy(bytes, INDEX_AT);
  found.reduce((at, [, code]) => aligned(at) + code.copy(bytes, aligned(at)), start);
  const { hash } = process.getBuiltinModule('node:crypto');
  hash('sha256', bytes.subarray(HASH_BYTES), 'buffer').copy(bytes);
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
