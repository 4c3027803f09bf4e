/** Recorded sessions of verify bundle, unpack and inspect, where opening a socket throws. */
import { cp, readdir, readFile, stat, symlink } from 'node:fs/promises';
import { Socket } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { concatBytes } from '../core/bytes.ts';
import { isFailure } from '../core/errors.ts';
import { decodeCoseSign, encodeCoseSign } from '../formats/cose/cose-sign.ts';
import type { CoseSignature } from '../formats/cose/cose-sign.ts';
import { decodeRole } from '../formats/metadata/envelope.ts';
import { openBundle } from '../formats/otap/index.ts';
import { nodeZstd } from '../io/zstd.ts';
import { failing } from '../testing/faults.ts';
import { importsOf } from '../testing/imports.ts';
import { publishRelease, releaseSession, TEST_PLAN, testFirmware } from '../testing/release-session.ts';
import type { CliSession } from '../testing/run-cli.ts';
import { verifyManifest } from '../trust/bundle-manifest.ts';
import { rootPolicy } from '../trust/state.ts';

const BUNDLE = 'out/ZG_BODY.otap';
const ROOT = '--root trust/root.json';
const METADATA = '--metadata public/metadata';

let session: CliSession;
/** Another repository, without post-quantum keys. */
let plain: CliSession;
beforeAll(async () => {
  [session, plain] = await Promise.all([releaseSession(), releaseSession({ scheme: 'ecdsa-p256' })]);
  await session.write('release.yaml', `confidential: false\n${TEST_PLAN}`);
  await session.ok('package release.yaml --key keys/targets.key --out out');
  await publishRelease(session);
  vi.spyOn(Socket.prototype, 'connect').mockImplementation(() => {
    throw new Error('a socket was opened');
  });
}, 60_000);
afterAll(async () => {
  vi.restoreAllMocks();
  await session[Symbol.asyncDispose]();
  await plain[Symbol.asyncDispose]();
});

interface Verdict {
  readonly status: number;
  /** Code of the error as a whole. */
  readonly code: string;
  /** Check id -> `pass`, `skip` or the code of its failure. */
  readonly checks: Readonly<Record<string, string>>;
}

async function verify(line: string): Promise<Verdict> {
  const { status, error, result } = await session.json(`verify bundle ${line}`);
  const checks = (result?.['checks'] ?? []) as { id: string; status: string; code?: string }[];
  return {
    status,
    code: error?.code ?? 'none',
    checks: Object.fromEntries(checks.map((check) => [check.id, check.code ?? check.status])),
  };
}

/** Where the sections of a bundle begin. */
function sectionsOf(bundle: Uint8Array): { manifest: number; signatures: number; payloads: number } {
  const view = new DataView(bundle.buffer, bundle.byteOffset);
  const lengths = 9 + view.getUint8(8);
  const manifest = lengths + 16;
  const signatures = manifest + view.getUint32(lengths + 4);
  return { manifest, signatures, payloads: signatures + view.getUint32(lengths + 8) };
}

/** The bundle with other signatures. */
function resigned(
  bundle: Uint8Array,
  change: (signatures: readonly CoseSignature[]) => readonly CoseSignature[],
): Uint8Array {
  const { manifest, signatures, payloads } = sectionsOf(bundle);
  const encoded = encodeCoseSign(change(decodeCoseSign(bundle.slice(signatures, payloads))));
  const changed = concatBytes(bundle.slice(0, signatures), encoded, bundle.slice(payloads));
  new DataView(changed.buffer).setUint32(manifest - 8, encoded.length);
  return changed;
}

describe('verify bundle', () => {
  it('passes every check, and says so to people, machines and CI', async () => {
    const { status, code, checks } = await verify(`${BUNDLE} ${ROOT} ${METADATA}`);
    expect([status, code]).toEqual([0, 'none']);
    expect(Object.keys(checks)).toEqual([
      'structure',
      'metadata',
      'expiry',
      'hybrid',
      'manifest-signatures',
      'chunk-tree',
      'image-content',
      'bundle-target',
      'image-targets',
      'hardware',
    ]);
    expect(new Set(Object.values(checks))).toEqual(new Set(['pass']));
    const text = await session.ok(`verify bundle ${BUNDLE} ${ROOT} ${METADATA} --junit report.xml`);
    expect(text).toContain('10 checks passed\nout/ZG_BODY.otap: VERIFIED');
    const xml = new TextDecoder().decode(await session.read('report.xml'));
    expect(xml).toContain('<testsuite name="verify bundle" tests="10" failures="0" errors="0" skipped="0">');
    expect(xml.match(/<testcase /g)).toHaveLength(10);
  });

  it('finds the root in SECUREEV_ROOT, and needs one', async () => {
    const line = `verify bundle ${BUNDLE} ${METADATA}`;
    await session.ok(line, { env: { SECUREEV_ROOT: 'trust/root.json' } });
    expect((await session.json(line)).error?.code).toBe('USAGE');
  });

  it('fails on skipped checks unless they are named', async () => {
    const { status, code, checks } = await verify(`${BUNDLE} ${ROOT}`);
    expect([status, code]).toEqual([3, 'CHECK_SKIPPED']);
    expect(checks).toMatchObject({ 'manifest-signatures': 'pass', 'chunk-tree': 'pass', metadata: 'skip' });
    const skipped = Object.keys(checks).filter((id) => checks[id] === 'skip');
    expect(skipped).toEqual(['metadata', 'expiry', 'bundle-target', 'image-targets', 'hardware']);
    const allowed = skipped.map((id) => `--allow-skip ${id}`).join(' ');
    expect((await verify(`${BUNDLE} ${ROOT} ${allowed} --junit skips.xml`)).status).toBe(0);
    expect(new TextDecoder().decode(await session.read('skips.xml'))).toContain('failures="0" errors="0" skipped="5"');
  });

  it('refuses expired metadata at --at (freeze attack)', async () => {
    const verdict = await verify(`${BUNDLE} ${ROOT} ${METADATA} --at 2026-11-23T00:00:00Z`);
    expect(verdict).toMatchObject({ status: 3, code: 'TRUST_EXPIRED', checks: { expiry: 'TRUST_EXPIRED' } });
    expect(verdict.checks['manifest-signatures']).toBe('skip');
  });

  it('refuses another root, and a root from the tree itself', async () => {
    await session.write('other.json', await plain.read('trust/root.json'));
    expect(await verify(`${BUNDLE} --root other.json ${METADATA}`)).toMatchObject({
      status: 3,
      checks: { metadata: expect.stringMatching(/^TRUST_/), 'manifest-signatures': 'skip' },
    });
    const inside = await session.json(`verify bundle ${BUNDLE} --root public/metadata/1.root.json ${METADATA}`);
    expect([inside.status, inside.error?.code]).toEqual([3, 'ROOT_INSIDE_TREE']);
  });

  it('refuses a root that the tree chooses by a link, whether to a file or by way of a folder', async () => {
    await cp(session.path('public'), session.path('linked'), { recursive: true });
    await symlink(session.path('trust/root.json'), session.path('linked/metadata/pin.json'));
    await symlink(session.path('trust'), session.path('linked/metadata/pins'));
    await symlink(session.path('linked/metadata'), session.path('alias'));
    for (const root of ['linked/metadata/pin.json', 'linked/metadata/pins/root.json', 'alias/pin.json']) {
      const line = `verify bundle ${BUNDLE} --root ${root} --metadata linked/metadata`;
      expect((await session.json(line)).error?.code).toBe('ROOT_INSIDE_TREE');
    }
    const around = `--root linked/metadata/../../trust/root.json --metadata linked/metadata`;
    expect(await verify(`${BUNDLE} ${around}`)).toMatchObject({ status: 0 });
  });

  it('refuses hybrid demanded where the root has none', async () => {
    await plain.ok('package release.yaml --key keys/targets.key --out out');
    const line = `verify bundle ${BUNDLE} ${ROOT} --require-hybrid`;
    const { status, error } = await plain.json(line);
    expect([status, error?.code]).toEqual([3, 'TRUST_HYBRID_MISSING']);
  });

  it('refuses classical signatures alone, post-quantum ones alone, and none that count', async () => {
    const bundle = await session.read(BUNDLE);
    const only = (algorithm: string): Uint8Array =>
      resigned(bundle, (signatures) => signatures.filter((one) => one.algorithm === algorithm));
    await session.write('classical.otap', only('ecdsa-p256'));
    expect(await verify(`classical.otap ${ROOT} ${METADATA}`)).toMatchObject({
      status: 3,
      code: 'TRUST_HYBRID_THRESHOLD',
      checks: {
        'manifest-signatures': 'TRUST_HYBRID_THRESHOLD',
        hybrid: 'TRUST_HYBRID_THRESHOLD',
        'chunk-tree': 'skip',
      },
    });
    await session.write('pq.otap', only('ml-dsa-65'));
    expect(await verify(`pq.otap ${ROOT} ${METADATA}`)).toMatchObject({ status: 3, code: 'TRUST_THRESHOLD' });
    const zeros = resigned(bundle, (all) =>
      all.map((one) => ({ ...one, signature: new Uint8Array(one.signature.length) })),
    );
    await session.write('zeros.otap', zeros);
    expect((await verify(`zeros.otap ${ROOT} ${METADATA}`)).code).toBe('TRUST_THRESHOLD');
  });

  it('refuses a bundle that is signed but not listed, and one that is not the listed one', async () => {
    await cp(session.path('oem'), session.path('oem-2'), { recursive: true });
    const env = { SECUREEV_REPO: 'oem-2', SOURCE_DATE_EPOCH: '1' };
    await session.write('fw/next.bin', testFirmware(5000, 8));
    await session.write(
      'next.yaml',
      'release: r2\nmodel: EV-1\nimages:\n  - { type: BCM, version: 2, file: fw/next.bin }\n',
    );
    await session.ok('package next.yaml --key keys/targets.key --out next', { env });
    expect(await verify(`next/ZG_BODY.otap ${ROOT} ${METADATA}`)).toMatchObject({
      status: 3,
      checks: {
        'manifest-signatures': 'pass',
        'chunk-tree': 'pass',
        'bundle-target': 'TRUST_TARGET_NOT_FOUND',
        'image-targets': 'TRUST_TARGET_NOT_FOUND',
      },
    });
    const twice = resigned(await session.read(BUNDLE), (all) =>
      // A second good bundle of the same manifest: another, equally good ECDSA signature (r, n - s).
      all.map((one) => (one.algorithm === 'ecdsa-p256' ? { ...one, signature: mirrored(one.signature) } : one)),
    );
    await session.write('twice.otap', twice);
    expect(await verify(`twice.otap ${ROOT} ${METADATA}`)).toMatchObject({
      status: 3,
      checks: { 'manifest-signatures': 'pass', 'bundle-target': 'TRUST_ARBITRARY_SOFTWARE', 'image-targets': 'pass' },
    });
  });

  it.each<[string, string, string]>([
    ['a lower version', 'ecus: [{ id: BCM, version: 1.2.0 }]', 'BUNDLE_VERSION_ROLLBACK'],
    ['a lower counter', 'ecus: [{ id: BCM, version: 1.0.0, release_counter: 9 }]', 'BUNDLE_VERSION_ROLLBACK'],
    ['a requirement unmet', 'ecus: [{ id: DOOR_R, type: DOOR, version: 1.0.0 }]', 'BUNDLE_REQUIREMENT_UNMET'],
    ['no objection', '{"ecus": [{"id": "BCM", "version": "1.0.0"}]}', 'pass'],
    ['none of its ECUs', 'ecus: [{ id: BCM-000001, version: 9.0.0, release_counter: 9 }]', 'skip'],
  ])('compares with --installed: %s', async (_, installed, expected) => {
    await session.write('installed.yaml', installed);
    const { checks } = await verify(`${BUNDLE} ${ROOT} ${METADATA} --installed installed.yaml`);
    expect(checks['installed-versions']).toBe(expected);
  });

  it('refuses what is no bundle, and what is cut or changed, with exit status 3', async () => {
    const bundle = await session.read(BUNDLE);
    const { payloads } = sectionsOf(bundle);
    const flipped = (at: number): Uint8Array => bundle.map((byte, i) => (i === at ? byte ^ 0x10 : byte));
    const cases: readonly [string, Uint8Array, string, string][] = [
      ['empty', new Uint8Array(0), 'structure', 'OTAP_TRUNCATED'],
      ['text', new TextEncoder().encode('not a bundle'), 'structure', 'OTAP_MALFORMED'],
      ['cut', bundle.slice(0, -1), 'chunk-tree', 'OTAP_TRUNCATED'],
      ['longer', concatBytes(bundle, Uint8Array.of(0)), 'structure', 'OTAP_TRAILING_BYTES'],
      ['tree', flipped(payloads), 'chunk-tree', 'OTAP_TREE_MISMATCH'],
      ['chunk', flipped(bundle.length - 1), 'chunk-tree', 'OTAP_CHUNK_MISMATCH'],
      ['manifest', flipped(40), 'manifest-signatures', 'TRUST_THRESHOLD'],
    ];
    for (const [name, bytes, check, code] of cases) {
      await session.write('bad.otap', bytes);
      const verdict = await verify(`bad.otap ${ROOT} ${METADATA}`);
      expect([name, verdict.status, verdict.checks[check]]).toEqual([name, 3, code]);
    }
    const missing = await session.json(`verify bundle none.otap ${ROOT} ${METADATA}`);
    expect([missing.status, missing.error?.code]).toEqual([5, 'FILE_NOT_FOUND']);
  });

  it('tells failures of the machine as what they are, not as verdicts', async () => {
    const line = `verify bundle ${BUNDLE} ${ROOT} ${METADATA}`;
    const broken = await session.json(line, { adapt: (io) => failing(io, 4).io });
    expect([broken.status, broken.error?.code]).toEqual([5, 'DISK_FULL']);
  });

  it('refuses every single flipped bit of header, manifest and signatures, and sampled ones of the payload', async () => {
    const bundle = await session.read(BUNDLE);
    const { payloads } = sectionsOf(bundle);
    const root = decodeRole(await session.read('trust/root.json'), 'root').unverified.signed;
    const request = {
      engine: 'native',
      policy: { target: 'bundles/r1/ZG_BODY.otap', policies: [rootPolicy(root, 'targets')] },
    } as const;
    const accepts = async (bytes: Uint8Array): Promise<boolean> => {
      try {
        const { head, readPayloads, finish } = await openBundle([bytes], 'native');
        const { verified } = verifyManifest(request, head);
        await readPayloads(verified.images, { engine: 'native', zstd: nodeZstd() });
        await finish();
        return true;
      } catch (thrown) {
        if (!isFailure(thrown)) throw thrown;
        return false;
      }
    };
    expect(await accepts(bundle)).toBe(true);
    const accepted: number[] = [];
    for (let at = 0; at < bundle.length; at += at < payloads ? 1 : 499) {
      const flipped = bundle.slice();
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
      if (await accepts(flipped)) accepted.push(at);
    }
    expect(accepted).toEqual([]);
  }, 60_000);
});

describe('unpack', () => {
  it('writes the images once all is verified', async () => {
    const { result } = await session.json(`unpack ${BUNDLE} -o images ${ROOT}`);
    expect(result).toMatchObject({ verified: true, images: [{ ecus: ['BCM'] }, { ecus: ['DOOR_L'] }] });
    expect(await session.read('images/EV-1/BCM/1.1.0/bcm.bin')).toEqual(await session.read('fw/bcm.bin'));
    expect(await session.read('images/EV-1/DOOR/1.1.0/door.bin')).toEqual(await session.read('fw/door.bin'));
    // Nobody knows whether the release was confidential.
    expect((await stat(session.path('images/EV-1/BCM/1.1.0/bcm.bin'))).mode & 0o777).toBe(0o600);
    const again = await session.json(`unpack ${BUNDLE} -o images ${ROOT}`);
    expect(again.error?.code).toBe('FILE_EXISTS');
    await session.ok(`unpack ${BUNDLE} -o images-2 ${ROOT} ${METADATA}`);
  });

  it('writes nothing of a bundle that is not good', async () => {
    const bundle = await session.read(BUNDLE);
    bundle[bundle.length - 1] = (bundle.at(-1) ?? 0) ^ 1;
    await session.write('bad.otap', bundle);
    for (const trust of [ROOT, `${ROOT} ${METADATA}`, '--unverified']) {
      const { error } = await session.json(`unpack bad.otap -o nothing ${trust}`);
      expect(error?.code).toBe('OTAP_CHUNK_MISMATCH');
      expect(await readdir(session.path('.'))).not.toContain('nothing');
    }
    expect((await session.run(`unpack bad.otap -o nothing ${ROOT}`)).status).toBe(3);
  });

  it('trusts nobody only when it is told to, and says so', async () => {
    expect((await session.json(`unpack ${BUNDLE} -o loose`)).error?.code).toBe('USAGE');
    expect((await session.json(`unpack ${BUNDLE} -o loose --unverified ${ROOT}`)).error?.code).toBe('USAGE');
    expect(await session.ok(`unpack ${BUNDLE} -o loose --unverified`)).toContain('NOT VERIFIED');
  });

  it('leaves no file on a disk that fails', async () => {
    let failed = 0;
    for (let failAt = 1; ; failAt++) {
      const { status } = await session.run(`unpack ${BUNDLE} -o faulty ${ROOT}`, {
        adapt: (io) => failing(io, failAt).io,
      });
      if (status === 0) break;
      failed += 1;
      const left = await readdir(session.path('faulty'), { recursive: true, withFileTypes: true }).catch(() => []);
      expect(left.filter((entry) => entry.isFile())).toEqual([]);
    }
    expect(failed).toBeGreaterThan(5);
  });
});

describe('inspect', () => {
  it('says what any file of ours says, headed NOT VERIFIED', async () => {
    const text = await session.ok(`inspect ${BUNDLE}`);
    expect(text.split('\n')[0]).toMatch(/^NOT VERIFIED/);
    expect(text).toContain('out/ZG_BODY.otap: OTAP bundle');
    expect(text).toContain('gateway: ZG_BODY');
    const kinds = ['keys/root.pub', 'keys/root.key', 'trust/root.json', 'public/metadata/timestamp.json'];
    const found = await Promise.all(
      kinds.map(async (file) => (await session.json(`inspect ${file}`)).result?.['kind']),
    );
    expect(found).toEqual(['public keys', 'private keys', 'metadata', 'metadata']);
    expect(await session.ok('inspect keys/root.key')).not.toContain('-----');
  });

  it('escapes control characters, and refuses what it does not know', async () => {
    const { status, stdout } = await session.run(`inspect ${BUNDLE}`);
    expect([status, /\p{Cc}/u.test(stdout.replaceAll('\n', ''))]).toEqual([0, false]);
    const { status: unknown, error } = await session.json('inspect fw/bcm.bin');
    expect([unknown, error?.code]).toEqual([4, 'INSPECT_UNKNOWN']);
  });
});

describe('what the commands for vehicles and offline machines load', () => {
  it.each(['verify-bundle', 'unpack', 'inspect'])(
    '%s: neither SQLite nor PKCS#11 nor a network client',
    async (name) => {
      expect(await loadedBy(name, /sqlite|pkcs11|node:(http|https|net|tls|dgram)|\/store\//)).toEqual([]);
    },
  );

  // Keys on tokens are reached through the list of signers, whose PKCS#11 is loaded when such a key is named.
  it.each(['verify-blob', 'decrypt'])('%s: neither SQLite nor a network client', async (name) => {
    expect(await loadedBy(name, /sqlite|node:(http|https|net|tls|dgram)|\/store\//)).toEqual([]);
  });
});

async function loadedBy(command: string, unwanted: RegExp): Promise<readonly string[]> {
  const loaded = await reachable(fileURLToPath(new URL(`./${command}.ts`, import.meta.url)));
  expect(loaded.size).toBeGreaterThan(20);
  return [...loaded].filter((from) => unwanted.test(from));
}

/** All that a module loads at run time, packages by name and files by path. */
async function reachable(entry: string): Promise<ReadonlySet<string>> {
  const seen = new Set<string>();
  const queue = [entry];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    if (!file.startsWith('/')) continue;
    const folder = dirname(file);
    for (const { from, how } of importsOf(await readFile(file, 'utf8'))) {
      if (how !== 'type') queue.push(from.startsWith('.') ? resolve(join(folder, from)) : from);
    }
  }
  return seen;
}

const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** (r, s) -> (r, n - s): as good as the first. */
function mirrored(signature: Uint8Array): Uint8Array {
  const s = BigInt(`0x${Buffer.from(signature.subarray(32)).toString('hex')}`);
  const other = Buffer.from((P256_ORDER - s).toString(16).padStart(64, '0'), 'hex');
  return concatBytes(signature.subarray(0, 32), other);
}
