import { expect, test } from 'vitest';
import { folderIo } from '../testing/folder-io.ts';
import { movingMuch } from './hash-indexes.ts';
import type { Tx } from './reader.ts';
import { createRepository } from './repository.ts';
import type { Repository } from './repository.ts';

const CHANGE = { command: 'sign', summary: 'much' };
const INDEXES = "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND name LIKE '%sha256' ORDER BY name";
const indexes = ({ sql }: Pick<Repository, 'sql'>) => sql<{ name: string; sql: string }>(INDEXES).all();

async function repositoryWith(io: Awaited<ReturnType<typeof folderIo>>['io'], staged: number): Promise<Repository> {
  const repository = await createRepository(io, 'oem', { name: 'Much', dialect: 'tuf' });
  repository.transact({ command: 'target add', summary: 'staged' }, (tx: Tx) => {
    tx.sql("INSERT INTO roles (id, repository, name) VALUES (7, 'image', 'targets')").run();
    tx.sql(
      `INSERT INTO staged (role_id, item, value) WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ?)
       SELECT 7, 'targets/' || i, json_object('sha256', hex(randomblob(32))) FROM n`,
    ).run(staged);
  });
  return repository;
}

test.each([
  [49_999, 3],
  [50_000, 1],
])(
  'with %d staged items %d of three indexes stay while they move, and all are there afterwards',
  async (staged, stay) => {
    await using machine = await folderIo();
    using repository = await repositoryWith(machine.io, staged);
    const before = indexes(repository);
    expect(before).toHaveLength(3);
    await repository.transactAsync(CHANGE, async (tx) => {
      await movingMuch(tx, async () => {
        expect(indexes(tx)).toHaveLength(stay);
        tx.sql('INSERT INTO content (role_id, item, value) SELECT role_id, item, value FROM staged').run();
        tx.sql('DELETE FROM staged').run();
      });
    });
    expect(indexes(repository)).toEqual(before);
    expect(repository.sql('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    const plan = repository.sql("EXPLAIN QUERY PLAN SELECT item FROM content WHERE value ->> '$.sha256' = ?").all('x');
    expect(JSON.stringify(plan)).toContain('content_sha256');
  },
);

test('what fails half-way leaves the indexes and all items as they were', async () => {
  await using machine = await folderIo();
  using repository = await repositoryWith(machine.io, 50_000);
  const before = indexes(repository);
  const work = repository.transactAsync(CHANGE, (tx) =>
    movingMuch(tx, async () => {
      tx.sql('DELETE FROM staged').run();
      throw new RangeError('half-way');
    }),
  );
  await expect(work).rejects.toThrow('half-way');
  expect(indexes(repository)).toEqual(before);
  expect(repository.sql('SELECT count(*) AS n FROM staged').get()).toEqual({ n: 50_000 });
});
