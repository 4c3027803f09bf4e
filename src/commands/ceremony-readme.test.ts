/** The README's chapter on ceremonies, line by line; answers from a file stand for the people. */
import { readFileSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cliSession } from '../testing/run-cli.ts';
import type { CliSession } from '../testing/run-cli.ts';
import { shellLines } from '../testing/shell-lines.ts';

const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const ANSWERS = 'passphrases: { CA: one secret, CB: another secret, CC: a third secret }\nprinter: printed\n';

test("the README's chapter on ceremonies works as it stands", async () => {
  await using session = await cliSession({ files: { 'answers.yaml': ANSWERS } });
  const [, chapter = ''] = /^(## A root key ceremony\n[^]*?)^## /m.exec(README) ?? [];
  const lines = shellLines(chapter);
  expect(lines.filter((line) => line.startsWith('secureev ceremony '))).toHaveLength(6);
  for (const line of lines) await follow(session, line);
  const status = await session.ok('status', { env: { SECUREEV_REPO: 'oem' } });
  expect(status).toMatch(/^root +1 +2 of 3 [^]*^director\/root +1 +2 of 3 /m);
}, 180_000);

async function follow(session: CliSession, line: string): Promise<void> {
  const [command = '', ...words] = line.split(' ');
  if (command === 'secureev') {
    await session.ok(rehearsed(line.slice('secureev '.length)), { env: { SECUREEV_PASSPHRASE: 'x' } });
  } else if (command === 'mkdir') {
    for (const folder of words.slice(1)) await mkdir(session.path(folder), { recursive: true });
  } else if (line === 'rm media/*/*') {
    for (const medium of await readdir(session.path('media'))) {
      for (const file of await readdir(session.path(join('media', medium))))
        await rm(session.path(join('media', medium, file)));
    }
  } else if (command !== 'export') {
    throw new Error(`the README's chapter has a line that this test cannot follow: ${line}`);
  }
}

/** Nobody is here, and the machine of a test is no vault: every ceremony is a rehearsal. */
function rehearsed(line: string): string {
  const needs = /^ceremony (?:run|verify)|--from-ceremony/.test(line) && !line.includes('--rehearsal');
  const marked = needs ? `${line} --rehearsal` : line;
  return line.startsWith('ceremony run') ? `${marked} --answers answers.yaml` : marked;
}
