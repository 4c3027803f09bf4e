/** The reference session, line by line, in process, on real firmware; and what becomes of its outputs when a byte is changed. */
import { cpSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { instantOf } from './core/brands.ts';
import { isFailure } from './core/errors.ts';
import { openBundle } from './formats/otap/index.ts';
import { bundleTargetName } from './ops/release/bundle-names.ts';
import { findListed, requireListedBundle } from './ops/release/bundle-targets.ts';
import { establishTrust } from './ops/release/pinned-trust.ts';
import { fakeIo } from './testing/fake-io.ts';
import { cliSession } from './testing/run-cli.ts';
import type { CliSession } from './testing/run-cli.ts';
import { verifyManifest } from './trust/bundle-manifest.ts';
import { bundlePolicyOf } from './trust/bundle-policy.ts';

const PROJECT = fileURLToPath(new URL('..', import.meta.url));
const VERIFY = 'verify bundle received.otap --root trust/root.json --metadata public/metadata';
const NOW = '2026-11-21T12:00:00Z';
const GATEWAYS = ['ZG_COCKPIT', 'ZG_CONNECTIVITY', 'ZG_POWERTRAIN'];

let session: CliSession;

beforeAll(async () => {
  session = await cliSession({ now: NOW });
  cpSync(join(PROJECT, 'fixtures/firmware'), session.path('firmware'), { recursive: true });
  for (const name of ['registry.yaml', 'release.yaml'])
    cpSync(join(PROJECT, 'fixtures/demo', name), session.path(name));
  const lines = readFileSync(join(PROJECT, 'scripts/reference-session.sh'), 'utf8').trimEnd().split('\n');
  for (const words of lines.flatMap((line) => commandsOf(line))) await session.ok(words, { env: environment() });
});

afterAll(async () => session[Symbol.asyncDispose]());

function environment(): Readonly<Record<string, string>> {
  return { SECUREEV_REPO: session.path('oem'), SECUREEV_PASSPHRASE: 'correct horse battery staple' };
}

/** What the shell makes of a line of the session: `export` nothing, `for` one command per word, `*` the files there are. */
function commandsOf(line: string): string[][] {
  const loop = /^for (\w) in ([\w -]+); do (.*); done$/.exec(line);
  if (loop !== null)
    return (loop[2] ?? '').split(' ').flatMap((word) => commandsOf((loop[3] ?? '').replaceAll(`$${loop[1]}`, word)));
  const [program, ...words] = Array.from(
    line.matchAll(/'([^']*)'|(\S+)/g),
    ([, quoted, plain]) => quoted ?? plain ?? '',
  );
  return program === 'secureev' ? [words.flatMap((word) => expanded(word))] : [];
}

function expanded(word: string): string[] {
  if (!word.includes('*')) return [word];
  const [folder = '', pattern = ''] = word.split('/');
  const names = GATEWAYS.map((gateway) => pattern.replace('*', gateway));
  return names.map((name) => `${folder}/${name}`);
}

describe('the reference session', () => {
  test('makes a bundle and a sealed payload per gateway', () => {
    expect(readdirSync(session.path('bundles'))).toEqual(GATEWAYS.map((name) => `${name}.otap`));
    expect(readdirSync(session.path('sealed')).filter((name) => name.endsWith('.sev'))).toEqual(
      GATEWAYS.map((name) => `${name}.otap.sev`),
    );
  });

  test('gives the vehicle the very bundle that was packaged', async () => {
    expect(await session.read('received.otap')).toEqual(await session.read('bundles/ZG_POWERTRAIN.otap'));
  });

  test('ends with every check passed', async () => {
    const { ok, status, result } = await session.json(VERIFY);
    expect({ ok, status }).toEqual({ ok: true, status: 0 });
    const checks = result?.['checks'] as { id: string; status: string }[];
    expect(checks.length).toBeGreaterThan(8);
    expect(checks.filter((check) => check.status !== 'pass')).toEqual([]);
  });

  test('publishes no clear byte of a confidential release', () => {
    const published = readdirSync(session.path('public/targets'), { recursive: true, encoding: 'utf8' });
    const files = published.filter((name) => /\.(bin|fd|fw|otap|sev)$/.test(name));
    expect(files.filter((name) => name.endsWith('.sev'))).toHaveLength(GATEWAYS.length);
    expect(files.filter((name) => !name.endsWith('.sev'))).toEqual([]);
  });
});

describe('a flipped byte', () => {
  test('of all that is structure in a bundle, and of a sample of its payloads, is refused', async () => {
    const bundle = await session.read('received.otap');
    const codeOf = await bundleVerifier();
    expect(await codeOf(bundle)).toBe('verified');
    const places = new Set(bundlePlaces(bundle));
    expect(places.size).toBeGreaterThan(4000);
    for (const at of places) {
      bundle[at] = (bundle[at] ?? 0) ^ (1 << (at % 8));
      expect(await codeOf(bundle), `byte ${at}`).not.toBe('verified');
      bundle[at] = (bundle[at] ?? 0) ^ (1 << (at % 8));
    }
    expect(await codeOf(bundle)).toBe('verified');
  });

  test.each(['header', 'manifest', 'signatures', 'payload'])(
    'of the %s of a bundle ends with exit status 3',
    async (part) => {
      const bundle = await session.read('received.otap');
      const { manifestAt, signaturesAt, payloadsAt } = sectionsOf(bundle);
      const at =
        { header: 13, manifest: manifestAt + 40, signatures: signaturesAt + 99, payload: payloadsAt + 5000 }[part] ?? 0;
      bundle[at] = (bundle[at] ?? 0) ^ 4;
      await session.write('flipped.otap', bundle);
      const { status, ok, error } = await session.json(VERIFY.replace('received', 'flipped'));
      expect({ status, ok }).toEqual({ status: 3, ok: false });
      expect(error?.code).toMatch(/^(OTAP|CBOR|COSE|TRUST|BUNDLE|SIGNATURE|ZSTD|TARGET)_/);
    },
  );

  test('of a sealed payload is refused and leaves no output', async () => {
    const payload = await session.read('sealed/ZG_CONNECTIVITY.otap.sev');
    const envelopes = await session.read('sealed/ZG_CONNECTIVITY.otap.sevk');
    await session.write('flipped/a.otap.sevk', envelopes);
    for (const at of [0, 5, 7, 10, 20, 30, 60, 87, 88, 5000, payload.length - 1]) {
      payload[at] = (payload[at] ?? 0) ^ 1;
      await session.write('flipped/a.otap.sev', payload);
      const line = 'decrypt flipped/a.otap.sev --key keys/car-1.key -o flipped/a.otap';
      const { status } = await session.run(line, { env: environment() });
      expect([3, 4], `byte ${at}`).toContain(status);
      expect(readdirSync(session.path('flipped')).sort(), `byte ${at}`).toEqual(['a.otap.sev', 'a.otap.sevk']);
      payload[at] = (payload[at] ?? 0) ^ 1;
    }
  });
});

/** Where the parts of a version 2 bundle begin. */
function sectionsOf(bundle: Uint8Array): { manifestAt: number; signaturesAt: number; payloadsAt: number } {
  const view = new DataView(bundle.buffer, bundle.byteOffset);
  const lengthsAt = 9 + view.getUint8(8);
  const manifestAt = lengthsAt + 16;
  const signaturesAt = manifestAt + view.getUint32(lengthsAt + 4);
  return { manifestAt, signaturesAt, payloadsAt: signaturesAt + view.getUint32(lengthsAt + 8) };
}

/** All bytes before the payloads, the first ones of the payloads (tree, frame header), the last ones, and every 997th between. */
function* bundlePlaces(bundle: Uint8Array): Generator<number> {
  const { payloadsAt } = sectionsOf(bundle);
  for (let at = 0; at < payloadsAt + 256; at++) yield at;
  for (let at = payloadsAt + 256; at < bundle.length; at += 997) yield at;
  for (let at = bundle.length - 64; at < bundle.length; at++) yield at;
}

/** Verifies bundles as `verify bundle` does, under metadata that is verified once; gives `verified` or the error's code. */
async function bundleVerifier(): Promise<(bundle: Uint8Array) => Promise<string>> {
  const names = readdirSync(session.path('public/metadata'));
  const entries = await Promise.all(
    names.map(async (name) => [`metadata/${name}`, await session.read(`public/metadata/${name}`)] as const),
  );
  const io = fakeIo({ files: { ...Object.fromEntries(entries), 'root.json': await session.read('trust/root.json') } });
  const now = instantOf(Date.parse(NOW) / 1000);
  const pinned = { root: 'root.json', metadata: 'metadata', now, requireHybrid: true };
  const { set, source } = await establishTrust(io, await session.read('trust/root.json'), pinned);
  if (source === undefined) throw new Error('there is metadata');
  const verify = async (bundle: Uint8Array): Promise<void> => {
    const { head, readPayloads, finish } = await openBundle([bundle], io.engine);
    const found = await findListed(
      { source, set },
      bundleTargetName(head.manifest.unverified.release, head.gateway),
      head.gateway,
    );
    const { verified } = verifyManifest({ engine: io.engine, policy: bundlePolicyOf(found) }, head);
    await readPayloads(verified.images, { engine: io.engine, zstd: io.zstd });
    requireListedBundle(found, await finish());
  };
  return async (bundle) => {
    try {
      await verify(bundle);
      return 'verified';
    } catch (thrown) {
      if (isFailure(thrown)) return thrown.code;
      throw thrown;
    }
  };
}
