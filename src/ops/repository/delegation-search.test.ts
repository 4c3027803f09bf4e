/** U35, T8: whatever is delegated to whom, a client finds each target in the role that the store says, or not at all. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseTargetName } from '../../core/brands.ts';
import { findTarget as listedTarget } from '../../store/targets.ts';
import { delegate, delegateBins } from '../../testing/delegations.ts';
import { ONLINE, repositoryWithRoot } from '../../testing/signed-repository.ts';
import { findTarget } from '../../trust/find-target.ts';
import { updateFrom } from '../../trust/update.ts';
import { publishImage } from './publish-image.ts';
import { treeSource } from './tree-source.ts';

const NAMES = ['a/x', 'a/y', 'b/x', 'b/y', 'c/y', 'z'];
const PATHS = ['a/*', 'b/*', '*/x', 'a/x', '?/y', '*'];

const DELEGATION = fc.record({
  under: fc.nat(4),
  paths: fc.uniqueArray(fc.constantFrom(...PATHS), { minLength: 1, maxLength: 2 }),
  terminating: fc.boolean(),
});

test('U35, T8: client and store agree', { timeout: 120_000 }, async () => {
  const cases = fc.record({ delegations: fc.array(DELEGATION, { minLength: 1, maxLength: 5 }), bins: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(cases, async ({ delegations, bins }) => {
      await using repository = await repositoryWithRoot({ algorithms: ['ed25519'] });
      const { io, choice } = repository;
      const roles = ['targets'];
      for (const [index, { under, paths, terminating }] of delegations.entries()) {
        const above = roles[under % roles.length] ?? 'targets';
        await delegate(repository, `d${index}`, paths.join(' '), { under: above, terminating });
        roles.push(`d${index}`);
      }
      if (bins) await delegateBins(repository, 2, { under: roles.at(-1) ?? 'targets' });
      for (const name of NAMES) await repository.addImage(name, 1);
      await repository.sign('', `${ONLINE} ${roles.slice(1).join(' ')}${bins ? ' bins' : ''}`);
      await publishImage({ repository: choice, folder: 'public' }, io);
      const source = treeSource(io, 'public').metadata;
      const pinnedRoot = await io.files.read('public/metadata/1.root.json', 1_000_000);
      const set = await updateFrom(source, { engine: io.engine, pinnedRoot, now: io.clock.now() });
      for (const text of NAMES) {
        const name = parseTargetName(text);
        const stored = await repository.open((open) => listedTarget(open, name)?.role);
        const { found } = await findTarget({ source }, set, { name });
        expect([text, found?.verified.role]).toEqual([text, stored]);
        expect(stored).toBeDefined();
      }
    }),
    { numRuns: 6 },
  );
});
