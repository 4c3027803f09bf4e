// The repositories that measures work in, set up with the command line as a user would, each once and when first asked for.
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { layOutImage } from './corpus.js';
import { must, secureev } from './run.js';

const VIN = '5YJ3E1EA0KF000316';
const PASSPHRASE = 'correct horse battery staple';
const ROLES = ['targets', 'snapshot', 'timestamp'];

/**
 * What measures need of a repository; `image` is a name of corpus.js.
 * - `plan(image)`: a folder with release.yaml and the image;
 * - `before(image, step)`: a fresh copy of the repository as it was before `step` (`package`, `encrypt`);
 * - `bundle(image)`, `sealed(image)`, `metadata(image)`: paths of what those steps made.
 */
export function startRepository({ folder, corpus }) {
  const made = new Map();
  const once = (key, make) => {
    if (!made.has(key)) made.set(key, make());
    return made.get(key);
  };
  const context = { folder, corpus };
  const base = () => once('base', () => makeBase(context));
  const packaged = (image) => once(`packaged ${image}`, () => makePackaged(context, image, base()));
  const published = (image) => once(`published ${image}`, () => makePublished(context, image, packaged(image)));
  return {
    vin: VIN,
    passphrase: PASSPHRASE,
    keys: () => join(base(), 'keys'),
    root: () => join(base(), 'root.json'),
    image: (image) => join(planFolder(context, image), 'image.img'),
    plan: (image) => planFolder(context, image),
    before: (image, step) => copyOf(folder, step === 'package' ? base() : packaged(image)),
    bundle: (image) => join(packaged(image), 'bundles', 'ZG.otap'),
    sealed: (image) => join(published(image), 'sealed', 'ZG.otap.sev'),
    metadata: (image) => join(published(image), 'public', 'metadata'),
    forget: (image) => forget({ folder, made, image }),
  };
}

/** Runs secureev in `cwd` on the repository `cwd/oem`. */
function run(cwd, ...args) {
  must({ argv: secureev(...args), cwd, env: { SECUREEV_REPO: join(cwd, 'oem'), SECUREEV_PASSPHRASE: PASSPHRASE } });
}

function makeBase({ folder }) {
  const base = join(folder, 'base');
  mkdirSync(base);
  run(base, 'init', 'oem', '--name', 'Bench Motors');
  for (const name of ['root', ...ROLES]) run(base, 'keygen', name, '--out', 'keys');
  for (const name of ['escrow', 'car']) run(base, 'keygen', name, '--purpose', 'encryption', '--out', 'keys');
  for (const name of ['root', ...ROLES, 'escrow']) run(base, 'role', 'set', name, '--key', `keys/${name}.pub`);
  run(base, 'sign', 'root', '--key', 'keys/root.key');
  run(base, 'root', 'export', '-o', 'root.json');
  writeFileSync(
    join(base, 'registry.yaml'),
    'model: EV-1\nzonal_gateways:\n  - id: ZG\n    name: Zone\n    ecus:\n' +
      '      - { id: ECU, name: Computer, type: ECU, hardware: amd64, current_version: 1.0.0 }\n',
  );
  run(base, 'ecu', 'import', 'registry.yaml');
  run(base, 'vehicle', 'add', VIN, '--model', 'EV-1', '--encryption-key', 'keys/car.pub');
  return base;
}

function planFolder({ folder, corpus }, image) {
  const plan = join(folder, `plan-${image}`);
  if (existsSync(join(plan, 'release.yaml'))) return plan;
  mkdirSync(plan);
  layOutImage({ name: image, corpus, path: join(plan, 'image.img') });
  const release = 'release: 2.0.0\nmodel: EV-1\nimages:\n  - { type: ECU, version: 2.0.0, file: image.img }\n';
  writeFileSync(join(plan, 'release.yaml'), release);
  return plan;
}

function makePackaged(context, image, base) {
  const place = join(context.folder, `packaged-${image}`);
  cpSync(base, place, { recursive: true });
  const plan = join(planFolder(context, image), 'release.yaml');
  run(place, 'package', plan, '--key', 'keys/targets.key', '--out', 'bundles');
  return place;
}

function makePublished({ folder }, image, packaged) {
  const place = join(folder, `published-${image}`);
  cpSync(packaged, place, { recursive: true, filter: (path) => path !== join(packaged, 'bundles') });
  run(place, 'encrypt', join(packaged, 'bundles', 'ZG.otap'), '--vehicle', VIN, '--out', 'sealed');
  run(place, 'sign', ...ROLES, ...ROLES.flatMap((role) => ['--key', `keys/${role}.key`]));
  run(place, 'publish', 'image', 'public');
  return place;
}

let copies = 0;

/** A copy of the repository of `place`, which is small: no clear bytes are in it. The last copy goes. */
function copyOf(folder, place) {
  rmSync(join(folder, `copy-${copies}`), { recursive: true, force: true });
  const copy = join(folder, `copy-${++copies}`);
  mkdirSync(copy);
  cpSync(join(place, 'oem'), join(copy, 'oem'), { recursive: true });
  return copy;
}

/** Frees the disk space of an image and what was made of it. */
function forget({ folder, made, image }) {
  for (const stage of ['plan', 'packaged', 'published']) {
    rmSync(join(folder, `${stage}-${image}`), { recursive: true, force: true });
    made.delete(`${stage} ${image}`);
  }
}
