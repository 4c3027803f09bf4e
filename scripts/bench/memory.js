import { decryptCommand, encryptCommand, packageCommand, verifyCommand } from './commands.js';
import { median, peakBytes } from './run.js';

const PEAK_MAX = 220e6;
/** What two peaks of the same work may differ by: pages of the runtime, not of the file. */
const SAME = 1.1;
const RUNS = 3;

const COMMANDS = [
  { title: 'package', image: 'linux', command: packageCommand },
  { title: 'verify bundle', image: 'linux', command: verifyCommand },
  { title: 'encrypt', image: 'noise', command: encryptCommand },
  { title: 'decrypt', image: 'noise', command: decryptCommand },
];

export const memory = {
  id: 'memory',
  about: 'peak resident memory at 400 MB and at 1.6 GB',
  peers: ['time', 'openssl'],
  needsCorpus: true,
  run: (bench) => {
    const rows = COMMANDS.map((entry) => ({ ...entry, peaks: { 400: 0, 1600: 0 } }));
    for (const image of ['linux', 'noise']) {
      for (const size of [400, 1600]) {
        for (const row of rows.filter((each) => each.image === image)) {
          row.peaks[size] = medianPeak(bench, () => row.command(bench, `${image}-${size}`));
        }
        if (size === 1600) bench.repository.forget(`${image}-${size}`);
      }
    }
    return rows.map(memoryRow);
  },
};

function medianPeak(bench, command) {
  return median(Array.from({ length: RUNS }, () => peakBytes(command(), bench.folder)));
}

function memoryRow({ title, peaks }) {
  const ratio = peaks[1600] / peaks[400];
  return {
    measure: `peak memory of \`${title}\`, 1.6 GB against 400 MB`,
    ours: megabytes(peaks[1600]),
    peer: `at 400 MB: ${megabytes(peaks[400])}`,
    ratio: ratio.toFixed(2),
    goal: `≤ 220 MB and the same (≤ ${SAME})`,
    met: Math.max(peaks[400], peaks[1600]) <= PEAK_MAX && ratio <= SAME,
  };
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
