// `verify repository` of the demo's tree: little work, so that what counts is what is loaded for it.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { NODE, PROJECT } from '../scratch.js';
import { comparison, must, secureev } from './run.js';

const RUNS = 20;
const GOAL = 2.5;

export const verifyRepository = {
  id: 'verify-repository',
  about: "the demo's tree, without a state, again and from nothing, against Node starting and doing nothing",
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
      // Four files are flushed to the disk one after the other: that is no start-up.
      {
        ...comparison({ ...wall, measure: '`verify repository --state`, first time', ours: first }),
        goal: '-',
        met: undefined,
      },
    ];
  },
};
