/** What a delegation is where nobody says otherwise. */
import { expect, test } from 'vitest';
import { cliSession } from '../testing/run-cli.ts';
import { testKey } from '../testing/signer-keys.ts';

test('U14: a delegation does not end the search unless it is told to', async () => {
  await using session = await cliSession({ env: { SECUREEV_REPO: 'oem' } });
  await session.ok('init oem --name Test');
  for (const name of ['root', 'targets', 'snapshot', 'timestamp', 'supplier']) {
    await session.write(`${name}.pub`, testKey(name).publicFile);
    if (name !== 'supplier') await session.ok(`role set ${name} --key ${name}.pub`);
  }
  await session.ok("delegation add open --path 'a/*' --key supplier.pub");
  await session.ok("delegation add closed --path 'b/*' --key supplier.pub --terminating");
  const { result } = await session.json('delegation list');
  expect(result?.['delegations']).toMatchObject([
    { name: 'open', terminating: false },
    { name: 'closed', terminating: true },
  ]);
});
