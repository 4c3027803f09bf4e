// Brings the README's recorded output up to date: every ```console block gets the output that the demo gives to its
// `$ ` lines, and the bench table the rows of a bench run.
//
//   node scripts/readme.js [--bench FILE] [--check]
//
// FILE is what `npm run bench -- --json FILE` wrote. --check changes nothing and fails when a `$ ` line is not one of the
// reference session or of the one about keys after it, or one of their lines is missing. Long output is cut.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { markdownTable } from './bench/table.js';
import { PROJECT, sessionLines } from './scratch.js';

/** In the order of the README. */
const SESSIONS = ['reference-session.sh', 'keys-session.sh'];
const LINES_MAX = 20;
const README = join(PROJECT, 'README.md');
const BLOCK = /(?<=^```console\n)(.*?)(?=^```$)/gms;
const TABLE = /(?<=^<!-- bench -->\n)(.*?)(?=^<!-- \/bench -->$)/ms;

const { values } = parseArgs({ options: { bench: { type: 'string' }, check: { type: 'boolean' } } });
const text = readFileSync(README, 'utf8');

if (values.check) requireSession(text);
else writeFileSync(README, withTable(withOutput(text, demoTranscript()), values.bench));

/** The commands of a block, in order. */
function commandsOf(block) {
  return block.split('\n').flatMap((line) => (line.startsWith('$ ') ? [line.slice(2)] : []));
}

function requireSession(readme) {
  const written = [...readme.matchAll(BLOCK)].flatMap(([block]) => commandsOf(block));
  const session = SESSIONS.flatMap(sessionLines);
  if (written.join('\n') === session.join('\n')) return;
  process.stderr.write(`readme: the commands of README.md are not those of scripts/ ${SESSIONS.join(', ')}\n`);
  process.exitCode = 1;
}

function demoTranscript() {
  const file = join(tmpdir(), `secureev-readme-${process.pid}.json`);
  const demo = spawnSync(process.execPath, [join(PROJECT, 'scripts', 'demo.js'), '--keys', '--transcript', file], {
    stdio: 'inherit',
  });
  if (demo.status !== 0) process.exit(demo.status ?? 1);
  const steps = JSON.parse(readFileSync(file, 'utf8'));
  rmSync(file);
  return steps;
}

function withOutput(readme, transcript) {
  return readme.replace(BLOCK, (block) =>
    commandsOf(block)
      .map((line) => {
        const step = transcript.shift();
        if (step?.line !== line) throw new Error(`the demo's next step is ${step?.line}, not ${line}`);
        return `$ ${line}\n${shortened(step.output)}`;
      })
      .join(''),
  );
}

/** At most LINES_MAX lines; what is cut is counted. */
function shortened(output) {
  const lines = output.trimEnd().split('\n');
  if (output.trim() === '') return '';
  if (lines.length <= LINES_MAX) return `${lines.join('\n')}\n`;
  return `${lines.slice(0, LINES_MAX).join('\n')}\n[${lines.length - LINES_MAX} more lines]\n`;
}

function withTable(readme, file) {
  if (file === undefined) return readme;
  const { machine, rows } = JSON.parse(readFileSync(file, 'utf8'));
  return readme.replace(TABLE, () => `\n${markdownTable(rows)}\n\n${machine}.\n\n`);
}
