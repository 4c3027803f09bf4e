/** `delegation change`, `remove`, `list` and `bins` at the command line: words, JSON, exit statuses, dry runs. */
import { expect, test } from 'vitest';
import { cliSession } from '../testing/run-cli.ts';
import type { CliSession } from '../testing/run-cli.ts';
import { testKey } from '../testing/signer-keys.ts';

const ROLES = ['root', 'targets', 'snapshot', 'timestamp'];

async function session(): Promise<CliSession> {
  const on = await cliSession({ env: { SECUREEV_REPO: 'oem', SECUREEV_PASSPHRASE: 'x' } });
  await on.ok('init oem --name Test');
  for (const name of [...ROLES, 'a', 'b', 'c']) await on.write(`${name}.pub`, testKey(name).publicFile);
  for (const role of ROLES) await on.ok(`role set ${role} --key ${role}.pub`);
  return on;
}

test('U13: every change of a delegation is staged and told', async () => {
  await using on = await session();
  await on.ok("delegation add fw --path 'fw/*' --key a.pub");
  const again = await on.json("delegation add fw --path 'x/*' --key b.pub");
  expect([again.status, again.error?.code]).toEqual([6, 'DELEGATION_EXISTS']);
  const dry = await on.json("delegation change fw --add-path 'more/*' --dry-run");
  expect(dry.status).toBe(0);
  expect(await on.ok('delegation list')).not.toContain('more/*');
  const words = await on.ok(
    "delegation change fw --add b.pub --threshold 2 --add-path 'more/*' --remove-path 'fw/*' --hardware H1 --terminating",
  );
  expect(words).toContain('  fw: 1 of 1 key -> 2 of 2 keys');
  expect(await on.ok('delegation list')).toContain('targets -> fw: more/*, hardware H1, terminating, staged');
  await on.ok('delegation change fw --any-hardware --no-terminating');
  expect(await on.ok('delegation list')).toContain('targets -> fw: more/*, staged');
  await on.ok("delegation add first --path 'more/*' --key c.pub --before fw");
  const { result } = await on.json('delegation list');
  const listed = result?.['delegations'] as readonly { name: string; depth: number; staged: boolean }[];
  expect(listed.map(({ name, depth, staged }) => [name, depth, staged])).toEqual([
    ['first', 0, true],
    ['fw', 0, true],
  ]);
  expect(await on.ok('diff targets')).toContain('+ delegation fw (2. more/*)');
  expect(await on.ok('delegation remove first')).toContain('targets no longer delegates to first (staged)');
  expect(await on.ok('discard targets')).toContain('targets');
  expect(await on.ok('delegation list')).toContain('nothing is delegated');
});

test('what cannot be is refused with the status of its kind', async () => {
  await using on = await session();
  const codes: (readonly [string, number, string])[] = [
    ["delegation add fw --path 'fw/*'", 2, 'USAGE'],
    ['delegation add fw --key a.pub', 2, 'DELEGATION_FORM'],
    ["delegation add fw --path 'a//b' --key a.pub", 2, 'PATH_PATTERN'],
    ["delegation add fw --path 'fw/*' --multi-role --key a.pub", 2, 'DELEGATION_FORM'],
    ["delegation add fw --path 'fw/*' --key a.pub --under nobody", 2, 'ROLE_UNKNOWN'],
    ["delegation add fw --path 'fw/*' --key missing.pub", 5, 'FILE_NOT_FOUND'],
    ['delegation change fw --threshold 2', 6, 'DELEGATION_UNKNOWN'],
    ['delegation change fw --before x --last', 2, 'USAGE'],
    ['delegation remove fw', 6, 'DELEGATION_UNKNOWN'],
    ['delegation bins 12 --key a.pub', 2, 'USAGE'],
    ['delegation bins many --key a.pub', 2, 'USAGE'],
    ['delegation bins 16', 2, 'USAGE'],
    ['sign nobody', 2, 'ROLE_UNKNOWN'],
    ['diff nobody', 2, 'ROLE_UNKNOWN'],
    ['discard nobody', 2, 'ROLE_UNKNOWN'],
  ];
  for (const [line, status, code] of codes) {
    const { status: found, error } = await on.json(line);
    expect([line, found, error?.code]).toEqual([line, status, code]);
  }
  expect(await on.ok('delegation list')).toContain('nothing is delegated');
});

test('TAP 15: bins are one line wherever roles are listed', async () => {
  await using on = await session();
  await on.ok("delegation add images --path 'EV-1/*/*/*' --key a.pub");
  expect(await on.ok('delegation bins 256 --under images --key b.pub')).toContain(
    'images delegates 256 hashed bins to bins',
  );
  expect(await on.ok('delegation list')).toContain('  images -> bins: 256 hashed bins, 0 signed, staged');
  expect(await on.ok('status')).toMatch(/^bins +- +1 of 1 /m);
  expect(await on.ok('diff images')).toContain('+ bins bins (256 hashed bins)');
  const { error } = await on.json("delegation change bins --add-path 'x/*'");
  expect(error?.code).toBe('DELEGATION_FORM');
  const { error: request } = await on.json('request create bins -o x.sigreq');
  expect(request?.code).toBe('REQUEST_NOTHING_TO_SIGN');
});

test('status says by whose delegation a role has other keys', async () => {
  await using on = await cliSession({ env: { SECUREEV_REPO: 'oem', SECUREEV_PASSPHRASE: 'x' } });
  await on.ok('init oem --name Test');
  for (const name of ['top', 'a', 'b']) await on.ok(`keygen ${name} --out keys --scheme ed25519`);
  for (const role of ROLES) await on.ok(`role set ${role} --key keys/top.pub`);
  await on.ok("delegation add fw --path 'fw/*' --key keys/a.pub");
  expect(await on.ok('status')).toMatch(/^fw +- +1 of 1 \(staged\) /m);
  await on.ok('sign root targets fw --key keys/top.key --key keys/a.key');
  await on.ok('delegation change fw --add keys/b.pub --threshold 2');
  expect(await on.ok('status')).toMatch(/^fw +1 +1 of 1, 2 of 2 \(staged\) .* -$/m);
  await on.ok('sign targets --key keys/top.key');
  const status = await on.ok('status');
  expect(status).toMatch(/^fw +1 +2 of 2 .* keys that targets delegates to have changed$/m);
  expect(status).not.toContain('keys of the root');
});
