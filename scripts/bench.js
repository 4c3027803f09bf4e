// Measures secureev against the tools that do a part of its work, on real images, and prints a Markdown table.
//
//   npm run bench -- [--check] [--only ID]... [--runs N] [--json FILE] [--list]
//
// --check ends with exit status 1 when a goal is missed. Peers (age, zstd, openssl, time) are installed from Debian's
// packages when this is root and apt is there; the images come from scripts/corpus.
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { MEASURES } from './bench/index.js';
import { requirePeers } from './bench/peers.js';
import { requireCorpus } from './bench/corpus.js';
import { startRepository } from './bench/repository.js';
import { markdownTable } from './bench/table.js';
import { NODE, scratchFolder } from './scratch.js';

const { values } = parseArgs({
  options: {
    check: { type: 'boolean' },
    list: { type: 'boolean' },
    only: { type: 'string', multiple: true },
    runs: { type: 'string' },
    json: { type: 'string' },
  },
});

if (values.list) {
  process.stdout.write(MEASURES.map(({ id, about }) => `${id.padEnd(16)}${about}\n`).join(''));
} else {
  process.exitCode = measureAll(chosen(values.only));
}

function chosen(ids) {
  const unknown = (ids ?? []).filter((id) => !MEASURES.some((measure) => measure.id === id));
  if (unknown.length > 0) {
    process.stderr.write(`bench: no measure ${unknown.join(', ')}; see --list\n`);
    process.exit(2);
  }
  return MEASURES.filter(({ id }) => ids === undefined || ids.includes(id));
}

function measureAll(measures) {
  requirePeers([...new Set(measures.flatMap(({ peers }) => peers))]);
  const corpus = measures.some(({ needsCorpus }) => needsCorpus) ? requireCorpus() : '';
  const folder = scratchFolder('secureev-bench');
  process.once('SIGINT', () => process.exit(130));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const bench = { folder, corpus, runs: Number(values.runs ?? 5), repository: startRepository({ folder, corpus }) };
  const rows = measures.flatMap((measure) => {
    process.stderr.write(`bench: ${measure.id}: ${measure.about}\n`);
    return measure.run(bench);
  });
  if (values.json !== undefined)
    writeFileSync(values.json, `${JSON.stringify({ machine: machine(), rows }, null, 2)}\n`);
  process.stdout.write(`${markdownTable(rows)}\n\n${machine()}; medians of ${bench.runs} or more interleaved runs.\n`);
  return values.check && rows.some(({ met }) => !met) ? 1 : 0;
}

function machine() {
  const [first, ...others] = cpus();
  const version = execFileSync(NODE, ['-p', 'process.versions.node'], { encoding: 'utf8' }).trim();
  return `${others.length + 1} x ${first?.model.trim() ?? 'unknown processor'}, Node ${version}`;
}
