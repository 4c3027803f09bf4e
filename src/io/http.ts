/**
 * Reading from a web server that may be hostile: nothing is believed of it, every wait and every length is bounded.
 *
 * Invariants: at most `maxBytes` are ever handed on; a server slower than the minimum rate is given up on; a redirect
 * is followed within its own origin only; no cookies, credentials or compression are used.
 */
import type { Http, HttpBody } from '../core/ports.ts';
import { SecureevError, failure } from '../core/errors.ts';
import { quote } from '../core/brands.ts';

/** How long and how slow a server may be. */
export interface HttpLimits {
  /** Until the first byte of an answer, and at most between two chunks. */
  readonly silenceMs: number;
  /** Averaged from the first byte on, after `graceMs`. */
  readonly bytesPerSecondMin: number;
  readonly graceMs: number;
  /** Redirects followed for one file. */
  readonly redirectsMax: number;
}

/** 30 s of silence, 1 KiB/s after 20 s, 3 redirects. */
export const HTTP_LIMITS: HttpLimits = { silenceMs: 30_000, bytesPerSecondMin: 1024, graceMs: 20_000, redirectsMax: 3 };

const ABSENT: readonly number[] = [403, 404, 410];
const REDIRECTS: readonly number[] = [301, 302, 307, 308];

/** What one machine needs to read from servers. */
export interface HttpSetting {
  readonly limits: HttpLimits;
  readonly signal: AbortSignal;
  /** Milliseconds that only go forward. */
  readonly elapsedMs: () => number;
}

/** Makes the port over the runtime's `fetch`. */
export function createHttp(setting: HttpSetting): Http {
  return { get: (url, maxBytes) => get({ url: parseUrl(url), maxBytes, setting }) };
}

interface Request {
  readonly url: URL;
  readonly maxBytes: number;
  readonly setting: HttpSetting;
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw failure('USAGE', `not an http or https address: ${quote(text)}`);
  }
  if (url.username !== '' || url.password !== '') throw failure('USAGE', 'an address must not hold a password');
  return url;
}

async function get(request: Request): Promise<HttpBody | undefined> {
  let url = request.url;
  for (let hop = 0; hop <= request.setting.limits.redirectsMax; hop++) {
    const answer = await fetchOnce(request, url);
    const next = redirectTarget(answer.response, url);
    if (next === undefined) return await bodyOf(request, answer);
    await answer.response.body?.cancel();
    url = next;
  }
  throw failed(request, `more than ${request.setting.limits.redirectsMax} redirects`);
}

interface Answer {
  readonly response: Response;
  readonly abort: AbortController;
}

async function fetchOnce(request: Request, url: URL): Promise<Answer> {
  const abort = new AbortController();
  const signal = AbortSignal.any([abort.signal, request.setting.signal]);
  const options = { redirect: 'manual', signal, headers: { 'accept-encoding': 'identity' } } as const;
  const response = await inTime(request, { work: fetch(url.href, options), abort });
  return { response, abort };
}

function redirectTarget(response: Response, from: URL): URL | undefined {
  if (!REDIRECTS.includes(response.status)) return undefined;
  const location = response.headers.get('location') ?? '';
  const target = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
  if (target === undefined || target.origin !== from.origin) {
    throw failure('HTTP_FAILED', `${from.href} redirects to another server: ${quote(location)}`);
  }
  return target;
}

async function bodyOf(request: Request, answer: Answer): Promise<HttpBody | undefined> {
  const { response, abort } = answer;
  if (ABSENT.includes(response.status) || response.status !== 200 || response.body === null) {
    await response.body?.cancel();
    if (ABSENT.includes(response.status)) return undefined;
    throw failed(request, `the server answered ${response.status}`);
  }
  const claimed = claimedLength(response);
  if (claimed !== undefined && claimed > request.maxBytes) {
    abort.abort();
    throw endless(request, claimed);
  }
  return {
    claimedBytes: claimed,
    chunks: boundedChunks(request, { reader: response.body.getReader(), abort }),
    [Symbol.asyncDispose]: async () => abort.abort(),
  };
}

function claimedLength(response: Response): number | undefined {
  const text = response.headers.get('content-length') ?? '';
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

interface Source {
  readonly reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly abort: AbortController;
}

async function* boundedChunks(request: Request, source: Source): AsyncGenerator<Uint8Array> {
  const { limits, elapsedMs } = request.setting;
  const start = elapsedMs();
  let received = 0;
  try {
    for (;;) {
      const { value, done } = await inTime(request, { work: source.reader.read(), abort: source.abort });
      if (done) return;
      received += value.length;
      if (received > request.maxBytes) throw endless(request, received);
      const spentMs = elapsedMs() - start;
      if (spentMs > limits.graceMs && received < (limits.bytesPerSecondMin * spentMs) / 1000) {
        throw failure(
          'HTTP_SLOW',
          `slow retrieval: ${request.url.href} sends less than ${limits.bytesPerSecondMin} bytes/s`,
        );
      }
      yield value;
    }
  } finally {
    source.abort.abort();
  }
}

/** Waits for `work`, but not longer than the limit of silence and not past Ctrl-C. */
async function inTime<T>(request: Request, wait: { work: Promise<T>; abort: AbortController }): Promise<T> {
  const { silenceMs } = request.setting.limits;
  let silent = false;
  const timer = setTimeout(() => {
    silent = true;
    wait.abort.abort();
  }, silenceMs);
  try {
    return await wait.work;
  } catch (cause) {
    if (request.setting.signal.aborted) throw failure('INTERRUPTED', 'interrupted');
    if (silent) throw failure('HTTP_SLOW', `slow retrieval: ${request.url.href} was silent for ${silenceMs} ms`);
    throw failed(request, reasonOf(cause), cause);
  } finally {
    clearTimeout(timer);
  }
}

function reasonOf(cause: unknown): string {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  return inner instanceof Error ? inner.message : 'the connection failed';
}

function failed(request: Request, reason: string, cause?: unknown): SecureevError {
  return new SecureevError('HTTP_FAILED', { message: `cannot read ${request.url.href}: ${reason}`, cause });
}

function endless(request: Request, bytes: number): SecureevError {
  const message = `endless data: ${request.url.href} has more than the ${request.maxBytes} bytes allowed`;
  return failure('HTTP_ENDLESS', message, { bytes, maxBytes: request.maxBytes });
}
