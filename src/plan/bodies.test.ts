import { expect, test } from 'vitest';
import { instantOf } from '../core/brands.ts';
import { isFailure } from '../core/errors.ts';
import { TOP_LEVEL_ROLES } from '../formats/metadata/types.ts';
import { testKey } from '../testing/signer-keys.ts';
import { rootBody } from './bodies.ts';
import type { RootDefinitions } from './bodies.ts';
import { firstDefinition } from './role-definition.ts';

function definitions(algorithms: Parameters<typeof testKey>[1]): RootDefinitions {
  return new Map(
    TOP_LEVEL_ROLES.map((name) => {
      const publicFile = { name, text: Buffer.from(testKey(`${name}-key`, algorithms).publicFile).toString() };
      return [name, firstDefinition(name, [publicFile], {})] as const;
    }),
  );
}

const FACTS = { version: 2, expires: instantOf(1_900_000_000), repository: 'r', kind: 'image' } as const;
const HYBRID = definitions(['ecdsa-p256', 'ml-dsa-65']);
const CLASSICAL = definitions(['ecdsa-p256']);

test('a root that was hybrid does not become classical, whatever was staged', () => {
  let thrown: unknown;
  try {
    rootBody(FACTS, CLASSICAL, HYBRID);
  } catch (error) {
    thrown = error;
  }
  expect(isFailure(thrown, 'HYBRID_DROPPED')).toBe(true);
});

test('a classical root may become hybrid', () => {
  expect(rootBody(FACTS, HYBRID, CLASSICAL).extension?.hybrid?.keys.size).toBe(TOP_LEVEL_ROLES.length);
});
