// The cars of scripts/fleet-session.sh: what the inventory knows of them, and what they report. Cars and ECUs have keys of
// their own, made from their names, so that nothing has to be kept; never for anything but this session.
//
//   fleet-cars make COUNT       fleet.csv (vehicles, ECUs, public keys) and fleet.txt (VINs)
//   fleet-cars report COUNT     manifests.jsonl: the first COUNT cars have installed what the tree in director/ tells them to
import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const MODEL = 'EV-1';
/** The units of the model in fixtures/demo/registry.yaml; the first one is the Primary. */
const UNITS = [
  'ZG_POWERTRAIN',
  'ZG_COCKPIT',
  'ZG_CONNECTIVITY',
  'VCU',
  'INVERTER_FRONT',
  'INVERTER_REAR',
  'IVI',
  'WLAN_CABIN',
  'WLAN_CHARGE',
];
/** PKCS#8 before a raw secret: RFC 5915, RFC 8410, RFC 9935. */
const PKCS8 = {
  p256: '3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420',
  x25519: '302e020100300506032b656e04220420',
  mlKem768: '3054020100300b060960864801650304040204428040',
};
const ML_KEM_BYTES = 1184;
const X25519_BYTES = 32;

function vin(index) {
  return `5YJ3E1EB0KF${String(index).padStart(6, '0')}`;
}

function serial(index, unit) {
  return `${unit}-${String(index).padStart(6, '0')}`;
}

function seed(name, bytes = 32) {
  return createHash('sha512').update(name).digest().subarray(0, bytes);
}

function secretKey(prefix, secret) {
  return createPrivateKey({ key: Buffer.concat([Buffer.from(prefix, 'hex'), secret]), format: 'der', type: 'pkcs8' });
}

function publicDer(key) {
  return createPublicKey(key).export({ format: 'der', type: 'spki' });
}

/** The X-Wing public key of a car, as SPKI in base64; the beginning of its DER is that of the key of car-1. */
function encryptionKey(index, prefix) {
  const mlKem = publicDer(secretKey(PKCS8.mlKem768, seed(`${vin(index)} ml-kem`, 64))).subarray(-ML_KEM_BYTES);
  const x25519 = publicDer(secretKey(PKCS8.x25519, seed(`${vin(index)} x25519`))).subarray(-X25519_BYTES);
  return Buffer.concat([prefix, mlKem, x25519]).toString('base64');
}

function unitKey(index, unit) {
  return secretKey(PKCS8.p256, seed(`${vin(index)} ${unit}`));
}

function make(count) {
  const pem = /-----BEGIN PUBLIC KEY-----([^-]+)-----END/.exec(readFileSync('keys/car-1.pub', 'utf8'))?.[1] ?? '';
  const prefix = Buffer.from(pem, 'base64').subarray(0, -(ML_KEM_BYTES + X25519_BYTES));
  const rows = ['vin,model,encryption_key,ecu,serial,kind,key'];
  for (let index = 0; index < count; index++) {
    for (const [place, unit] of UNITS.entries()) {
      const key = publicDer(unitKey(index, unit)).toString('base64');
      const [sealedTo, kind] = place === 0 ? [encryptionKey(index, prefix), 'primary'] : ['', 'secondary'];
      rows.push([vin(index), MODEL, sealedTo, unit, serial(index, unit), kind, key].join(','));
    }
  }
  writeFileSync('fleet.csv', `${rows.join('\n')}\n`);
  writeFileSync('fleet.txt', Array.from({ length: count }, (_, index) => `${vin(index)}\n`).join(''));
}

/** ECU identifier -> image, for each VIN in the Director's tree. */
function assigned() {
  const cars = new Map();
  for (const id of readdirSync('director/vehicles')) {
    const folder = join('director/vehicles', id, 'metadata');
    const numbers = readdirSync(folder).map((name) => Number(/^(\d+)\.targets\.json$/.exec(name)?.[1] ?? 0));
    const { signed } = JSON.parse(readFileSync(join(folder, `${Math.max(...numbers)}.targets.json`), 'utf8'));
    const images = Object.entries(signed.targets).flatMap(([filepath, { length, hashes, custom }]) =>
      Object.keys(custom.ecuIdentifiers).map((ecu) => [ecu, { filepath, fileinfo: { hashes, length } }]),
    );
    cars.set(signed.custom.vin, new Map(images));
  }
  return cars;
}

/** OLPC canonical JSON of text that needs no escapes. */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object') return JSON.stringify(value);
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(',')}}`;
}

function keyId(key) {
  const pem = createPublicKey(key).export({ format: 'pem', type: 'spki' }).toString();
  const text = `{"keytype":"ecdsa","keyval":{"public":"${pem}"},"scheme":"ecdsa-sha2-nistp256"}`;
  return createHash('sha256').update(text).digest('hex');
}

function signed(body, key) {
  const sig = sign('sha256', Buffer.from(canonical(body)), key).toString('hex');
  return { signatures: [{ keyid: keyId(key), sig }], signed: body };
}

function manifest(index, images, time) {
  const reports = UNITS.map((unit) => {
    const ecu = serial(index, unit);
    const report = {
      attacks_detected: '',
      ecu_serial: ecu,
      installed_image: images.get(ecu),
      nonce: `${ecu}:${time}`,
      timeserver_time: time,
    };
    return [ecu, signed(report, unitKey(index, unit))];
  });
  const body = {
    ecu_version_manifests: Object.fromEntries(reports),
    primary_ecu_serial: serial(index, UNITS[0]),
    vin: vin(index),
  };
  return signed(body, unitKey(index, UNITS[0]));
}

function report(count) {
  const cars = assigned();
  const time = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  const lines = Array.from({ length: count }, (_, index) =>
    JSON.stringify(manifest(index, cars.get(vin(index)), time)),
  );
  writeFileSync('manifests.jsonl', `${lines.join('\n')}\n`);
}

const [command, count] = process.argv.slice(2);
if (command === 'make') make(Number(count));
else if (command === 'report') report(Number(count));
else process.exit(2);
