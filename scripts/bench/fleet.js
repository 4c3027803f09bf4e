// A repository with a Director, two complete releases and a fleet, set up with the command line as a user would.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { must, secureev } from './run.js';

const PASSPHRASE = 'correct horse battery staple';
const ONLINE = ['targets', 'snapshot', 'timestamp'];
const REGISTRY = `model: EV-1
zonal_gateways:
  - id: ZG
    name: Zone
    ecus:
      - { id: BCM, name: Body control, type: BCM, hardware: bcm-a, current_version: 1.0.0 }
      - { id: BMS, name: Battery, type: BMS, hardware: bms-b, current_version: 1.0.0 }
`;

/** VIN number `index` of the fleet. */
function vin(index) {
  return `5YJ3E1EA0KF${String(index).padStart(6, '0')}`;
}

/** Makes the repository with `vehicles` vehicles in a folder of its own; `list(count)` gives a file with the first of them. */
export function startFleet({ folder, vehicles }) {
  const place = join(folder, `fleet-${vehicles}`);
  mkdirSync(place);
  const env = { SECUREEV_REPO: join(place, 'oem'), SECUREEV_PASSPHRASE: PASSPHRASE };
  const run = (...args) => must({ argv: secureev(...args), cwd: place, env });
  run('init', 'oem', '--name', 'Bench Motors');
  for (const name of ['root', ...ONLINE, 'd-root', 'director']) run('keygen', name, '--out', 'keys');
  for (const role of ['root', ...ONLINE]) run('role', 'set', role, '--key', `keys/${role}.pub`);
  run('role', 'set', 'director/root', '--key', 'keys/d-root.pub');
  for (const role of ONLINE) run('role', 'set', `director/${role}`, '--key', 'keys/director.pub');
  run('sign', 'root', '--key', 'keys/root.key');
  run('sign', 'director/root', '--key', 'keys/d-root.key');
  writeFileSync(join(place, 'registry.yaml'), REGISTRY);
  run('ecu', 'import', 'registry.yaml');
  for (const release of [1, 2]) packageRelease({ place, run, release });
  run('sign', ...ONLINE, ...ONLINE.flatMap((role) => ['--key', `keys/${role}.key`]));
  const rows = Array.from({ length: vehicles }, (_, index) => `${vin(index)},EV-1\n`);
  writeFileSync(join(place, 'vehicles.csv'), `vin,model\n${rows.join('')}`);
  run('vehicle', 'import', 'vehicles.csv');
  let campaigns = 0;
  return {
    list: (count) => writeFileSync(join(place, 'list.txt'), rows.slice(0, count).join('').replaceAll(',EV-1', '')),
    /** A campaign of the release that the vehicles of the last one do not have. */
    campaign: () => {
      campaigns += 1;
      const how = [
        '--vehicles',
        'list.txt',
        '--name',
        `c${campaigns}`,
        '--allow-downgrade',
        '--key',
        'keys/director.key',
      ];
      return { argv: secureev('campaign', 'start', `r${2 - (campaigns % 2)}`, ...how, '--quiet'), cwd: place, env };
    },
  };
}

function packageRelease({ place, run, release }) {
  const images = ['BCM', 'BMS'].map((type) => {
    const file = `${type}-${release}.bin`;
    writeFileSync(join(place, file), `${type} ${release} `.repeat(1000));
    return `  - { type: ${type}, version: ${release}.0.0, file: ${file} }\n`;
  });
  const plan = `release: r${release}\nmodel: EV-1\nconfidential: false\nimages:\n${images.join('')}`;
  writeFileSync(join(place, `release-${release}.yaml`), plan);
  run('package', `release-${release}.yaml`, '--key', 'keys/targets.key', '--out', `bundles-${release}`);
}
