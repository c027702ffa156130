import type { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { startCollector } from '../../lib/testing/collector.js';
import { httpScene } from '../support/http-scene.js';

const { app, collect, raw } = httpScene();

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n';

describe('a connection that fails', () => {
  it.each<[string, (socket: Socket) => void]>([
    ['is reset', (socket) => socket.resetAndDestroy()],
    ['ends without an answer', (socket) => socket.end()],
    ['ends within the head of an answer', (socket) => socket.end('HTTP/1.1 2')],
    ['answers garbage', (socket) => socket.end('\0\x01garbage\r\n\r\n')],
    ['answers 101', (socket) => socket.end('HTTP/1.1 101 Switch\r\n\r\n')],
    ['ends after 103', (socket) => socket.end('HTTP/1.1 103 Early\r\n\r\n')],
    ['hangs', () => undefined],
    ['sends its head for ever', (socket) => socket.write('HTTP/1.1 200 OK\r\n')],
  ])('is tried again when it %s', async (_, fault) => {
    const url = await raw((socket, n) => {
      if (n === 1) {
        fault(socket);
      } else {
        socket.write(OK);
      }
    });
    const run = app({ url });
    run.tracker.emit('a');
    expect(await run.settled()).toMatchObject({ delivered: 1, dead: 0 });
    expect(run.stats().retried).toBeGreaterThan(0);
  });

  it('is tried again when it is refused, and reported once', async () => {
    const first = await startCollector();
    await first.close();
    const port = Number(new URL(first.url).port);
    const run = app({ url: first.url });
    run.tracker.emit('a');
    await run.until(({ state }) => state === 'retrying');
    await run.until(({ retried }) => retried >= 5);
    expect(run.stats().lastError).toContain('ECONNREFUSED');
    const collector = await collect({ port });
    expect(await run.settled()).toMatchObject({ delivered: 1 });
    expect(collector.requests).toHaveLength(1);
    expect(run.reports.map(({ code }) => code)).toEqual(['destination_failing', 'destination_recovered']);
  });

  it('is tried again when the name is unknown', async () => {
    const run = app({ url: 'http://nowhere.invalid/events' });
    run.tracker.emit('a');
    await run.until(({ retried }) => retried > 0);
    expect(run.stats()).toMatchObject({ depth: 1, dead: 0 });
  });

  it.each<[string, (socket: Socket) => void]>([
    ['slow', (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx')],
    ['cut', (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx')],
    [
      'endless',
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        socket.write('x'.repeat(1_000_000));
      },
    ],
  ])('has delivered when the head says so, though the body is %s', async (_, answer) => {
    const url = await raw((socket) => {
      answer(socket);
    });
    const run = app({ url });
    run.tracker.emit('a');
    expect(await run.settled()).toMatchObject({
      delivered: 1,
      retried: 0,
    });
  });

  it('reads no more than 64 KiB of a refusal', async () => {
    const url = await raw((socket) => {
      socket.write('HTTP/1.1 400 Bad\r\n\r\n');
      socket.write('x'.repeat(1_000_000));
    });
    const run = app({ url });
    run.tracker.emit('a');
    expect(await run.settled()).toMatchObject({ dead: 1 });
    expect(run.lost[0]).toMatchObject({ status: 400, body: 'x'.repeat(4_096) });
  });
});

describe('a status', () => {
  it.each([200, 201, 202, 204, 299])('%i is a delivery', async (status) => {
    const collector = await collect({ respond: () => ({ status }) });
    const run = app({ url: collector.url });
    run.tracker.emit('a');
    expect(await run.settled()).toMatchObject({ delivered: 1 });
    expect(collector.requests).toHaveLength(1);
  });

  it.each([408, 425, 429, 500, 502, 503, 504, 599])(
    '%i is tried again, the same bytes under the same id',
    async (status) => {
      const collector = await collect({
        respond: (_, n) => (n < 3 ? { status, body: 'later' } : undefined),
      });
      const run = app({ url: collector.url });
      run.tracker.emit('a');
      run.tracker.emit('b');
      expect(await run.settled()).toMatchObject({ delivered: 2 });
      const { requests } = collector;
      expect(new Set(requests.map(({ body }) => body)).size).toBe(1);
      expect(new Set(requests.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
    },
  );

  it.each([400, 404, 409, 422])('%i is a dead letter with what was answered', async (status) => {
    const collector = await collect({
      respond: () => ({ status, body: 'because' }),
    });
    const run = app({ url: collector.url });
    run.tracker.emit('a');
    expect(await run.settled()).toMatchObject({ dead: 1 });
    expect(run.lost).toMatchObject([{ path: 'http', reason: 'rejected', status, body: 'because' }]);
    const letters = [];
    for await (const letter of run.backend.deadLetters()) {
      letters.push(letter);
    }
    expect(letters).toMatchObject([{ event: { name: 'a' }, status }]);
    await run.close();
  });

  it.each([301, 302, 307, 405, 410, 415])(
    '%i is the fault of the endpoint, and never followed',
    async (status) => {
      const other = await collect();
      const collector = await collect({
        respond: () => ({ status, headers: { location: other.url } }),
      });
      const run = app({ url: collector.url });
      run.tracker.emit('a');
      run.tracker.emit('b');
      expect(await run.settled()).toMatchObject({ dead: 2 });
      expect(collector.requests).toHaveLength(1);
      expect(other.requests).toHaveLength(0);
      expect(run.lost[0]?.reason).toBe('refused');
    },
  );

  it.each([401, 403])('%i pauses until other credentials do', async (status) => {
    const collector = await collect({
      respond: ({ headers }) => (headers['authorization'] === 'Bearer new-token' ? {} : { status }),
    });
    const run = app({
      url: collector.url,
      auth: { bearer: 'old-token' },
      retry: { maxDelayMs: 60_000 },
    });
    run.tracker.emit('a');
    await run.until(({ state }) => state === 'paused');
    expect(run.stats()).toMatchObject({
      depth: 1,
      stateReason: 'unauthorised',
    });
    run.backend.configure({ auth: { bearer: 'new-token' } });
    expect(await run.settled()).toMatchObject({ delivered: 1 });
    expect(JSON.stringify([run.reports, run.stats()])).not.toMatch(/-token/);
  });

  it('that refuses everything pauses, and one probe now and then finds the end of it', async () => {
    let isWrong = true;
    const collector = await collect({
      respond: () => (isWrong ? { status: 405 } : {}),
    });
    const run = app({
      url: collector.url,
      batch: { maxEvents: 10 },
      concurrency: 1,
      retry: { maxDelayMs: 200 },
    });
    for (let i = 0; i < 200; i++) {
      run.tracker.emit('a', { i });
    }
    await run.until(({ state }) => state === 'paused');
    const { dead } = run.stats();
    expect(run.stats().stateReason).toBe('refusing_everything');
    expect(dead).toBe(30);
    await run.until((stats) => stats.dead >= dead + 2);
    isWrong = false;
    const settled = await run.settled();
    expect(settled.delivered + settled.dead).toBe(200);
    expect(settled.dead).toBeLessThan(dead + 10);
    expect(run.reports.map(({ code }) => code)).toEqual([
      ...['dead_letters', 'destination_paused', 'destination_recovered'],
    ]);
    expect(await run.backend.replay({ reason: 'refused' })).toBe(settled.dead);
    expect(await run.until(({ depth }) => depth === 0)).toMatchObject({
      ...{ delivered: 200, dead: 0 },
    });
  });

  it('409 is a delivery where the app says so', async () => {
    const collector = await collect({ respond: () => ({ status: 409 }) });
    const run = app({ url: collector.url, conflict: 'delivered' });
    run.tracker.emit('a');
    run.tracker.emit('b');
    expect(await run.settled()).toMatchObject({ delivered: 2, dead: 0 });
    run.backend.configure({ conflict: 'rejected' });
    run.tracker.emit('c');
    expect(await run.until(({ dead }) => dead === 1)).toMatchObject({
      delivered: 2,
    });
  });

  it.each<[string, () => string]>([
    ['seconds', () => '1'],
    ['a date', () => new Date(Date.now() + 1_500).toUTCString()],
  ])('may ask for time, in %s', async (_, header) => {
    const collector = await collect({
      respond: (_request, n) => (n === 1 ? { status: 503, headers: { 'retry-after': header() } } : undefined),
    });
    const run = app({ url: collector.url, retry: { maxDelayMs: 5_000 } });
    run.tracker.emit('a');
    await run.settled();
    const [first, second] = collector.requests;
    expect(second!.receivedAt - first!.receivedAt).toBeGreaterThan(450);
  });
});

describe('a destination with a limit', () => {
  it('of 10 KB gets everything, in smaller batches', async () => {
    const collector = await collect({
      respond: ({ bytes }) => (bytes.length > 10_000 ? { status: 413 } : {}),
    });
    const run = app({ url: collector.url });
    for (let i = 0; i < 2_000; i++) {
      run.tracker.emit('a', { i, text: 'x'.repeat(100) });
    }
    run.tracker.emit('large', { text: 'x'.repeat(20_000) });
    await run.settled();
    expect(run.stats()).toMatchObject({ delivered: 2_000, dead: 1 });
    expect(run.lost).toMatchObject([{ reason: 'too_large', status: 413 }]);
  });

  it('finds one bad event among thousands', async () => {
    const seen = new Map<string, number>();
    const collector = await collect({
      respond: ({ body, events }) => {
        if (body.includes('poison')) {
          return { status: 400, body: 'poison' };
        }
        events.forEach(({ id }) => seen.set(id, (seen.get(id) ?? 0) + 1));
        return {};
      },
    });
    const run = app({ url: collector.url });
    for (let i = 0; i < 3_000; i++) {
      run.tracker.emit('a', { i, text: i === 1_234 ? 'poison' : 'good' });
    }
    expect(await run.settled()).toMatchObject({
      delivered: 2_999,
      dead: 1,
    });
    expect(seen.size).toBe(2_999);
    expect(Math.max(...seen.values())).toBe(1);
    expect(run.lost[0]?.events[0]?.data).toMatchObject({ i: 1_234 });
    expect(await run.backend.replay({ reason: 'rejected' })).toBe(1);
    await run.until(({ dead, depth }) => dead === 1 && depth === 0);
  });
});
