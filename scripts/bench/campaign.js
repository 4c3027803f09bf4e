import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NODE } from '../scratch.js';
import { startFleet } from './fleet.js';
import { comparison, must, peakBytes } from './run.js';
import { seconds } from './table.js';

const VEHICLES = 10_000;
const ROLES = 3;
/** 0.6 of the rate of the signatures alone is 1 / 0.6 of their time. */
const TIME_MAX = 1.67;
const MEMORY = { few: 1000, many: 50_000 };
const SAME = 1.2;

export const campaign = {
  id: 'campaign',
  about: 'campaign start for 10,000 vehicles, against the signatures alone by node:crypto; its memory; one of 1 %',
  peers: ['time'],
  needsCorpus: false,
  run: (bench) => [...times(bench), memoryRow(bench)],
};

function times(bench) {
  const fleet = startFleet({ folder: bench.folder, vehicles: VEHICLES });
  fleet.list(VEHICLES);
  const whole = comparison({
    measure: `\`campaign start\` for ${VEHICLES} vehicles, 3 roles each, ECDSA and ML-DSA-65`,
    peer: '`node:crypto` alone, the same signatures made and verified on all cores',
    goal: TIME_MAX,
    runs: bench.runs,
    ours: () => fleet.campaign(),
    theirs: () => [NODE, fileURLToPath(new URL('./raw-signatures.js', import.meta.url)), String(ROLES * VEHICLES)],
  });
  const all = must(fleet.campaign());
  fleet.list(VEHICLES / 100);
  const few = must(fleet.campaign());
  rmSync(join(bench.folder, `fleet-${VEHICLES}`), { recursive: true });
  const ratio = few / all;
  const part = { ours: seconds(few), peer: `all of them: ${seconds(all)}`, ratio: ratio.toFixed(2), goal: '≤ 0.1' };
  return [whole, { measure: 'a campaign that changes 1 % of them', ...part, met: ratio <= 0.1 }];
}

function memoryRow({ folder }) {
  const fleet = startFleet({ folder, vehicles: MEMORY.many });
  const [few, many] = [MEMORY.few, MEMORY.many].map((count) => {
    fleet.list(count);
    return peakBytes(fleet.campaign(), folder);
  });
  rmSync(join(folder, `fleet-${MEMORY.many}`), { recursive: true });
  const ratio = many / few;
  return {
    measure: 'peak memory of `campaign start` for 50,000 vehicles',
    ours: megabytes(many),
    peer: `for 1,000: ${megabytes(few)}`,
    ratio: ratio.toFixed(2),
    goal: `the same (≤ ${SAME})`,
    met: ratio <= SAME,
  };
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
