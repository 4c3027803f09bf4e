import { NODE } from '../scratch.js';
import { comparison, secureev } from './run.js';

const RUNS = 20;

export const startUp = {
  id: 'start-up',
  about: '--version and --help, against Node starting and doing nothing',
  peers: [],
  needsCorpus: false,
  run: () =>
    ['--version', '--help'].map((flag) =>
      comparison({
        measure: `\`${flag}\``,
        peer: '`node -e 0`',
        goal: 1.6,
        runs: RUNS,
        ours: () => secureev(flag),
        theirs: () => [NODE, '-e', '0'],
      }),
    ),
};
