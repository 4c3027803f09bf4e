import { stat } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { releaseSession } from '../testing/release-session.ts';
import type { CliSession } from '../testing/run-cli.ts';

let session: CliSession;
const SIGN = 'request sign ZG_BODY.sigreq --root trust/root.json --key keys/targets.key --yes';

const code = async (line: string): Promise<string> => (await session.json(line)).error?.code ?? 'ok';

beforeAll(async () => {
  session = await releaseSession();
  await session.ok('root export -o trust/root.json --overwrite');
});
afterAll(async () => await session[Symbol.asyncDispose]());

describe('a bundle signed over the air gap', () => {
  test('is packaged without keys, and verified by nobody yet', async () => {
    expect(await code('package release.yaml --out bundles')).toBe('BUNDLE_THRESHOLD');
    await session.ok('package release.yaml --incomplete --out bundles');
    const verdict = await session.json('verify bundle bundles/ZG_BODY.otap --root trust/root.json');
    expect(verdict.status).toBe(3);
    expect(JSON.stringify(verdict)).toContain('TRUST_THRESHOLD');
    expect(JSON.stringify((await session.json('target list')).result)).not.toContain('ZG_BODY.otap');
    await session.ok('keygen escrow --purpose encryption --out keys');
    await session.ok('role set escrow --key keys/escrow.pub');
    await session.ok('keygen car --purpose encryption --out keys');
    await session.ok('vehicle add 5YJ3E1EA0KF000316 --model EV-1 --encryption-key keys/car.pub');
    const sealing = await session.json('encrypt bundles/ZG_BODY.otap --vehicle 5YJ3E1EA0KF000316 --out sealed');
    expect(sealing.error?.code).toBe('SEALED_SIGNATURES_MISSING');
    expect(sealing.error?.hint).toMatch(
      /^nobody has signed it yet: `secureev request create bundle \S*bundles\/ZG_BODY.otap -o F.sigreq`, and /,
    );
  });

  test('is shown to the offline signer as its manifest says, and completed in place', async () => {
    await session.ok('request create bundle bundles/ZG_BODY.otap -o ZG_BODY.sigreq');
    expect((await session.json('inspect ZG_BODY.sigreq')).result).toMatchObject({
      verified: false,
      kind: 'signing request',
      facts: {
        subject: 'bundle',
        role: 'targets',
        target: 'bundles/r1/ZG_BODY.otap',
        gateway: 'ZG_BODY',
        release: 'r1',
      },
    });
    const words = await session.ok(`${SIGN} --journal journal -o ZG_BODY.sig`);
    expect(words).toMatch(/bundle of release r1 for gateway ZG_BODY, model EV-1/);
    expect(words).toMatch(/EV-1\/DOOR\/1\.1\.0\/door\.bin +1\.1\.0/);
    expect(await code('request import ZG_BODY.sig')).toBe('REQUEST_BUNDLE_MISSING');
    expect(await code('request import ZG_BODY.sig --bundle bundles/ZG_DRIVE.otap')).toBe('REQUEST_BUNDLE_MISSING');
    const mode = async (): Promise<number> => (await stat(session.path('bundles/ZG_BODY.otap'))).mode & 0o777;
    expect(await mode()).toBe(0o600);
    const bundle = await session.read('bundles/ZG_BODY.otap');
    const altered = bundle.slice();
    altered.set([(bundle.at(-1) ?? 0) ^ 1], bundle.length - 1);
    await session.write('bundles/ZG_BODY.otap', altered);
    expect(await code('request import ZG_BODY.sig --bundle bundles/ZG_BODY.otap')).toBe('OTAP_CHUNK_MISMATCH');
    expect(await session.read('bundles/ZG_BODY.otap')).toEqual(altered);
    await session.write('bundles/ZG_BODY.otap', bundle);
    const imported = await session.json('request import ZG_BODY.sig --bundle bundles/ZG_BODY.otap');
    expect(await mode()).toBe(0o600);
    expect(imported.result).toMatchObject({ complete: true, bundles: [{ complete: true, added: 2 }] });
    expect(JSON.stringify((await session.json('target list')).result)).toContain('bundles/r1/ZG_BODY.otap');
    expect(JSON.stringify((await session.json('request list')).result)).toContain('"state":"complete"');
    expect(await code('request import ZG_BODY.sig --bundle bundles/ZG_BODY.otap')).toBe('REQUEST_NOTHING_TO_SIGN');
  });

  test('verifies like any other bundle once its targets are signed', async () => {
    await session.ok('request create bundle bundles/ZG_DRIVE.otap -o d.sigreq');
    await session.ok('request sign d.sigreq --root trust/root.json --key keys/targets.key -o d.sig --yes');
    await session.ok('request import d.sig --bundle bundles/ZG_DRIVE.otap');
    await session.ok('encrypt bundles/ZG_BODY.otap bundles/ZG_DRIVE.otap --vehicle 5YJ3E1EA0KF000316 --out sealed');
    await session.ok(
      'sign targets snapshot timestamp --key keys/targets.key --key keys/snapshot.key --key keys/timestamp.key',
    );
    await session.ok('publish image public');
    for (const gateway of ['ZG_BODY', 'ZG_DRIVE']) {
      const text = await session.ok(
        `verify bundle bundles/${gateway}.otap --root trust/root.json --metadata public/metadata`,
      );
      expect(text).toContain('VERIFIED');
    }
  });

  test('a changed request or another key signs nothing that is taken', async () => {
    const request = await session.read('ZG_BODY.sigreq');
    for (const at of [5, 40, 300, Math.floor(request.length / 3), request.length - 40]) {
      const changed = request.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      await session.write('changed.sigreq', changed);
      const out = `changed-${at}.sig`;
      const answer = await session.json(
        `request sign changed.sigreq --root trust/root.json --key keys/targets.key -o ${out} --yes`,
      );
      const seen = answer.status === 0 ? await code(`request import ${out}`) : (answer.error?.code ?? '');
      expect(seen, `byte ${at}`).toMatch(/^(REQUEST|TRUST|CBOR|JSON|METADATA|OTAP|USAGE)/);
    }
    expect(await code(`${SIGN.replace('targets.key', 'snapshot.key')} -o x.sig`)).toBe('KEY_NOT_OF_ROLE');
  });
});
