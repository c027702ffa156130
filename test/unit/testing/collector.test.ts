import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import * as zlib from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { startCollector } from '../../../lib/testing.js';
import type { Collector, CollectorOptions } from '../../../lib/testing.js';

const EVENT = {
  id: '1',
  name: 'order.created',
  timestamp: '2026-01-01T00:00:00.000Z',
  data: { total: 1 },
  context: {},
};

describe('startCollector', () => {
  const started: Collector[] = [];

  const start = async (options?: CollectorOptions) => {
    const collector = await startCollector(options);
    started.push(collector);
    return collector;
  };

  afterEach(async () => {
    await Promise.all(started.splice(0).map((collector) => collector.close()));
  });

  const post = (
    { url }: Collector,
    body: string | Uint8Array<ArrayBuffer>,
    headers?: Record<string, string>,
  ) =>
    fetch(`${url}/events?a=1`, {
      method: 'POST',
      body,
      ...(headers === undefined ? {} : { headers }),
    });

  it('keeps what it is sent and answers 200', async () => {
    const collector = await start();
    const before = Date.now();

    const response = await post(collector, '{"grüezi":true}', { 'X-Key': 'k' });

    expect(response.status).toBe(200);
    expect(await response.text()).toBe('');
    const [request] = collector.requests;
    expect(request).toMatchObject({
      method: 'POST',
      path: '/events?a=1',
      body: '{"grüezi":true}',
      events: [],
    });
    expect(request?.headers['x-key']).toBe('k');
    expect(request?.json()).toEqual({ grüezi: true });
    expect(request?.receivedAt).toBeGreaterThanOrEqual(before);
    expect(request?.problem).toBeUndefined();
  });

  it('listens on the loopback interface, on a port that can be chosen', async () => {
    const collector = await start();
    const { port } = new URL(collector.url);
    expect(collector.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);

    await expect(startCollector({ port: Number(port) })).rejects.toThrow('EADDRINUSE');
    await collector.close();
    const again = await start({ port: Number(port) });
    expect(again.url).toBe(collector.url);
  });

  it.each([
    ['a list', JSON.stringify([EVENT, { other: 1 }, null])],
    ['one event', JSON.stringify(EVENT)],
    ['lines', `${JSON.stringify(EVENT)}\n{"other":1}\nno json\n`],
  ])('finds the events in %s', async (_, body) => {
    const collector = await start();

    await post(collector, body);

    expect(collector.requests[0]?.events).toEqual([EVENT]);
  });

  const zstd = (zlib as { zstdCompressSync?: (text: string) => Buffer }).zstdCompressSync;
  it.each([
    ['gzip', zlib.gzipSync('hello')],
    ['br', zlib.brotliCompressSync('hello')],
    ['deflate', zlib.deflateSync('hello')],
    ['gzip, br', zlib.brotliCompressSync(zlib.gzipSync('hello'))],
    ...(zstd === undefined ? [] : [['zstd', zstd('hello')] as const]),
  ] as [string, Buffer][])('undoes %s', async (encoding, body) => {
    const collector = await start();

    const response = await post(collector, new Uint8Array(body), {
      'Content-Encoding': encoding,
    });

    expect(response.status).toBe(200);
    expect(collector.requests[0]?.body).toBe('hello');
    expect(collector.requests[0]?.bytes).toHaveLength(5);
  });

  it.each([
    ['an encoding it does not know', 'x', 'lzma', 415, /encoding lzma is not one of identity, gzip/],
    ['a broken body', 'x', 'gzip', 400, /the body is not gzip of at most 100 bytes/],
    ['a body that unfolds', zlib.gzipSync('x'.repeat(101)), 'gzip', 400, /not gzip of at most 100/],
    ['a large body', 'x'.repeat(101), 'identity', 413, /the body is above 100 bytes/],
  ] as const)('refuses %s itself', async (_, body, encoding, status, problem) => {
    const collector = await start({
      maxBodyBytes: 100,
      respond: () => ({ status: 299 }),
    });

    const response = await post(collector, typeof body === 'string' ? body : new Uint8Array(body), {
      'Content-Encoding': encoding,
    });

    expect(response.status).toBe(status);
    expect(await response.text()).toMatch(problem);
    expect(collector.requests[0]?.problem).toMatch(problem);
    expect(collector.requests[0]?.body).toBe('');
  });

  it('answers as it is told, request by request', async () => {
    const collector = await start({
      respond: async (request, n) => {
        await Promise.resolve();
        return [
          { status: 503, headers: { 'Retry-After': '1' }, body: 'later' },
          { status: 207, body: { n, got: request.body } },
          { body: Buffer.from('bytes') },
          undefined,
        ][n - 1];
      },
    });

    const first = await post(collector, 'a');
    expect([first.status, first.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await first.text()).toBe('later');
    const second = await post(collector, 'b');
    expect(second.status).toBe(207);
    expect(second.headers.get('content-type')).toBe('application/json');
    expect(await second.json()).toEqual({ n: 2, got: 'b' });
    expect(await (await post(collector, 'c')).text()).toBe('bytes');
    expect((await post(collector, 'd')).status).toBe(200);
  });

  it('waits before it answers', async () => {
    const collector = await start({ respond: () => ({ delayMs: 15 }) });
    const before = performance.now();

    await post(collector, 'a');

    expect(performance.now() - before).toBeGreaterThanOrEqual(14);
  });

  it('breaks the connection', async () => {
    const collector = await start({ respond: () => ({ destroy: true }) });

    await expect(post(collector, 'a')).rejects.toThrow('fetch failed');
    expect(collector.requests).toHaveLength(1);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('mistaken');
      },
      'mistaken',
    ],
    ['rejects', () => Promise.reject(new Error('mistaken')), 'mistaken'],
    ['answers an impossible status', () => ({ status: 7 }), 'status code'],
  ])('answers 500 when respond %s', async (_, respond, message) => {
    const collector = await start({ respond });

    const response = await post(collector, 'a');

    expect(response.status).toBe(500);
    expect(await response.text()).toMatch(message);
  });

  it('waits for requests', async () => {
    const collector = await start({ timeoutMs: 2_000 });
    const waiting = collector.waitFor(2);

    await post(collector, 'a');
    await post(collector, 'b');
    await post(collector, 'c');

    expect((await waiting).map(({ body }) => body)).toEqual(['a', 'b']);
    expect(await collector.waitFor()).toHaveLength(1);
  });

  it('says how many came instead', async () => {
    const collector = await start({ timeoutMs: 20 });
    await post(collector, 'a');

    await expect(collector.waitFor(3)).rejects.toMatchObject({
      code: 'timeout',
      message: 'waited 20 ms: expected 3 requests, received 1',
    });
    await expect(collector.waitFor(0)).rejects.toThrow(RangeError);
  });

  it('breaks what is open when it closes, also an answer that waits', async () => {
    const collector = await start({ respond: () => ({ delayMs: 60_000 }) });
    const answer = post(collector, 'a').catch((error: unknown) => error);
    await collector.waitFor();

    await Promise.all([collector.close(), collector.close()]);

    expect(await answer).toMatchObject({ message: 'fetch failed' });
    await expect(post(collector, 'b')).rejects.toThrow('fetch failed');
    await collector.close();
  });

  it('does not count a request whose client goes away', async () => {
    const collector = await start();
    const { port } = new URL(collector.url);
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), '127.0.0.1', () => {
        socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab', () => {
          socket.destroy();
        });
      });
      socket.once('close', () => {
        resolve();
      });
    });

    await post(collector, 'complete');

    expect(collector.requests.map(({ body }) => body)).toEqual(['complete']);
  });

  it('takes a request without a body', async () => {
    const collector = await start();
    const status = await new Promise((resolve) => {
      httpRequest(collector.url, { method: 'HEAD' }, (response) => {
        resolve(response.resume().statusCode);
      }).end();
    });

    expect(status).toBe(200);
    expect(collector.requests[0]).toMatchObject({ method: 'HEAD', body: '' });
  });
});
