/** A session that is ready for campaigns. */
import { releaseSession } from './release-session.ts';
import type { CliSession } from './run-cli.ts';

/** The vehicles of `fleet.txt`. */
export const CAMPAIGN_VINS = Array.from({ length: 6 }, (_, index) => `5YJ3E1EA0KF00031${index}`);

/** A session with a Director, six vehicles (the first has an encryption key) and release r1, signed. */
export async function campaignSession(confidential: boolean): Promise<CliSession> {
  const session = await releaseSession({ scheme: confidential ? 'hybrid' : 'ecdsa-p256' });
  await session.write('fleet.txt', `# all\n${CAMPAIGN_VINS.join('\n')}\n`);
  for (const key of ['d-root', 'director']) await session.ok(`keygen ${key} --out keys --scheme ecdsa-p256`);
  await session.ok('role set director/root --key keys/d-root.pub');
  for (const role of ['targets', 'snapshot', 'timestamp']) {
    await session.ok(`role set director/${role} --key keys/director.pub`);
  }
  await session.ok('sign director/root --key keys/d-root.key');
  for (const key of ['escrow', 'car-1']) await session.ok(`keygen ${key} --purpose encryption --out keys`);
  await session.ok('role set escrow --key keys/escrow.pub');
  for (const vin of CAMPAIGN_VINS) {
    await session.ok(
      `vehicle add ${vin} --model EV-1 ${vin === CAMPAIGN_VINS[0] ? '--encryption-key keys/car-1.pub' : ''}`,
    );
  }
  const plan = new TextDecoder().decode(await session.read('release.yaml'));
  if (!confidential) await session.write('release.yaml', plan.replace('images:', 'confidential: false\nimages:'));
  await session.ok('package release.yaml --key keys/targets.key --out bundles');
  return session;
}
