import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { comparison, median, must, peakBytes, secureev } from './run.js';
import { seconds } from './table.js';

const VEHICLES = 1_000_000;
/** A third of the rate is three times the time. */
const TIME_MAX = 3;
const RUNS = 3;
const MEMORY = { few: 1_000_000, many: 2_000_000, bytesMax: 260e6, same: 1.1 };
const REGISTRY = `model: EV-1
zonal_gateways:
  - id: ZG
    name: Zone
    ecus:
      - { id: BCM, name: Body control, type: BCM, hardware: bcm-a }
`;
/** As the repository has it, so that both do the same work: unique random ids, unique VINs, vehicles by model. */
const TABLE = `PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;
CREATE TABLE vehicles (id TEXT PRIMARY KEY CHECK (length(id) = 32), vin TEXT NOT NULL UNIQUE, model TEXT NOT NULL,
  added_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX vehicles_model ON vehicles (model, vin);`;

export const vehicleImport = {
  id: 'vehicle-import',
  about: 'vehicle import of 1,000,000 vehicles, against sqlite3 .import of the same columns; its memory',
  peers: ['sqlite3', 'time'],
  needsCorpus: false,
  run: (bench) => {
    const place = join(bench.folder, 'vehicle-import');
    mkdirSync(place);
    writeFileSync(join(place, 'registry.yaml'), REGISTRY);
    const rows = [timeRow(place), memoryRow(place)];
    rmSync(place, { recursive: true });
    return rows;
  },
};

function timeRow(place) {
  writeLines(join(place, 'vehicles.csv'), { head: 'vin,model', line: (i) => `${vin(i)},EV-1` });
  writeLines(join(place, 'rows.csv'), {
    head: 'id,vin,model,added_at',
    line: (i) => `${id()},${vin(i)},EV-1,1795219200`,
  });
  const bare = median(Array.from({ length: RUNS }, () => must(sqlite(place, ['.import vehicles.csv vehicles']))));
  return comparison({
    measure: `\`vehicle import\` of ${VEHICLES} vehicles`,
    peer: `\`sqlite3 .import\` of the same columns into the same table (into one without keys: ${seconds(bare)})`,
    goal: TIME_MAX,
    runs: RUNS,
    ours: () => importing(place),
    theirs: () => sqlite(place, [TABLE, '.import --skip 1 rows.csv vehicles']),
  });
}

function memoryRow(place) {
  const [few, many] = [MEMORY.few, MEMORY.many].map((count) => {
    writeLines(join(place, 'vehicles.csv'), { head: 'vin,model', line: (i) => `${vin(i)},EV-1`, count });
    return peakBytes(importing(place), place);
  });
  const ratio = many / few;
  return {
    measure: `peak memory of \`vehicle import\` of ${MEMORY.many} vehicles`,
    ours: megabytes(many),
    peer: `of ${MEMORY.few}: ${megabytes(few)}`,
    ratio: ratio.toFixed(2),
    goal: `≤ ${megabytes(MEMORY.bytesMax)} and the same (≤ ${MEMORY.same})`,
    met: many <= MEMORY.bytesMax && ratio <= MEMORY.same,
  };
}

/** Into a fresh repository. */
function importing(place) {
  const env = { SECUREEV_REPO: join(place, 'oem') };
  rmSync(env.SECUREEV_REPO, { recursive: true, force: true });
  must({ argv: secureev('init', 'oem', '--name', 'Bench Motors'), cwd: place, env });
  must({ argv: secureev('ecu', 'import', 'registry.yaml'), cwd: place, env });
  return { argv: secureev('vehicle', 'import', 'vehicles.csv', '--quiet'), cwd: place, env };
}

/** Into a fresh database. */
function sqlite(place, lines) {
  for (const end of ['', '-wal', '-shm']) rmSync(join(place, `peer.db${end}`), { force: true });
  const [last, ...before] = lines.toReversed();
  const setUp = before.toReversed().join(' ');
  return { argv: ['sqlite3', 'peer.db', setUp, '.mode csv', last], cwd: place };
}

function writeLines(path, { head, line, count = VEHICLES }) {
  const file = openSync(path, 'w');
  const many = 10_000;
  writeSync(file, `${head}\n`);
  for (let from = 0; from < count; from += many) {
    writeSync(file, Array.from({ length: many }, (_, i) => `${line(from + i)}\n`).join(''));
  }
  closeSync(file);
}

function vin(index) {
  return `5YJ3E1EA${String(index).padStart(9, '0')}`;
}

function id() {
  return randomBytes(16).toString('hex');
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
