/** The short way to a bin's bytes gives the same ones as the long way. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { instantOf, parseTargetName } from '../../core/brands.ts';
import { encodeSigned } from '../../formats/metadata/envelope.ts';
import { tuf } from '../../formats/metadata/tuf.ts';
import { targetsBody } from '../../plan/bodies.ts';
import { completeTargets, nextTargets, stageTarget } from '../../store/targets.ts';
import { findRole } from '../../store/roles.ts';
import { repositoryWithRoot } from '../../testing/signed-repository.ts';
import { binPayload } from './bin-payload.ts';

const NAME = fc
  .array(fc.stringMatching(/^[A-Za-z0-9_+~@-][A-Za-z0-9._+~@-]{0,6}$/), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join('/'));
const CUSTOM = fc.dictionary(
  fc.stringMatching(/^[a-zA-Z]{1,6}$/),
  fc.oneof(fc.integer(), fc.string(), fc.boolean(), fc.array(fc.stringMatching(/^[ -~]{0,5}$/), { maxLength: 3 })),
  { maxKeys: 4 },
);

test('U6: whatever is listed, staged or complete', async () => {
  await using repository = await repositoryWithRoot();
  const facts = { version: 3, expires: instantOf(2_000_000_000), repository: '0'.repeat(8), kind: 'image' } as const;
  const target = fc.record({
    name: NAME,
    length: fc.nat(),
    custom: CUSTOM,
    sha256: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  });
  await repository.open((open) => {
    fc.assert(
      fc.property(fc.array(target, { maxLength: 8 }), (targets) => {
        open.transact({ command: 'test', summary: '', dryRun: true }, (tx) => {
          for (const { name, custom, ...one } of targets) {
            const nfc = JSON.parse(JSON.stringify(custom).normalize('NFC')) as typeof custom;
            stageTarget(tx, { ...one, name: parseTargetName(name), custom: nfc, confidential: false });
          }
          const role = findRole(tx, { repository: 'image', name: 'targets' });
          if (role === undefined) return;
          for (const takesStaged of [true, false]) {
            const listed = takesStaged ? nextTargets(tx, role) : completeTargets(tx, role);
            const long = encodeSigned(targetsBody(facts, listed), tuf);
            expect(binPayload(tx, { role, takesStaged }, { facts, dialect: tuf })).toEqual(long);
          }
        });
      }),
      { numRuns: 60 },
    );
  });
});
