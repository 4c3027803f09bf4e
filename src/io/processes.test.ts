import { describe, expect, test } from 'vitest';
import { fromUtf8, utf8 } from '../core/bytes.ts';
import { failure, isFailure } from '../core/errors.ts';
import type { ProcessRequest } from '../core/ports.ts';
import { nodeProcesses } from './processes.ts';

const ENV = { PATH: process.env['PATH'], SECUREEV_PASSPHRASE: 'hunter2', SECUREEV_PKCS11_PIN: '1234', OTHER: 'kept' };

function shell(script: string, more: Partial<ProcessRequest> = {}): ProcessRequest {
  return {
    command: 'sh',
    args: ['-c', script],
    stdin: new Uint8Array(),
    timeoutMs: 10_000,
    maxOutputBytes: 100_000,
    ...more,
  };
}

function processes(signal = new AbortController().signal): ReturnType<typeof nodeProcesses> {
  return nodeProcesses({ env: ENV, folder: '/', signal });
}

describe('child processes', () => {
  test('get their input and give output and status', async () => {
    const { status, stdout, stderr } = await processes().run(
      shell('cat; echo oops >&2; exit 3', { stdin: utf8('in') }),
    );
    expect([status, fromUtf8(stdout), fromUtf8(stderr)]).toEqual([3, 'in', 'oops\n']);
  });

  test('never see a passphrase or a PIN', async () => {
    const { stdout } = await processes().run(shell('env'));
    expect(fromUtf8(stdout)).toContain('OTHER=kept');
    expect(fromUtf8(stdout)).not.toMatch(/hunter2|1234/);
  });

  test('need not read their input', async () => {
    const { status } = await processes().run(shell('exit 0', { stdin: new Uint8Array(1_000_000) }));
    expect(status).toBe(0);
  });

  test.each([
    ['take too long', shell('sleep 20', { timeoutMs: 50 }), 'PROCESS_TIMEOUT'],
    ['say too much', shell('yes', { maxOutputBytes: 1000 }), 'PROCESS_FAILED'],
    ['are killed', shell('kill -9 $$'), 'PROCESS_FAILED'],
    ['do not exist', { ...shell(''), command: '/no/such/program' }, 'PROCESS_FAILED'],
  ] as const)('that %s end with a code', async (_, request, code) => {
    await expect(processes().run(request)).rejects.toSatisfy((thrown) => isFailure(thrown, code));
  });

  test('end with us', async () => {
    const controller = new AbortController();
    const running = processes(controller.signal).run(shell('sleep 20'));
    controller.abort(failure('INTERRUPTED', 'interrupted'));
    await expect(running).rejects.toSatisfy((thrown) => isFailure(thrown, 'INTERRUPTED'));
    await expect(processes(controller.signal).run(shell('true'))).rejects.toSatisfy((thrown) =>
      isFailure(thrown, 'INTERRUPTED'),
    );
  });
});
