import { createHash } from 'node:crypto';
import { cp } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { fleetVin } from '../testing/director-fleet.ts';
import { fleetManifest, reportingFleet } from '../testing/reporting-fleet.ts';
import { cliSession } from '../testing/run-cli.ts';

function content(name: string): Uint8Array {
  return new Uint8Array(createHash('sha512').update(`${name}:1`).digest());
}

describe('U42 manifest import and list', () => {
  test('say what was taken in, what an ECU tells, and what is refused, with an exit status for each', async () => {
    await using fleet = await reportingFleet(2);
    await using session = await cliSession();
    await cp(`${fleet.folder}/oem`, session.path('oem'), { recursive: true });
    const time = session.clock.now();
    await session.write('good.json', await fleetManifest(0, { time, nonce: 'a' }, content));
    const first = await session.run('manifest import good.json --repo oem');
    expect(first).toMatchObject({ status: 0, stdout: '1 manifest: 1 accepted, 0 dropped, 0 refused\n' });
    const again = await session.json('manifest import good.json --repo oem');
    expect(again).toMatchObject({ status: 0, result: { accepted: 0, dropped: 1, reasons: { MANIFEST_REPLAY: 1 } } });

    await session.write(
      'told.json',
      await fleetManifest(1, { time, nonce: 'a', attacks: { BMS: 'rollback' } }, content),
    );
    const told = await session.run('manifest import told.json --repo oem');
    expect(told.status).toBe(6);
    expect(told.stdout).toContain(`${fleetVin(1)}  BMS: rollback`);
    await session.write('other.json', await fleetManifest(0, { time, nonce: 'b', vin: fleetVin(1) }, content));
    const refused = await session.json('manifest import other.json --repo oem');
    expect(refused).toMatchObject({ status: 3, ok: false, error: { code: 'MANIFEST_REFUSED' } });
    expect((await session.run('manifest import nothing.json --repo oem')).status).toBe(5);

    const list = await session.json('manifest list --attacks --repo oem');
    expect(list.result).toMatchObject({ manifests: [{ vin: fleetVin(1), attack: 'BMS: rollback' }] });

    const both = [
      await fleetManifest(1, { time: session.clock.now(), nonce: 'c', attacks: { BMS: 'freeze' } }, content),
      await fleetManifest(0, { time, nonce: 'd', vin: fleetVin(1) }, content),
    ];
    await session.write('both.jsonl', both.map((bytes) => `${new TextDecoder().decode(bytes).trim()}\n`).join(''));
    const hidden = await session.json('manifest import both.jsonl --repo oem');
    expect(hidden).toMatchObject({ status: 6, ok: false, error: { code: 'MANIFEST_REFUSED' } });
    expect(await session.ok(`manifest list --vin ${fleetVin(0)} --repo oem`)).toContain(fleetVin(0));
  });
});
