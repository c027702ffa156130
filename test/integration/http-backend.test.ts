import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';

import { describe, expect, it } from '@jest/globals';
import { Agent } from 'undici';
import { memoryBacklog } from '../../lib/delivery/memory-backlog.js';
import type { Encoder } from '../../lib/formats/encoder.js';
import { compressions } from '../../lib/http/compression.js';
import type { HttpBackendOptions } from '../../lib/http/http-options.js';
import { httpScene } from '../support/http-scene.js';
import { SELF_SIGNED } from '../support/self-signed.js';

const { app, collect, opened } = httpScene();

async function sentWith(options: Omit<HttpBackendOptions, 'url'>, path = '/in') {
  const collector = await collect();
  const run = app({ url: `${collector.url}${path}`, ...options });
  run.tracker.emit('a', { text: 'ü' });
  await run.settled();
  return collector.requests[0]!;
}

describe('a request', () => {
  it('holds the events as they are, with the id of its batch', async () => {
    const request = await sentWith({ headers: { 'X-Team': 'data' } });
    expect(request).toMatchObject({
      ...{ method: 'POST', path: '/in' },
      headers: {
        'content-type': 'application/json',
        'x-team': 'data',
        'idempotency-key': expect.stringMatching(/^[0-9a-f-]{36}$/),
      },
      events: [{ name: 'a', data: { text: 'ü' } }],
    });
    const lines = await sentWith({ format: 'ndjson' });
    expect(lines.headers['content-type']).toBe('application/x-ndjson');
    expect(lines.body).toMatch(/^\{.*\}\n$/);
  });

  it.each(compressions())('is compressed with %s when asked to', async (name) => {
    const request = await sentWith({
      compression: name as NonNullable<HttpBackendOptions['compression']>,
    });
    // What a collector cannot read on this Node it would refuse.
    expect(request.problem).toBeUndefined();
    expect(request.headers['content-encoding']).toBe(name);
    expect(request.events).toHaveLength(1);
  });

  it.each<[string, HttpBackendOptions['auth'], Record<string, string>]>([
    ['basic', { basic: { username: 'ann', password: 'pa:ss' } }, { authorization: 'Basic YW5uOnBhOnNz' }],
    ['bearer', { bearer: 'tok' }, { authorization: 'Bearer tok' }],
    ['apiKey', { apiKey: { key: 'k' } }, { 'x-api-key': 'k' }],
    ['apiKey', { apiKey: { key: 'k', header: 'X-K' } }, { 'x-k': 'k' }],
    ['function', () => Promise.resolve({ 'x-now': '1' }), { 'x-now': '1' }],
  ])('carries credentials: %s', async (_, auth, headers) => {
    expect((await sentWith(auth === undefined ? {} : { auth })).headers).toMatchObject(headers);
  });

  it('is signed over the body before compression', async () => {
    const request = await sentWith({
      auth: { hmac: { secret: 's' } },
      compression: 'gzip',
    });
    expect(request.headers['x-signature']).toBe(
      createHmac('sha256', 's').update(request.bytes).digest('hex'),
    );
  });

  it('takes user and password from the URL, and keeps its query', async () => {
    const collector = await collect();
    const run = app({
      url: collector.url.replace('//', '//ann:p%40ss@') + '/in?key=abc',
    });
    run.tracker.emit('a');
    await run.settled();
    expect(collector.requests[0]).toMatchObject({
      path: '/in?key=abc',
      headers: { authorization: 'Basic YW5uOnBAc3M=' },
    });
  });

  it('goes where the format says', async () => {
    const format: Encoder = {
      name: 'odd',
      encode: (batch) => ({
        ...{ contentType: 'text/plain', path: `/deep?n=${batch.length}` },
        method: 'GET',
      }),
    };
    const request = await sentWith({ format }, '/in/?key=1');
    expect(request).toMatchObject({
      method: 'GET',
      path: '/in/deep?key=1&n=1',
    });
    expect(request.headers['content-type']).toBeUndefined();
  });
});

describe('secrets', () => {
  it('are shown nowhere, though the destination repeats them', async () => {
    const collector = await collect({
      respond: ({ headers, path }) => ({
        ...{ status: 400, body: JSON.stringify([headers, path]) },
      }),
    });
    const run = app({
      url: `${collector.url}/in?key=query-secret`,
      auth: { bearer: 'bearer-secret' },
    });
    run.tracker.emit('a');
    await run.settled();
    const shown = JSON.stringify([run.stats(), run.reports, run.lost]);
    expect(shown).not.toMatch(/(query|bearer)-secret/);
    expect(run.stats().lastError).toContain('/in answered HTTP 400');
  });

  it.each<[string, () => unknown]>([
    ['nothing', () => undefined],
    ['a text', () => 'Bearer client-secret'],
    ['what is no text', () => ({ authorization: { key: 'client-secret' } })],
  ])('stay hidden when the function answers %s', async (_, auth) => {
    const run = app({
      url: 'http://127.0.0.1:9/',
      auth: auth as () => Record<string, string>,
    });
    run.tracker.emit('a');
    await run.until(({ lastError }) => lastError !== undefined);
    expect(run.stats().lastError).toMatch(/auth\(\) answered something else than headers$/);
  });

  it('given under another case replace the header', async () => {
    const request = await sentWith({
      headers: { authorization: 'old', 'x-sdk': 'mine' },
      auth: () => ({ Authorization: 'new' }),
      format: {
        name: 'own',
        encode: () => ({
          ...{ body: '', contentType: 'text/plain' },
          headers: { 'X-SDK': 'of the format' },
        }),
      },
    });
    expect(request.headers).toMatchObject({
      authorization: 'new',
      'x-sdk': 'of the format',
    });
  });

  it('stay hidden when the function that gives them fails', async () => {
    const run = app({
      url: 'http://127.0.0.1:9/',
      auth: () => {
        throw new RangeError('no token for client-secret');
      },
    });
    run.tracker.emit('a');
    await run.until(({ lastError }) => lastError !== undefined);
    expect(run.stats().lastError).toMatch(/auth\(\) failed \(RangeError\)$/);
  });
});

describe('TLS', () => {
  async function secure(): Promise<string> {
    const server = createServer(SELF_SIGNED, (_, response) => response.end());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    opened({
      close: () => {
        server.closeAllConnections();
        server.close();
      },
    });
    return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it('refuses a certificate that nobody signed, and goes on trying', async () => {
    const run = app({ url: await secure() });
    run.tracker.emit('a');
    await run.until(({ retried }) => retried > 1);
    expect(run.stats().lastError).toMatch(/self.signed/i);
  });

  it('takes it when the app vouches for it', async () => {
    const run = app({ url: await secure(), tls: { ca: SELF_SIGNED.cert } });
    run.tracker.emit('a');
    expect(await run.settled()).toMatchObject({ delivered: 1 });
  });

  it("takes the app's own dispatcher, and leaves it open", async () => {
    const dispatcher = new Agent({ connect: { rejectUnauthorized: false } });
    const run = app({ url: await secure(), dispatcher });
    run.tracker.emit('a');
    expect(await run.settled()).toMatchObject({ delivered: 1 });
    await run.close();
    expect(dispatcher.destroyed).toBe(false);
    await dispatcher.close();
  });
});

describe('settings', () => {
  it('can be changed while it runs', async () => {
    const collector = await collect();
    const run = app({ url: `${collector.url}/live`, noEmit: true });
    run.tracker.emit('a');
    expect(await run.settled()).toMatchObject({ delivered: 1 });
    expect(collector.requests).toHaveLength(0);
    run.backend.configure({ noEmit: false, testMode: { path: '/test' } });
    run.tracker.emit('b');
    await run.settled();
    run.backend.configure({ testMode: undefined, batch: { maxEvents: 1 } });
    run.tracker.emit('c');
    run.tracker.emit('d');
    await run.settled();
    expect(collector.requests.map(({ path, events }) => [path, events.length])).toEqual([
      ['/test', 1],
      ['/live', 1],
      ['/live', 1],
    ]);
    expect(() => {
      run.backend.configure({ timeoutMs: -1 });
    }).toThrow('timeoutMs');
  });
});

describe('an answer per event', () => {
  it('is read by the format', async () => {
    const format: Encoder = {
      name: 'per-event',
      maxEvents: 4,
      encode: (batch) => ({
        body: JSON.stringify(batch),
        contentType: 'application/json',
      }),
      outcome: ({ body, httpStatus }) =>
        httpStatus === 200
          ? {
              status: 'partial',
              outcomes: new Map(Object.entries(JSON.parse(body) as object)),
              error: { message: 'said so', body },
            }
          : undefined,
    };
    const collector = await collect({
      respond: ({ events }, n) => ({
        status: n === 1 ? 503 : 200,
        body: Object.fromEntries(
          events.map(({ id, data }) => [
            id,
            data['bad'] === true ? 'rejected' : n === 2 ? 'retry' : 'delivered',
          ]),
        ),
      }),
    });
    const run = app({ url: collector.url, format });
    run.tracker.emit('a');
    run.tracker.emit('b', { bad: true });
    expect(await run.settled()).toMatchObject({ delivered: 1, dead: 1 });
    expect(collector.requests.map(({ events }) => events.length)).toEqual([2, 2, 1]);
    expect(run.lost[0]?.events[0]?.name).toBe('b');
  });

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('no idea');
      },
    ],
    ['answers a promise', () => Promise.reject(new Error('late'))],
    ['answers a text', () => 'delivered'],
    ['answers no status', () => ({ status: 'fine' })],
    ['answers no outcomes', () => ({ status: 'partial', outcomes: {} })],
    ['answers no error', () => ({ status: 'blocked' })],
    ['answers an odd error', () => ({ status: 'tooLarge', error: 'x' })],
    ['answers no scope', () => ({ status: 'rejected', error: { message: 'x' } })],
  ])('is asked for again when the format %s', async (_, outcome) => {
    const { url } = await collect();
    let isWrong = true;
    const format: Encoder = {
      name: 'own',
      encode: () => ({ body: '', contentType: 'text/plain' }),
      outcome: () => (isWrong ? outcome() : undefined) as undefined,
    };
    const run = app({ url, format });
    run.tracker.emit('a');
    await run.until(({ retried }) => retried > 0);
    expect(run.stats()).toMatchObject({ depth: 1, delivered: 0, dead: 0 });
    expect(run.stats().lastError).toMatch(/no idea|outcome\(\) of the format own/);
    isWrong = false;
    expect(await run.settled()).toMatchObject({ delivered: 1 });
  });

  it('above the limit of the format is halved before it is sent', async () => {
    const collector = await collect();
    const format: Encoder = {
      ...{ name: 'small', maxBytes: 400 },
      encode: (batch) => ({
        body: JSON.stringify(batch),
        contentType: 'application/json',
      }),
    };
    const run = app({ url: collector.url, format });
    for (let i = 0; i < 8; i++) {
      run.tracker.emit('a', { text: i === 3 ? 'x'.repeat(400) : '' });
    }
    expect(await run.settled()).toMatchObject({ delivered: 7, dead: 1 });
    expect(collector.requests.every(({ bytes }) => bytes.length <= 400)).toBe(true);
  });
});

describe('an outage', () => {
  it('loses nothing and doubles nothing', async () => {
    let isUp = false;
    const arrived = new Map<string, number>();
    const collector = await collect({
      respond: ({ events }) => {
        if (!isUp) {
          return { destroy: true };
        }
        events.forEach(({ id }) => arrived.set(id, (arrived.get(id) ?? 0) + 1));
        return {};
      },
    });
    const run = app({ url: collector.url });
    for (let i = 0; i < 50; i++) {
      for (let n = 0; n < 100; n++) {
        run.tracker.emit('a', { i, n, text: 'x'.repeat(300) });
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    await run.until(({ state }) => state === 'retrying');
    isUp = true;
    await run.settled();
    expect(arrived.size).toBe(5_000);
    expect(Math.max(...arrived.values())).toBe(1);
    expect(run.lost).toEqual([]);
  });

  it('with a full backlog stays within its bounds', async () => {
    const run = app({
      url: 'http://127.0.0.1:9/',
      backlog: memoryBacklog({ maxBytes: 1_000_000 }),
    });
    for (let i = 0; i < 20_000; i++) {
      run.tracker.emit('a', { i, text: 'x'.repeat(300) });
    }
    const { accepted, dead, depth } = run.stats();
    expect(accepted).toBe(20_000);
    expect(dead + depth).toBe(20_000);
    expect(depth).toBeLessThan(3_000);
    await run.close();
    expect(run.lost.flatMap(({ events }) => events)).toHaveLength(20_000);
  });
});
