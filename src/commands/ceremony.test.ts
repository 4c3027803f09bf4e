import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fromUtf8, toHex } from '../core/bytes.ts';
import { decodeShareText } from '../formats/shares/key-share.ts';
import { joinShares } from '../ops/keys/shares.ts';
import { ceremonySession, secretOf } from '../testing/ceremony-session.ts';
import type { CliSession, JsonDocument } from '../testing/run-cli.ts';

const RUN = 'ceremony run ceremony.yaml --out held --rehearsal --answers answers.yaml';
const VERIFY = 'ceremony verify held --rehearsal';

describe('a ceremony of two custodians, rehearsed with answers from a file', () => {
  let session: CliSession;
  beforeAll(async () => {
    session = await ceremonySession({ more: 'dice_rolls: 10' });
    await session.ok(RUN);
  }, 120_000);
  afterAll(async () => session[Symbol.asyncDispose]());

  const failing = async (line = VERIFY): Promise<readonly string[]> => failedChecks(await session.json(line));
  const altered = async (path: string, change: (text: string) => string): Promise<readonly string[]> => {
    const before = await session.read(path);
    await session.write(path, change(fromUtf8(before)));
    const failed = await failing();
    await session.write(path, before);
    return failed;
  };

  test('verifies, but not as one for production', async () => {
    expect(await failing()).toEqual([]);
    expect(await failing('ceremony verify held')).toEqual(['production']);
    expect((await session.json('ceremony verify held')).status).toBe(3);
  });

  test('made keys that each custodian can use, and roots that both signed', async () => {
    const made = await session.json('key show media/AL/AL-image-root.key media/EC/EC-director-root.key');
    expect(JSON.stringify(made.result)).toContain('REHEARSAL Custodian AL');
    const root = JSON.parse(fromUtf8(await session.read('held/metadata/director/1.root.json'))) as {
      signatures: unknown[];
      signed: { roles: { root: { threshold: number; keyids: unknown[] } }; 'x-secureev': { kind: string } };
    };
    expect(root.signatures).toHaveLength(2);
    expect(root.signed.roles.root).toMatchObject({ threshold: 1, keyids: { length: 2 } });
    expect(root.signed['x-secureev'].kind).toBe('director');
    expect(await session.read('media/EC/director-1.root.json')).toEqual(
      await session.read('held/metadata/director/1.root.json'),
    );
  });

  test('left no secret anywhere but in the key files and on the printed pages', async () => {
    await session.ok('init oem --from-ceremony held --rehearsal');
    const secrets = [...['AL', 'EC'].map(secretOf), ...(await secretsPrinted(session))];
    expect(secrets).toHaveLength(2 + 12 + 4 * 3);
    const allowed = /^(?:printed\/|answers\.yaml$)/;
    const files = await readdir(session.folder, { recursive: true, withFileTypes: true });
    for (const file of files.filter((entry) => entry.isFile())) {
      const path = join(file.parentPath, file.name);
      if (allowed.test(path.slice(session.folder.length + 1))) continue;
      const text = await readFile(path, 'latin1');
      for (const secret of secrets) expect(text.includes(secret), `${path} holds a secret`).toBe(false);
    }
    expect((await readdir(session.path('oem'))).includes('repo.db')).toBe(true);
  });

  test('does not verify once anything is altered', async () => {
    const flip = (text: string): string => text.replace(/"place|Plant 1|"typed":"(\d)/, (found) => found.toUpperCase());
    expect(await altered('held/ceremony.yaml', flip)).toEqual(['transcript']);
    expect(
      await altered('held/transcript.jsonl', (text) => text.replace('"initials":["GH"', '"initials":["GX"')),
    ).toEqual(['transcript']);
    const cut = (text: string): string => text.split('\n').slice(0, -2).join('\n') + '\n';
    expect(await altered('held/transcript.jsonl', cut)).toEqual(['steps', 'signatures', 'report']);
    expect(await altered('held/report.md', (text) => text.replace('Plant 1', 'Plant 2'))).toEqual(['report']);
    expect(await altered('held/metadata/image/1.root.json', (text) => text.replace('2027', '2028'))).toEqual(['roots']);
    expect(await altered('held/brought/targets-1.pub', (text) => text.replace('purpose', 'Purpose'))).not.toEqual([]);
  });

  test("does not verify with another custodian's public file, proof or signatures", async () => {
    const swap = async (path: string, other: string): Promise<readonly string[]> => {
      const before = await session.read(path);
      await session.write(path, await session.read(other));
      const failed = await failing();
      await session.write(path, before);
      return failed;
    };
    const keys = await swap('held/public/AL-image-root.pub', 'held/public/EC-image-root.pub');
    expect(keys).toEqual(['keys', 'possession', 'roots', 'signatures']);
    const proof = await swap('held/possession/AL-image-root.cose', 'held/possession/AL-director-root.cose');
    expect(proof).toEqual(['possession']);
    expect(await swap('held/transcript.cose', 'held/possession/AL-image-root.cose')).toEqual(['signatures']);
  });

  test('cannot be held again in its folder, nor resumed or given up after its end', async () => {
    expect((await session.json(RUN)).error?.code).toBe('CEREMONY_FOLDER');
    expect((await session.json('ceremony resume held --answers answers.yaml')).error?.code).toBe('CEREMONY_OVER');
    const abort = await session.json(['ceremony', 'resume', 'held', '--abort', '--reason', 'late', '--yes']);
    expect([abort.status, abort.error?.code]).toEqual([6, 'CEREMONY_OVER']);
  });
});

describe('what a ceremony refuses', () => {
  const codeOf = async (session: CliSession, line = RUN): Promise<unknown> => {
    const { status, error } = await session.json(line);
    return [status, error?.code];
  };

  test('answers from a file outside a rehearsal, and nobody at the terminal', async () => {
    await using session = await ceremonySession({ brings: false });
    expect(await codeOf(session, RUN.replace('--rehearsal ', ''))).toEqual([6, 'CEREMONY_REHEARSAL']);
    expect(await codeOf(session, 'ceremony run ceremony.yaml --out held')).toEqual([2, 'NO_TERMINAL']);
    expect(await codeOf(session, 'ceremony resume held --answers answers.yaml')).toEqual([2, 'CEREMONY_FOLDER']);
  });

  test('a medium that is missing, and one medium under two names', async () => {
    await using session = await ceremonySession({ brings: false });
    const plan = fromUtf8(await session.read('ceremony.yaml'));
    await session.write('ceremony.yaml', plan.replace('media/EC', 'media/XX'));
    expect(await codeOf(session)).toEqual([5, 'CEREMONY_MEDIUM_MISSING']);
    await session.write('ceremony.yaml', plan.replace('media/EC', 'media/../media/AL'));
    expect(await codeOf(session)).toEqual([6, 'CEREMONY_MEDIUM_SHARED']);
    expect(await codeOf(session, VERIFY)).toEqual([3, 'CHECK_FAILED']);
  });

  test("a brought key that is not the plan's, and one that serves two roles", async () => {
    await using session = await ceremonySession({ custodians: ['AL'] });
    const plan = fromUtf8(await session.read('ceremony.yaml'));
    await session.write('ceremony.yaml', plan.replace('file: keys/snapshot.pub', 'file: keys/timestamp.pub'));
    expect(await codeOf(session)).toEqual([3, 'CEREMONY_KEY_OTHER']);
    await session.write('keys/snapshot.pub', await session.read('keys/targets.pub'));
    const [, targets = ''] = /keys\/targets.pub, id: (\w+)/.exec(plan) ?? [];
    const shared = plan.replace(/keys\/snapshot.pub, id: \w+/, `keys/targets.pub, id: ${targets}`);
    await session.write('ceremony.yaml', shared);
    expect(await codeOf(session, RUN.replace('held', 'other'))).toEqual([5, 'FILE_EXISTS']);
    await session.write('media/AL2/.keep', '');
    await session.write('ceremony.yaml', shared.replace('media/AL', 'media/AL2'));
    expect(await codeOf(session, RUN.replace('held', 'third'))).toEqual([6, 'KEY_DUPLICATE']);
  }, 60_000);
});

test('a plan is written, edited and shown', async () => {
  await using session = await ceremonySession({ brings: false });
  await session.ok(['ceremony', 'plan', 'new.yaml', '--custodians', '4', '--threshold', '3', '--place', "Ada's"]);
  const shown = await session.ok('ceremony plan new.yaml --show');
  expect(shown).toContain('3 of 4 custodians');
  expect(shown).toContain('Custodian D: make the director root key');
  expect((await session.json('ceremony plan new.yaml')).error?.code).toBe('FILE_EXISTS');
  expect((await session.json('ceremony plan wide.yaml --custodians 2 --threshold 3')).error?.code).toBe(
    'CEREMONY_PLAN_MALFORMED',
  );
});

/** A line of every share, and the private keys that the shares restore: raw, in hex and in base64. */
async function secretsPrinted(session: CliSession): Promise<readonly string[]> {
  const names = await readdir(session.path('printed'));
  const pages = await Promise.all(names.map((name) => readFile(session.path(`printed/${name}`), 'utf8')));
  const lines = pages.map((page) => /^02: (\S+ \S+ \S+ \S+)/m.exec(page)?.[1] ?? 'no share');
  const sets = Map.groupBy(pages.map(decodeShareText), ({ setId }) => toHex(setId));
  const joined = await Promise.all([...sets.values()].map((shares) => joinShares(shares.slice(0, 2), 'noble')));
  const forms = (secret: Uint8Array): readonly string[] => {
    const buffer = Buffer.from(secret);
    return [buffer.toString('latin1'), buffer.toString('hex'), buffer.toString('base64').slice(0, 40)];
  };
  return [...lines, ...joined.flat().flatMap(({ secret }) => forms(secret))];
}

function failedChecks(document: JsonDocument): readonly string[] {
  const details = document.error?.details as { failed?: readonly string[] } | undefined;
  return details?.failed ?? [];
}
