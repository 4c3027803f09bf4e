// `verify repository` of the demo's tree: little work, so that what counts is what is loaded for it.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { NODE, PROJECT } from '../scratch.js';
import { comparison, median, must, secureev } from './run.js';
import { seconds } from './table.js';

const RUNS = 20;
const GOAL = 2.5;

export const verifyRepository = {
  id: 'verify-repository',
  about:
    "the demo's tree, without a state, again and from nothing, against Node starting and doing nothing; wall and processor time",
  peers: [],
  needsCorpus: false,
  run: ({ folder }) => {
    const demo = join(folder, 'demo');
    must([NODE, join(PROJECT, 'scripts', 'demo.js'), '--folder', demo]);
    const state = join(folder, 'client');
    const argv = secureev('verify', 'repository', 'public', '--root', 'trust/root.json');
    const alone = () => ({ argv, cwd: demo });
    const again = () => ({ argv: [...argv, '--state', state], cwd: demo });
    const first = () => {
      rmSync(state, { recursive: true, force: true });
      return again();
    };
    const wall = { peer: '`node -e 0`', goal: GOAL, runs: RUNS, theirs: () => [NODE, '-e', '0'] };
    return [
      comparison({ ...wall, measure: '`verify repository`', ours: alone }),
      comparison({ ...wall, measure: '`verify repository --state`, nothing new', ours: again }),
      comparison({ ...wall, measure: '`verify repository --state`, first time', ours: first }),
      processorTime(again),
    ];
  },
};

/** Seconds in user and system mode of both, in turns. */
function processorTime(ours) {
  const times = { ours: [], theirs: [] };
  for (let run = 0; run <= RUNS; run++) {
    const pair = [spent(ours()), spent({ argv: [NODE, '-e', '0'] })];
    if (run === 0) continue;
    times.ours.push(pair[0]);
    times.theirs.push(pair[1]);
  }
  const [our, their] = [median(times.ours), median(times.theirs)];
  return {
    measure: '`verify repository`, processor time',
    ours: seconds(our),
    peer: `\`node -e 0\`: ${seconds(their)}`,
    ratio: (our / their).toFixed(2),
    goal: `≤ ${GOAL}`,
    met: our / their <= GOAL,
  };
}

/** What the children of a shell spent, as its `times` tells: the second line, to the hundredth or better. */
function spent({ argv, cwd }) {
  const script = '"$@" >/dev/null; status=$?; times; exit $status';
  const run = spawnSync('bash', ['-c', script, 'bash', ...argv], { cwd, encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`exit status ${run.status}: ${argv.join(' ')}\n${run.stderr}`);
  const [, children = ''] = run.stdout.trim().split('\n');
  const parts = [...children.matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, minutes, rest]) => Number(minutes) * 60 + Number(rest),
  );
  return parts.reduce((sum, one) => sum + one, 0);
}
