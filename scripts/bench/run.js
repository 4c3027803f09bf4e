// Runs programs and measures them: wall-clock time in interleaved pairs, peak resident memory.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { NODE, PROJECT } from '../scratch.js';
import { seconds } from './table.js';

/** The command line of secureev, without a shell between. */
export function secureev(...args) {
  return [NODE, join(PROJECT, 'bin', 'secureev.js'), ...args];
}

/** Runs `command` ({argv, cwd, env}, or only argv) and ends the process when it fails; its time in seconds. */
export function must(command) {
  const { argv, cwd, env } = Array.isArray(command) ? { argv: command } : command;
  const options = { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] };
  const started = performance.now();
  const run = spawnSync(argv[0], argv.slice(1), options);
  const took = (performance.now() - started) / 1000;
  if (run.status !== 0) {
    process.stderr.write(`bench: exit status ${run.status}: ${argv.join(' ')}\n${run.stderr ?? run.error}`);
    process.exit(1);
  }
  return took;
}

/** What a command writes to standard output; ends the process when it fails. */
export function output({ argv, cwd, env }) {
  const run = spawnSync(argv[0], argv.slice(1), { cwd, env: { ...process.env, ...env }, encoding: 'utf8' });
  if (run.status === 0) return run.stdout;
  process.stderr.write(`bench: exit status ${run.status}: ${argv.join(' ')}\n${run.stderr}`);
  process.exit(1);
}

/** Peak resident memory of `command` in bytes, as the kernel counts it. */
export function peakBytes(command, folder) {
  return Number(counted(command, { folder, what: '%M' })) * 1024;
}

/** Processor time of `command` in seconds, its own and the kernel's for it: what others do meanwhile is not in it. */
export function processorSeconds(command, folder) {
  const [user = 0, kernel = 0] = counted(command, { folder, what: '%U %S' }).split(' ').map(Number);
  return user + kernel;
}

function counted({ argv, ...rest }, { folder, what }) {
  const report = join(folder, 'counted.txt');
  must({ argv: ['/usr/bin/time', '-f', what, '-o', report, ...argv], ...rest });
  const text = readFileSync(report, 'utf8').trim();
  rmSync(report);
  return text;
}

/**
 * Runs `ours` and `theirs` in turns, one warm-up pair first, and compares the medians.
 * Each is a function that prepares a run and gives its command; what it prepares is not measured.
 */
export function comparison({ measure, peer, goal, runs, ours, theirs }) {
  const times = { ours: [], theirs: [] };
  for (let run = 0; run <= runs; run++) {
    const pair = [must(ours(run)), must(theirs(run))];
    if (run === 0) continue;
    times.ours.push(pair[0]);
    times.theirs.push(pair[1]);
  }
  const [our, their] = [median(times.ours), median(times.theirs)];
  const ratio = our / their;
  return {
    measure,
    ours: seconds(our),
    peer: `${peer}: ${seconds(their)}`,
    ratio: ratio.toFixed(2),
    goal: `≤ ${goal}`,
    met: ratio <= goal,
  };
}

/** The middle value; of an even number the mean of both. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
