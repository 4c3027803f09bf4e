/**
 * The golden trees of dialect aktualizr: every file follows from labels and a fixed clock, so that it is the same each time.
 *
 * Image: hybrid; root 1 by an Ed25519 and an RSA key, root 2 with another Timestamp key; two targets and a delegated role.
 * Director: its root, and the Targets of one vehicle.
 */
import { parseInstant, parseVersion } from '../core/brands.ts';
import type { KeyId } from '../core/brands.ts';
import { toHex, utf8 } from '../core/bytes.ts';
import { sha256 } from '../crypto/hash.ts';
import { signatureAlgorithm } from '../crypto/signatures/index.ts';
import type { SignatureId } from '../crypto/signatures/index.ts';
import { rsaPssSha256 } from '../crypto/signatures/rsa-pss-sha256.ts';
import { jsonMap } from '../formats/json/json.ts';
import type { JsonMap } from '../formats/json/json.ts';
import { decodePem } from '../formats/keys/pem.ts';
import { decodePkcs8 } from '../formats/keys/pkcs8.ts';
import { makePublicKey } from '../formats/keys/public-key.ts';
import { aktualizr } from '../formats/metadata/aktualizr.ts';
import { assembleEnvelope, canonicalOf, encodeSigned, signatureMessage } from '../formats/metadata/envelope.ts';
import type {
  KeyRing,
  MetaFile,
  RepositoryKind,
  Root,
  Signed,
  TargetFile,
  Targets,
} from '../formats/metadata/types.ts';
import { keyFixture } from './key-fixtures.ts';
import type { TestKey } from './metadata-keys.ts';

/** A time at which the trees are good. */
export const AKTUALIZR_TREE_NOW = parseInstant('2026-11-21T12:00:00Z');
/** The Director's vehicle. */
export const AKTUALIZR_TREE_ECU = 'VCU-0815';

const TOP = ['root', 'targets', 'snapshot', 'timestamp'] as const;
const CONTENT = { 'EV-1/VCU/1.1.0/vcu.bin': 'vcu firmware 1.1.0', 'EV-1/IVI/2.0.0/ivi.img': 'ivi image 2.0.0' };

interface Signers {
  readonly classical: readonly TestKey[];
  readonly postQuantum: readonly TestKey[];
}

/** Path -> bytes, as in `fixtures/metadata/aktualizr`. */
export function aktualizrTrees(): ReadonlyMap<string, Uint8Array> {
  return new Map([...imageTree(), ...directorTree()]);
}

function imageTree(): ReadonlyMap<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const put = (path: string, body: Signed, by: Signers): Uint8Array => {
    const bytes = fileOf(body, by);
    files.set(`image/${path}`, bytes);
    return bytes;
  };
  const first = new Map(TOP.map((role) => [role, role === 'root' ? rootSigners() : hybridKey(role)] as const));
  const second = new Map(first).set('timestamp', hybridKey('timestamp 2'));
  put('metadata/1.root.json', rootOf('image', { version: 1, signers: first }), signersOf(first, 'root'));
  put('metadata/2.root.json', rootOf('image', { version: 2, signers: second }), signersOf(second, 'root'));
  const fw = hybridKey('fw');
  put('metadata/delegations/fw.json', targetsOf('image', { 'EV-1/IVI/2.0.0/ivi.img': hardware('ivi-a') }), fw);
  const targets = targetsOf('image', { 'EV-1/VCU/1.1.0/vcu.bin': hardware('vcu-a') });
  put('metadata/targets.json', delegating(targets, fw), signersOf(second, 'targets'));
  const meta = new Map(['fw.json', 'targets.json'].map((name) => [name, listed(1)] as const));
  const log = { length: 7, head: 'ab'.repeat(32) };
  const snapshot: Signed = { role: 'snapshot', ...common('image', 1), meta };
  const withLog: Signed = { ...snapshot, extension: snapshot.extension && { ...snapshot.extension, log } };
  const bytes = put('metadata/snapshot.json', withLog, signersOf(second, 'snapshot'));
  const hashes = new Map([['sha256', toHex(sha256('noble', bytes))]]);
  const file = { ...listed(1), length: bytes.length, hashes };
  put(
    'metadata/timestamp.json',
    { role: 'timestamp', ...common('image', 1), snapshot: file },
    signersOf(second, 'timestamp'),
  );
  for (const [name, text] of Object.entries(CONTENT)) files.set(`image/targets/${name}`, utf8(text));
  return files;
}

function directorTree(): ReadonlyMap<string, Uint8Array> {
  const signers = new Map(TOP.map((role) => [role, classicalKey(`director ${role}`)] as const));
  const ecu = jsonMap({ [AKTUALIZR_TREE_ECU]: jsonMap({ hardwareId: 'vcu-a' }) });
  const targets = targetsOf('director', { 'EV-1/VCU/1.1.0/vcu.bin': jsonMap({ ecuIdentifiers: ecu }) });
  return new Map([
    ['director/1.root.json', fileOf(rootOf('director', { version: 1, signers }), signersOf(signers, 'root'))],
    ['director/targets.json', fileOf(targets, signersOf(signers, 'targets'))],
  ]);
}

function classicalKey(label: string): Signers {
  return { classical: [fixedKey('ed25519', label)], postQuantum: [] };
}

/** A key that grows from a label, and signs deterministically. */
function fixedKey(id: SignatureId, label: string): TestKey {
  const algorithm = signatureAlgorithm(id);
  const { secret, publicKey } = algorithm.keygen('noble', sha256('noble', utf8(`aktualizr ${id} ${label}`)));
  return {
    publicKey: makePublicKey(id, publicKey),
    sign: (message) => algorithm.sign({ engine: 'noble', secret, message }),
  };
}

function hybridKey(label: string): Signers {
  return { ...classicalKey(label), postQuantum: [fixedKey('ml-dsa-65', label)] };
}

/** The Ed25519 key and the RSA key of `fixtures/keys/openssl/rsa.key`, each with a post-quantum one beside it. */
function rootSigners(): Signers {
  const [block] = decodePem(keyFixture('openssl/rsa.key'));
  const { publicKey, secret } = decodePkcs8(block?.bytes ?? new Uint8Array(), { engine: 'native', purpose: 'signing' });
  const rsa: TestKey = {
    publicKey,
    sign: (message) => rsaPssSha256.sign({ engine: 'native', secret, message }),
  };
  const [one, two] = [hybridKey('root'), hybridKey('root 2')];
  return { classical: [...one.classical, rsa], postQuantum: [...one.postQuantum, ...two.postQuantum] };
}

function signersOf(signers: ReadonlyMap<string, Signers>, role: string): Signers {
  const found = signers.get(role);
  if (found === undefined) throw new Error(`no keys for ${role}`);
  return found;
}

function common(kind: RepositoryKind, version: number) {
  const repository = kind === 'image' ? '0c6d2d0a-5a53-4f35-9d1f-0f5b1a3c0001' : '0c6d2d0a-5a53-4f35-9d1f-0f5b1a3c0002';
  return {
    specVersion: '1.0.34',
    version: parseVersion(version),
    expires: parseInstant('2027-11-21T12:00:00Z'),
    extension: { repository, kind, log: undefined, hybrid: undefined },
  };
}

function rootOf(
  kind: RepositoryKind,
  { version, signers }: { version: number; signers: ReadonlyMap<string, Signers> },
): Root {
  const shared = common(kind, version);
  const isHybrid = signersOf(signers, 'root').postQuantum.length > 0;
  const hybrid = isHybrid ? ringOf(signers, ({ postQuantum }) => postQuantum) : undefined;
  const classical = ringOf(signers, (one) => one.classical);
  const extension = { ...shared.extension, hybrid };
  return { role: 'root', ...shared, extension, consistentSnapshot: false, ...classical };
}

function ringOf(signers: ReadonlyMap<string, Signers>, keysOf: (signers: Signers) => readonly TestKey[]): KeyRing {
  const all = [...signers].map(([role, one]) => [role, keysOf(one).map(({ publicKey }) => publicKey)] as const);
  const keys = all
    .flatMap(([, own]) => own)
    .map((publicKey) => [publicKey.keyId, { keyId: publicKey.keyId, publicKey }] as const);
  const roles = all.map(([role, own]) => {
    const keyIds: readonly KeyId[] = own.map(({ keyId }) => keyId);
    return [role, { keyIds, threshold: own.length }] as const;
  });
  return { keys: new Map(keys), roles: new Map(roles) };
}

function hardware(id: string): JsonMap {
  return jsonMap({ hardwareIds: [id], releaseCounter: 2, version: '1.1.0' });
}

function targetsOf(kind: RepositoryKind, customs: Readonly<Record<string, JsonMap>>): Targets {
  const targets = Object.entries(customs).map(([name, custom]): readonly [string, TargetFile] => {
    const bytes = utf8(CONTENT[name === 'EV-1/IVI/2.0.0/ivi.img' ? name : 'EV-1/VCU/1.1.0/vcu.bin']);
    const hashes = new Map([['sha256', toHex(sha256('noble', bytes))]]);
    return [name, { length: bytes.length, hashes, custom }];
  });
  return { role: 'targets', ...common(kind, 1), targets: new Map(targets), delegations: undefined, custom: undefined };
}

function delegating(targets: Targets, to: Signers): Targets {
  const signers = new Map([['fw', to]]);
  const { keys, roles } = ringOf(signers, ({ classical }) => classical);
  const own = { name: 'fw', ...(roles.get('fw') ?? { keyIds: [], threshold: 1 }) };
  const terms = {
    scope: { paths: ['EV-1/IVI/*/*'] },
    terminating: true,
    hardwareIds: undefined,
    minRolesInAgreement: 1,
  };
  const extension = targets.extension && {
    ...targets.extension,
    hybrid: ringOf(signers, ({ postQuantum }) => postQuantum),
  };
  return {
    ...targets,
    extension,
    delegations: { keys, roles: [{ name: 'fw', ...terms, roles: [own] }], succinct: undefined },
  };
}

function listed(version: number): MetaFile {
  return { version: parseVersion(version), length: undefined, hashes: undefined };
}

function fileOf(body: Signed, { classical, postQuantum }: Signers): Uint8Array {
  const payload = encodeSigned(body, aktualizr);
  const canonical = canonicalOf(payload);
  const signAll = (family: 'classical' | 'post-quantum', keys: readonly TestKey[]) =>
    keys.map((key) => ({ key: key.publicKey, signature: key.sign(signatureMessage(family, canonical)) }));
  const signatures = { classical: signAll('classical', classical), postQuantum: signAll('post-quantum', postQuantum) };
  return assembleEnvelope(payload, signatures, aktualizr);
}
