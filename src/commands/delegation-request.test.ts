/** A delegated role without a network: its requests, and those of its bundles. */
import { describe, expect, test } from 'vitest';
import { releaseSession } from '../testing/release-session.ts';
import type { CliSession } from '../testing/run-cli.ts';

const ALL = ['targets', 'snapshot', 'timestamp'].map((role) => `--key keys/${role}.key`).join(' ');

async function session(scheme: string): Promise<CliSession> {
  return await releaseSession({ scheme });
}

describe('a delegated role without a network', () => {
  test('its request shows the whole chain, is verified under the pinned root and signed by its key', async () => {
    await using on = await session('ecdsa-p256');
    for (const name of ['images', 'brakes', 'stranger']) await on.ok(`keygen ${name} --out keys --scheme ecdsa-p256`);
    await on.ok("delegation add images --path 'EV-1/*/*/*' --key keys/images.pub");
    await on.ok("delegation add brakes --under images --path 'EV-1/BRAKES/*/*' --key keys/brakes.pub");
    await on.ok(`sign targets images snapshot timestamp ${ALL} --key keys/images.key`);
    await on.write('b.bin', 'brakes');
    const target = 'EV-1/BRAKES/1.0/b.bin';
    await on.ok(`target add b.bin --name ${target} --hardware H --version-id 1.0 --release-counter 1 --clear`);
    await on.ok('request create brakes -o brakes.sigreq');
    const sign = 'request sign brakes.sigreq --root trust/root.json --yes';
    const stranger = await on.json(`${sign} --key keys/stranger.key -o x.sig`);
    expect(stranger.error?.code).toBe('KEY_NOT_OF_ROLE');
    const above = await on.json(`${sign} --key keys/images.key -o x.sig`);
    expect(above.error?.code).toBe('KEY_NOT_OF_ROLE');
    expect(await on.ok(`${sign} --key keys/brakes.key -o brakes.sig`)).toContain(target);
    await on.ok('request import brakes.sig');
    await on.ok(`sign snapshot timestamp ${ALL.replace('--key keys/targets.key', '')}`);
    await on.ok('publish image public');
    await on.ok(`verify repository public --root trust/root.json --state state --target ${target} --out got`);
    expect(await on.read('got/EV-1/BRAKES/1.0/b.bin')).toEqual(new Uint8Array(Buffer.from('brakes')));
    expect(await on.ok('delegation list')).toContain('  images -> brakes: EV-1/BRAKES/*/*');
  });

  test('a bundle of a delegated role is completed by request', async () => {
    await using on = await session('ecdsa-p256');
    await on.ok('keygen packaging --out keys --scheme ecdsa-p256');
    await on.ok("delegation add bundles --path 'bundles/*/*' --key keys/packaging.pub");
    await on.ok(`sign targets bundles snapshot timestamp ${ALL} --key keys/packaging.key`);
    await on.ok('package release.yaml --incomplete --out bundles');
    await on.ok('request create bundle bundles/ZG_BODY.otap -o b.sigreq');
    await on.ok('request sign b.sigreq --root trust/root.json --yes --key keys/packaging.key -o b.sig');
    expect(await on.ok('request import b.sig --bundle bundles/ZG_BODY.otap')).toContain('complete');
  });
});
