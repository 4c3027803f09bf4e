import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { NODE, PROJECT } from '../scratch.js';
import { startBins } from './bins-repository.js';
import { comparison, median, must, processorSeconds } from './run.js';
import { seconds } from './table.js';

const TARGETS = 1_000_000;
const BITS = 14;
/** A run signs 16,384 files and keeps them. */
const RUNS_MAX = 2;
const PEER = '`node:crypto` alone, the same signatures made and verified on all cores';
const GOAL = 3;
const MORE_SECONDS_MAX = 1;
/** Root, Timestamp, Snapshot, Targets and one bin. */
const FILES = 5;

export const bins = {
  id: 'bins',
  about: '1,000,000 targets in 16,384 hashed bins: all signed, one release more, one target verified',
  peers: ['time'],
  needsCorpus: false,
  run(bench) {
    const { folder } = bench;
    const big = startBins({ folder, bits: BITS, targets: TARGETS });
    const rows = [firstTime(big)];
    const whole = comparison({
      measure: `\`sign\` of all ${2 ** BITS} bins with ${TARGETS} targets, ECDSA and ML-DSA-65`,
      peer: PEER,
      goal: GOAL,
      runs: Math.min(RUNS_MAX, bench.runs),
      ours: () => big.signBins(),
      theirs: rawSignatures,
    });
    must(big.signRelease());
    const small = startBins({ folder, bits: 1, targets: 0 });
    must(small.signRelease());
    rows.push(whole, oneRelease(bench, big, small), oneTarget(big));
    for (const { cwd } of [big, small]) rmSync(cwd, { recursive: true });
    return rows;
  },
};

function rawSignatures() {
  return [NODE, join(PROJECT, 'scripts', 'bench', 'raw-signatures.js'), String(2 ** BITS)];
}

/** All targets move from what is staged to what is signed: once in the life of a repository, so one run. */
function firstTime(big) {
  const [our, their] = [must(big.first()), must(rawSignatures())];
  return {
    measure: `first \`sign\` of ${TARGETS} staged targets in ${2 ** BITS} bins`,
    ours: seconds(our),
    peer: `${PEER}: ${seconds(their)}`,
    ratio: (our / their).toFixed(2),
    goal: `≤ ${GOAL}`,
    met: our / their <= GOAL,
  };
}

/** Start-up and opening three key files are in both; what is more is the work that a million targets make. */
function oneRelease({ folder, runs }, big, small) {
  const once = (repository) => processorSeconds(repository.signRelease(), folder);
  const times = Array.from({ length: runs }, () => [once(big), once(small)]);
  const [our, their] = [0, 1].map((which) => median(times.map((pair) => pair[which])));
  return {
    measure: 'one release more: its bin, Snapshot and Timestamp signed, processor time',
    ours: seconds(our),
    peer: `with 2 bins: ${seconds(their)}`,
    ratio: `${seconds(Math.max(0, our - their))} more`,
    goal: `≤ ${MORE_SECONDS_MAX} s more`,
    met: our - their <= MORE_SECONDS_MAX,
  };
}

function oneTarget({ cwd, run }) {
  run('publish', 'image', 'public', '--quiet');
  const target = ['--target', 'EV-1/NEW/1.0/image.img', '--out', 'got'];
  const took = run('verify', 'repository', 'public', '--root', 'root.json', '--state', 'state', ...target);
  const files = readdirSync(join(cwd, 'state')).length;
  return {
    measure: 'metadata files that `verify repository --target` reads of it',
    ours: `${files} in ${seconds(took)}`,
    peer: `of ${2 ** BITS + 4} files`,
    ratio: '-',
    goal: `≤ ${FILES}`,
    met: files <= FILES,
  };
}
