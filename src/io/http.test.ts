import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { concatBytes, fromUtf8 } from '../core/bytes.ts';
import { isFailure } from '../core/errors.ts';
import { HTTP_LIMITS, createHttp } from './http.ts';
import type { HttpLimits } from './http.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

const serve = async (handler: Handler): Promise<string> => {
  const server = createServer(handler);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  closers.push(() => (server.closeAllConnections(), server.close()));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

const read = async (
  url: string,
  over: { maxBytes?: number; limits?: Partial<HttpLimits>; signal?: AbortSignal } = {},
) => {
  const http = createHttp({
    limits: { ...HTTP_LIMITS, ...over.limits },
    signal: over.signal ?? new AbortController().signal,
    elapsedMs: () => performance.now(),
  });
  const body = await http.get(url, over.maxBytes ?? 1000);
  if (body === undefined) return undefined;
  const parts: Uint8Array[] = [];
  for await (const chunk of body.chunks) parts.push(chunk.slice());
  return fromUtf8(concatBytes(...parts));
};

const codeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
  } catch (error) {
    if (isFailure(error)) return error.code;
    throw error;
  }
  return 'nothing was thrown';
};

describe('reading from a server', () => {
  test('gives the body, and undefined for what is not there', async () => {
    const base = await serve((request, response) => {
      response.writeHead(request.url === '/a' ? 200 : 404).end('hello');
    });
    expect(await read(`${base}/a`)).toBe('hello');
    expect(await read(`${base}/b`)).toBeUndefined();
  });

  test('stops at the limit, claimed or not (endless data)', async () => {
    const base = await serve((request, response) => {
      if (request.url === '/claimed')
        return void response.writeHead(200, { 'content-length': '5000' }).end('x'.repeat(5000));
      const timer = setInterval(() => response.write('x'.repeat(400)), 1);
      response.on('close', () => clearInterval(timer));
    });
    expect(await codeOf(read(`${base}/claimed`))).toBe('HTTP_ENDLESS');
    expect(await codeOf(read(`${base}/endless`))).toBe('HTTP_ENDLESS');
  });

  test('gives up on a silent server and on a trickle (slow retrieval)', async () => {
    const base = await serve((request, response) => {
      response.writeHead(200).write('x');
      const timer = setInterval(() => request.url === '/trickle' && response.write('x'), 20);
      response.on('close', () => clearInterval(timer));
    });
    expect(await codeOf(read(`${base}/silent`, { limits: { silenceMs: 100 } }))).toBe('HTTP_SLOW');
    expect(await codeOf(read(`${base}/trickle`, { limits: { graceMs: 200 } }))).toBe('HTTP_SLOW');
  });

  test('follows redirects within the server, a few, and none to another', async () => {
    const base = await serve((request, response) => {
      const to: Record<string, string> = { '/here': '/there', '/loop': '/loop', '/away': 'http://127.0.0.1:9/x' };
      const location = to[request.url ?? ''];
      if (location === undefined) return void response.end('there');
      response.writeHead(302, { location }).end();
    });
    expect(await read(`${base}/here`)).toBe('there');
    expect(await codeOf(read(`${base}/loop`))).toBe('HTTP_FAILED');
    expect(await codeOf(read(`${base}/away`))).toBe('HTTP_FAILED');
  });

  test('names what it could not read: server errors, no server, a broken answer', async () => {
    const base = await serve((request, response) => {
      if (request.url === '/cut')
        return void response.writeHead(200, { 'content-length': '10' }).write('x', () => response.destroy());
      response.writeHead(500).end();
    });
    expect(await codeOf(read(`${base}/500`))).toBe('HTTP_FAILED');
    expect(await codeOf(read(`${base}/cut`))).toBe('HTTP_FAILED');
    expect(await codeOf(read('http://127.0.0.1:1/'))).toBe('HTTP_FAILED');
  });

  test('Ctrl-C ends it', async () => {
    const base = await serve((_, response) => void response.writeHead(200).write('x'));
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 50);
    expect(await codeOf(read(`${base}/`, { signal: abort.signal }))).toBe('INTERRUPTED');
  });

  test('takes http and https addresses without passwords alone', async () => {
    for (const url of ['file:///etc/passwd', 'ftp://x/y', 'nothing', 'http://user:secret@127.0.0.1/']) {
      expect(await codeOf(read(url))).toBe('USAGE');
    }
  });
});
