import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { Agent } from 'undici';
import type { DeliveryOptions } from 'nestjs-tracking/http';
import { atomBackend, gdqBackend, memoryBacklog, paltabrainBackend } from 'nestjs-tracking/http';
import { segmentBackend } from 'nestjs-tracking/segment';
import type { Collector, CollectorOptions } from 'nestjs-tracking/testing';
import type { LostBatch } from '../../lib/delivery/lost-events.js';
import { QUICK } from '../support/backend-app.js';
import { httpScene } from '../support/http-scene.js';
import { readPaltabrain } from '../support/paltabrain-proto.js';

const { collect, opened, running } = httpScene();

/** An outage at the beginning, for the proof that a batch goes again as it was. */
const AWAY_ONCE: CollectorOptions = {
  respond: (_, n) => ({ status: n === 1 ? 503 : 200 }),
};

describe('segmentBackend', () => {
  it('posts a batch of calls with the write key as the user, byte for byte again after an outage', async () => {
    const collector = await collect(AWAY_ONCE);
    const url = `${collector.url}/v1/batch`;
    const { tracker, stats } = running(segmentBackend({ writeKey: 'key', url, ...QUICK }));
    tracker.emit('order.created', { total: 5 });
    tracker.emit('user.identified', { plan: 'pro' });
    await tracker.flush();

    const [first, second] = await collector.waitFor(2);
    expect(second).toMatchObject({
      ...{ method: 'POST', path: '/v1/batch' },
      headers: {
        authorization: `Basic ${Buffer.from('key:').toString('base64')}`,
      },
    });
    expect(second?.body).toBe(first?.body);
    const sent = second?.json() as { batch: unknown[] };
    expect(Object.keys(sent)).toEqual(['batch']);
    expect(sent.batch).toMatchObject([
      { type: 'track', event: 'order.created', properties: { total: 5 } },
      { type: 'identify', traits: { plan: 'pro' } },
    ]);
    expect(stats()).toMatchObject({ delivered: 2, dead: 0 });
  });

  it('says when a batch was made if the app wants it, and sends what map answers', async () => {
    const { url, waitFor } = await collect();
    const map = (): object => ({ mapped: true });
    const { tracker } = running(segmentBackend({ writeKey: 'key', url, map, sentAt: true, ...QUICK }));
    tracker.emit('a');
    const [request] = await waitFor();
    expect(request?.json()).toEqual({
      batch: [{ mapped: true }],
      sentAt: expect.stringMatching(/^\d{4}-.*Z$/),
    });
  });

  it('splits what together is above the limit of the format, and gives up what is too large alone', async () => {
    const collector = await collect();
    const lost: LostBatch[] = [];
    const { tracker, stats } = running(
      segmentBackend({
        ...{ writeKey: 'key', url: collector.url, ...QUICK },
        batch: { maxBytes: 2_000_000, maxDelayMs: 50 },
        onDeadLetter: (batch) => {
          lost.push(batch);
        },
      }),
    );
    for (let i = 0; i < 40; i++) {
      tracker.emit('large', { text: 'x'.repeat(30_000) });
    }
    tracker.emit('huge', { text: 'x'.repeat(40_000) });
    await tracker.flush();

    expect(stats()).toMatchObject({ delivered: 40, dead: 1 });
    expect(collector.requests.length).toBeGreaterThan(2);
    expect(Math.max(...collector.requests.map(({ bytes }) => bytes.length))).toBeLessThanOrEqual(500_000);
    expect(lost.flatMap(({ events }) => events)).toMatchObject([{ name: 'huge' }]);
  });

  it('names everything that is wrong, of the destination and of the delivery', () => {
    const options = { writeKey: '', timeoutMs: -1, batches: {}, sentAt: 1 };
    expect(() => segmentBackend(options as never)).toThrow(
      [
        'the options of segmentBackend() are wrong:',
        '  - batches is not an option; known are writeKey, url, map, sentAt, headers, batch, retry, concurrency, timeoutMs, conflict, noEmit, backlog, compression, onDeadLetter, tls, dispatcher',
        '  - writeKey: expected a non-empty string, got an empty one',
        '  - expected sentAt to be true or false, got 1',
        '  - expected timeoutMs to be a positive integer, got -1',
      ].join('\n'),
    );
    expect(() => segmentBackend(undefined as never)).toThrow(
      'expected options to be an object, got undefined',
    );
  });

  it('does not show a write key that the destination repeats in its answer', async () => {
    const lost: LostBatch[] = [];
    const collector = await collect({
      respond: (_, n) => (n === 1 ? {} : { status: 400, body: 'no source for k3y-of-segment' }),
    });
    const app = running(
      segmentBackend({
        ...{ writeKey: 'k3y-of-segment', url: collector.url, ...QUICK },
        onDeadLetter: (batch) => {
          lost.push(batch);
        },
      }),
    );
    for (const name of ['taken', 'refused']) {
      app.tracker.emit(name);
      await app.tracker.flush({ timeoutMs: 5_000 });
    }
    await app.close();
    expect(lost).toMatchObject([{ body: 'no source for ***' }]);
  });
});

describe('gdqBackend', () => {
  it('posts names and properties to the path, and to the test path while in test mode', async () => {
    const collector = await collect();
    const gdq = gdqBackend({
      ...{ host: `${collector.url}/api/`, path: '/in', testPath: '/try' },
      ...QUICK,
      metadata: false,
    });
    const { tracker } = running(gdq);
    tracker.emit('run.started', { game: 'Celeste' });
    await tracker.flush();
    gdq.configure({ testMode: true });
    tracker.emit('a');
    await tracker.flush();
    gdq.configure({ timeoutMs: 1_000 });
    tracker.emit('b');
    await tracker.flush();
    gdq.configure({ testMode: false });
    tracker.emit('c');
    await tracker.flush();

    expect(collector.requests.map(({ path }) => path)).toEqual([
      ...['/api/in', '/api/try', '/api/try', '/api/in'],
    ]);
    expect(collector.requests[0]?.json()).toEqual([
      { event_name: 'run.started', properties: { game: 'Celeste' } },
    ]);
    expect(() => {
      gdq.configure({ testMode: 1 as never });
    }).toThrow('expected testMode to be true or false, got 1');
  });

  it('begins in test mode, or sends nothing at all', async () => {
    const collector = await collect();
    const host = collector.url;
    const { tracker } = running(gdqBackend({ host, testMode: true, ...QUICK }));
    tracker.emit('a');
    await tracker.flush();
    const quiet = running(gdqBackend({ host, noEmit: true, ...QUICK }));
    quiet.tracker.emit('b');
    await quiet.tracker.flush();
    expect(collector.requests.map(({ path }) => path)).toEqual(['/test']);
    expect(quiet.stats()).toMatchObject({ delivered: 1 });
  });

  it('reads the latest statistics with the headers and the user of the host', async () => {
    const collector = await collect({
      respond: () => ({ body: { donations: 7 } }),
    });
    const gdq = gdqBackend({
      host: collector.url.replace('//', '//me:secret@'),
      headers: { 'X-Team': 'data' },
      noEmit: true,
    });
    expect(await gdq.latest()).toEqual({ donations: 7 });
    expect(collector.requests).toMatchObject([
      {
        ...{ method: 'GET', path: '/latest' },
        headers: {
          'x-team': 'data',
          authorization: `Basic ${Buffer.from('me:secret').toString('base64')}`,
        },
      },
    ]);
    gdq.configure({ headers: { 'X-Team': 'ops' } });
    await gdq.latest();
    expect(collector.requests[1]?.headers['x-team']).toBe('ops');
  });

  it.each([
    ['a status that is no success', { status: 503 }, 'it answered HTTP 503'],
    ['a redirect', { status: 302 }, 'it answered HTTP 302'],
    ['no JSON', { body: 'hello' }, 'it answered what is no JSON'],
    ['too much', { body: 'x'.repeat(1024 * 1024 + 1) }, 'its answer is above 1048576 bytes'],
    ['a broken connection', { destroy: true }, 'other side closed'],
  ])('rejects for %s', async (_, answer, message) => {
    const { url } = await collect({ respond: () => answer });
    const host = url.replace('//', '//me:secret@');
    await expect(gdqBackend({ host }).latest()).rejects.toMatchObject({
      name: 'TrackingError',
      code: 'unavailable',
      message: expect.stringContaining(`GET ${url}/latest failed: ${message}`),
    });
  });

  it('rejects after the time of a request, and without showing keys', async () => {
    const { url } = await collect({ respond: () => ({ delayMs: 60_000 }) });
    const gdq = gdqBackend({
      ...{ host: url, latestPath: '/latest?key=s3cret', timeoutMs: 50 },
    });
    await expect(gdq.latest()).rejects.toMatchObject({
      code: 'timeout',
      message: `GET ${url}/latest took longer than 50 ms`,
    });
  });

  it.each<[string, () => unknown, string]>([
    [
      'throws',
      () => {
        throw new RangeError('no token for client-secret');
      },
      'auth() failed (RangeError)',
    ],
    ['answers no headers', () => 'client-secret', 'auth() answered something else than headers'],
  ])('does not show what the function for credentials says when it %s', async (_, auth, message) => {
    const { url } = await collect();
    const gdq = gdqBackend({ host: url, noEmit: true });
    gdq.configure({ auth: auth as () => Record<string, string> });
    await expect(gdq.latest()).rejects.toMatchObject({
      ...{
        code: 'unavailable',
        message: expect.stringContaining(`GET ${url}/latest failed: ${message}`),
      },
    });
  });

  it('hides what the function for credentials answered, wherever it turns up', async () => {
    const { url } = await collect();
    const dispatcher = new Agent().compose(() => (_, handler) => {
      handler.onResponseError?.({} as never, new Error('refused: Bearer t0ken-of-today, in eu-west'));
      return true;
    });
    const gdq = gdqBackend({ host: url, noEmit: true, dispatcher });
    gdq.configure({
      auth: () => ({
        ...{ authorization: 'Bearer t0ken-of-today', 'x-region': 'eu-west' },
      }),
    });
    await expect(gdq.latest()).rejects.toMatchObject({
      message: `GET ${url}/latest failed: refused: ***, in eu-west`,
    });
  });

  it('waits for the function for credentials no longer than for an answer', async () => {
    const { url } = await collect();
    const gdq = gdqBackend({ host: url, timeoutMs: 50 });
    gdq.configure({ auth: () => new Promise(() => undefined) });
    await expect(gdq.latest()).rejects.toMatchObject({ code: 'timeout' });
  });

  it('reads over the dispatcher of the app, which stays open', async () => {
    const { url } = await collect({ respond: () => ({ body: [1] }) });
    const dispatcher = new Agent();
    const gdq = gdqBackend({ host: url, dispatcher, tls: {} });
    expect(await gdq.latest()).toEqual([1]);
    expect(await gdq.latest()).toEqual([1]);
    expect(dispatcher.destroyed).toBe(false);
    await dispatcher.close();
    expect(await gdqBackend({ host: url, tls: {} }).latest()).toEqual([1]);
  });
});

describe('atomBackend', () => {
  it('sends each stream apart to /bulk, signed with its key', async () => {
    const collector = await collect();
    const { tracker, stats } = running(
      atomBackend({
        ...{ endpoint: `${collector.url}/`, metadata: false, ...QUICK },
        authKey: (stream) => (stream === 'a' ? 'key' : undefined),
      }),
    );
    for (const name of ['a', 'b', 'a', 'b']) {
      tracker.emit(name, { of: name });
    }
    await tracker.flush();

    const data = (of: string): string => JSON.stringify([{ of }, { of }]);
    const auth = createHmac('sha256', 'key').update(data('a')).digest('hex');
    expect(collector.requests.map(({ path }) => path)).toEqual([...['/bulk', '/bulk']]);
    expect(
      collector.requests
        .map((request) => request.json() as { table: string })
        .sort((a, b) => a.table.localeCompare(b.table)),
    ).toEqual([
      { table: 'a', data: data('a'), auth, bulk: true },
      { table: 'b', data: data('b'), bulk: true },
    ]);
    expect(stats()).toMatchObject({ delivered: 4, depth: 0 });
  });

  it('keeps streams apart also where the app partitions otherwise', async () => {
    const collector = await collect();
    const { tracker } = running(
      atomBackend({
        ...{ endpoint: collector.url, metadata: false, ...QUICK },
        batch: { ...QUICK.batch, partitionBy: () => 'all' },
      }),
    );
    for (const name of ['a', 'a', 'b', 'a']) {
      tracker.emit(name);
    }
    await tracker.flush();
    expect(collector.requests.map((request) => (request.json() as { table: string }).table)).toEqual([
      'a',
      'b',
      'a',
    ]);
  });

  it('sends one event a request in the URL, and by POST', async () => {
    const collector = await collect();
    const endpoint = `${collector.url}/in`;
    const byGet = running(atomBackend({ endpoint, send: 'get', metadata: false, ...QUICK }));
    byGet.tracker.emit('a', { n: 1 });
    await byGet.tracker.flush();
    const byPost = running(atomBackend({ endpoint, send: 'post', metadata: false, ...QUICK }));
    byPost.tracker.emit('a', { n: 2 });
    await byPost.tracker.flush();

    const [get, post] = collector.requests;
    const url = new URL(get?.path ?? '', collector.url);
    expect([get?.method, url.pathname]).toEqual(['GET', '/in']);
    expect(JSON.parse(Buffer.from(url.searchParams.get('data') ?? '', 'base64').toString())).toEqual({
      table: 'a',
      data: '{"n":1}',
    });
    expect([post?.method, post?.path, post?.json()]).toEqual([
      ...['POST', '/in', { table: 'a', data: '{"n":2}' }],
    ]);
  });
});

/** The service is reached by https only: here, what is meant for it goes to the collector. */
function redirected({ url }: Collector): Pick<DeliveryOptions, 'dispatcher'> {
  const agent = new Agent();
  opened({ close: () => agent.destroy() });
  return {
    dispatcher: agent.compose(
      (dispatch) => (options, handler) => dispatch({ ...options, origin: url }, handler),
    ),
  };
}

describe('paltabrainBackend', () => {
  it('splits batches by context, and numbers the events of a session without gaps', async () => {
    const collector = await collect(AWAY_ONCE);
    const { tracker, stats } = running(
      paltabrainBackend({
        ...{ hostname: 'api.example', apiKey: 'k3y', instanceId: 'me' },
        ...QUICK,
        concurrency: 1,
        ...redirected(collector),
      }),
    );
    for (const id of [1, 2, 1]) {
      tracker.emit('a', { id }, { context: { session: { id } } });
    }
    await tracker.flush();

    const [first, ...taken] = collector.requests;
    const key = 'idempotency-key';
    const again = taken.find(({ headers }) => headers[key] === first?.headers[key]);
    expect(again?.bytes).toEqual(first?.bytes);
    expect(again).toMatchObject({
      path: '/v2/paltabrain',
      headers: { 'x-api-key': 'k3y', 'content-type': 'application/protobuf' },
    });
    const told = taken
      .map(({ bytes }) => readPaltabrain({ body: bytes, contentType: '' }))
      .flatMap(({ context, events = [] }) =>
        events.map(({ common }) => [
          Buffer.from(context ?? []).toString(),
          common.session_id,
          common.session_event_seq_num,
        ]),
      );
    expect(told.sort()).toEqual([
      ['{"session":{"id":1}}', 1, 1],
      ['{"session":{"id":1}}', 1, 2],
      ['{"session":{"id":2}}', 2, 1],
    ]);
    expect(stats()).toMatchObject({ delivered: 3, retried: 1 });
  });

  it.each([
    ['because the backlog is full', { maxEvents: 3 }],
    ['because they are too large for it', { maxBytes: 2_000 }],
  ])('leaves no gap for events that are refused %s', async (_, bounds) => {
    const collector = await collect();
    const { tracker, stats } = running(
      paltabrainBackend({
        ...{ hostname: 'api.example', apiKey: 'k3y', ...QUICK },
        ...redirected(collector),
        concurrency: 1,
        backlog: memoryBacklog({ ...bounds, overflow: 'dropNewest' }),
      }),
    );
    const context = { session: { id: 1 } };
    const text = 'x'.repeat(2_000);
    for (const data of [{}, 'maxBytes' in bounds ? { text } : {}, {}, {}, {}]) {
      tracker.emit('a', data, { context });
    }
    await tracker.flush();
    tracker.emit('a', {}, { context });
    await tracker.flush();

    const { accepted, dropped } = stats();
    expect(dropped['overflow']).toBeGreaterThan(0);
    expect(
      collector.requests
        .map(({ bytes }) => readPaltabrain({ body: bytes, contentType: '' }))
        .flatMap(({ events = [] }) => events)
        .map(({ common }) => common.session_event_seq_num),
    ).toEqual(Array.from({ length: accepted }, (__, i) => i + 1));
  });

  it('tells in its telemetry what was lost since the batch before', async () => {
    const collector = await collect();
    const { tracker } = running(
      paltabrainBackend({
        ...{ hostname: 'api.example', apiKey: 'k3y', ...QUICK },
        ...redirected(collector),
        backlog: memoryBacklog({ maxEvents: 2 }),
      }),
    );
    for (let i = 0; i < 5; i++) {
      tracker.emit('a');
    }
    await tracker.flush();
    const [request] = collector.requests;
    const { telemetry } = readPaltabrain({
      body: request?.bytes ?? new Uint8Array(),
      contentType: '',
    });
    expect(telemetry).toEqual({ events_dropped: 3 });
  });
});
