/** Interoperability: tuf-js follows our delegations, nested and terminating, and our hashed bins, hybrid or not. */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import type { SignatureId } from '../../crypto/signatures/index.ts';
import { delegate, delegateBins } from '../../testing/delegations.ts';
import { ONLINE, repositoryWithRoot } from '../../testing/signed-repository.ts';
import type { TestRepository } from '../../testing/signed-repository.ts';
import { serveFolder } from '../../testing/static-server.ts';
import { TUF_JS_NOW, tufJsClient } from '../../testing/tuf-js-client.ts';
import type { TufJsClient } from '../../testing/tuf-js-client.ts';
import { changeDelegation } from './delegation-change.ts';
import { publishImage } from './publish-image.ts';

const SCHEMES: readonly (readonly SignatureId[])[] = [['ecdsa-p256', 'ml-dsa-65'], ['ed25519']];
const CHANGE = { add: [], remove: [], replace: [], addPaths: [], removePaths: [], move: false } as const;

async function publish(repository: TestRepository, keys: string): Promise<void> {
  await repository.sign('', `${ONLINE} ${keys}`);
  await publishImage({ repository: repository.choice, folder: 'public' }, repository.io);
}

async function withClient(repository: TestRepository, work: (car: TufJsClient) => Promise<void>): Promise<void> {
  await using server = await serveFolder(`${repository.folder}/public`);
  const root = await readFile(`${repository.folder}/public/metadata/1.root.json`);
  await work(await tufJsClient(`${repository.folder}/car`, root, server));
}

describe.each(SCHEMES.map((algorithms) => [algorithms.join(' + '), algorithms] as const))(
  'tuf-js with %s',
  (_, algorithms) => {
    test('U12, T8: nested delegations in order, a terminating one, keys that change', async () => {
      await using repository = await repositoryWithRoot({ algorithms, now: TUF_JS_NOW });
      await delegate(repository, 'images', 'EV-1/*/*/*');
      await delegate(repository, 'brakes', 'EV-1/BRAKES/*/*', { under: 'images', keys: ['b1', 'b2'], threshold: 2 });
      await delegate(repository, 'last', 'tools/*', { terminating: true });
      await delegate(repository, 'hidden', 'tools/* more/*');
      const brakes = await repository.addImage('EV-1/BRAKES/1.0/b.bin', 1);
      const body = await repository.addImage('EV-1/BODY/1.0/b.bin', 1);
      const tool = await repository.addImage('tools/t.bin', 1);
      const more = await repository.addImage('more/m.bin', 1);
      await publish(repository, 'images b1 b2 last hidden');
      await withClient(repository, async (car) => {
        expect(await car.download('EV-1/BRAKES/1.0/b.bin')).toEqual(brakes);
        expect(await car.download('EV-1/BODY/1.0/b.bin')).toEqual(body);
        expect(await car.download('tools/t.bin')).toEqual(tool);
        expect(await car.download('more/m.bin')).toEqual(more);
        expect(await car.download('tools/none.bin')).toBeUndefined();
        await repository.key('images-2');
        const old = (await repository.key('images')).keys[0]?.publicKey.keyId ?? '';
        const replace = [{ old, file: 'images-2.pub' }];
        const { choice, io } = repository;
        await changeDelegation({ ...CHANGE, repository: choice, name: 'images', replace }, io);
        const next = await repository.addImage('EV-1/BODY/2.0/b.bin', 2);
        await publish(repository, 'images-2 b1 b2 last hidden');
        expect(await car.download('EV-1/BODY/2.0/b.bin')).toEqual(next);
      });
    });

    test('TAP 15: hashed bins below a delegated role; only the bin that changes gets a version', async () => {
      await using repository = await repositoryWithRoot({ algorithms, now: TUF_JS_NOW });
      await delegate(repository, 'images', 'fw/*');
      await delegateBins(repository, 8, { under: 'images' });
      const contents = new Map<string, Uint8Array>();
      for (const n of Array.from({ length: 12 }, (_one, index) => index)) {
        contents.set(`fw/${n}.bin`, await repository.addImage(`fw/${n}.bin`, 1));
      }
      await publish(repository, 'images bins');
      await withClient(repository, async (car) => {
        for (const [name, content] of contents) expect(await car.download(name)).toEqual(content);
        expect(await car.download('fw/none.bin')).toBeUndefined();
        const next = await repository.addImage('fw/next.bin', 2);
        const { outcomes } = await repository.sign('', `${ONLINE} images bins`);
        expect(outcomes.find(({ role }) => role === 'bins')?.bins).toEqual({ total: 8, signed: 1 });
        await publish(repository, '');
        expect(await car.download('fw/next.bin')).toEqual(next);
      });
    });
  },
);
