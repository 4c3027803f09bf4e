/**
 * Child processes.
 *
 * Invariants: no passphrase or PIN of ours is in a child's environment; none runs longer, or says more, than it may;
 * none outlives us.
 */
import type { ChildProcess } from 'node:child_process';
import { concatBytes } from '../core/bytes.ts';
import { SecureevError } from '../core/errors.ts';
import { quote } from '../core/brands.ts';
import type { ProcessRequest, Processes } from '../core/ports.ts';
import { systemCode } from './system-errors.ts';

const SECRET_VARIABLE = /^SECUREEV_.*(?:PASSPHRASE|PIN|SECRET|TOKEN)/;

type Variables = Readonly<Record<string, string | undefined>>;

/** Child processes that see `env` without our secrets, work in `folder` and end when `signal` is raised. */
export function nodeProcesses(setting: { env: Variables; folder: string; signal: AbortSignal }): Processes {
  const env = Object.fromEntries(Object.entries(setting.env).filter(([name]) => !SECRET_VARIABLE.test(name)));
  return {
    async run(request) {
      setting.signal.throwIfAborted();
      // Few commands start a process, and the module takes as long to load as some of them run.
      const { spawn } = process.getBuiltinModule('node:child_process');
      const child = spawn(request.command, request.args, { env, cwd: setting.folder, stdio: 'pipe', shell: false });
      try {
        return await finished(child, request, setting.signal);
      } finally {
        child.kill('SIGKILL');
        // A grandchild may still hold the other ends.
        for (const pipe of [child.stdout, child.stderr]) pipe.destroy();
      }
    },
  };
}

type Result = Awaited<ReturnType<Processes['run']>>;

async function finished(child: ChildProcess, request: ProcessRequest, signal: AbortSignal): Promise<Result> {
  const { promise, resolve, reject } = Promise.withResolvers<Result>();
  const timer = setTimeout(() => reject(timedOut(request)), request.timeoutMs);
  const stop = (): void => reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  const refuse = (): void => reject(saidTooMuch(request));
  const stdout = gather(child.stdout, request.maxOutputBytes, refuse);
  const stderr = gather(child.stderr, request.maxOutputBytes, refuse);
  child.on('error', (cause) => reject(notStarted(request, cause)));
  child.on('close', (status, killedBy) => {
    if (status === null) reject(killed(request, String(killedBy)));
    else resolve({ status, stdout: concatBytes(...stdout), stderr: concatBytes(...stderr) });
  });
  // A child that does not read its input closes it; its status says more than EPIPE.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(request.stdin);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

function gather(stream: ChildProcess['stdout'], maxBytes: number, refuse: () => void): readonly Uint8Array[] {
  const parts: Uint8Array[] = [];
  let size = 0;
  stream?.on('data', (chunk: Uint8Array) => {
    size += chunk.length;
    if (size > maxBytes) refuse();
    else parts.push(chunk);
  });
  return parts;
}

function timedOut({ command, timeoutMs }: ProcessRequest): SecureevError {
  return processFailure('PROCESS_TIMEOUT', `${quote(command)} did not end within ${timeoutMs / 1000} s`, { command });
}

function saidTooMuch({ command, maxOutputBytes }: ProcessRequest): SecureevError {
  return processFailure('PROCESS_FAILED', `${quote(command)} wrote more than ${maxOutputBytes} bytes`, { command });
}

function killed({ command }: ProcessRequest, by: string): SecureevError {
  return processFailure('PROCESS_FAILED', `${quote(command)} was ended by ${by}`, { command, signal: by });
}

function notStarted({ command }: ProcessRequest, cause: unknown): SecureevError {
  const system = systemCode(cause);
  const why = system === 'ENOENT' ? 'no such program' : `the system says ${system || 'nothing'}`;
  return processFailure('PROCESS_FAILED', `cannot run ${quote(command)}: ${why}`, { command, system });
}

function processFailure(
  code: 'PROCESS_FAILED' | 'PROCESS_TIMEOUT',
  message: string,
  details: Readonly<Record<string, unknown>>,
): SecureevError {
  return new SecureevError(code, { message, details });
}
