/** The README's chapter on campaigns is made of commands that the fleet session runs, in its order. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const PROJECT = join(import.meta.dirname, '../..');

test('every command of the chapter on campaigns is one of the session that CI runs', () => {
  const readme = readFileSync(join(PROJECT, 'README.md'), 'utf8');
  const session = readFileSync(join(PROJECT, 'scripts/fleet-session.sh'), 'utf8').split('\n');
  const [, chapter = ''] = readme.split('## The Director: campaigns\n');
  const [own = ''] = chapter.split('\n## ');
  const commands = [...own.matchAll(/```sh\n([^]*?)```/g)].flatMap(([, block = '']) => block.trim().split('\n'));
  expect(commands.length).toBeGreaterThan(10);
  const places = commands.map((command) => session.indexOf(command));
  expect(commands.filter((_, index) => places[index] === -1)).toEqual([]);
  expect(places).toEqual(places.toSorted((a, b) => a - b));
});
