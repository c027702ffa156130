import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Tracker, TrackingEvent } from '../../lib/core.js';
import { createTracker } from '../../lib/core.js';
import type { HttpBackendOptions } from '../../lib/http.js';
import { httpBackend } from '../../lib/http.js';
import type { LmdbBacklogOptions } from '../../lib/lmdb.js';
import { lmdbBacklog } from '../../lib/lmdb.js';
import type { Collector } from '../../lib/testing.js';
import { startCollector } from '../../lib/testing.js';
import { eventually } from '../support/eventually.js';

let path: string;
let collector: Collector;
let answers: () => { status: number };
const trackers: Tracker<Record<string, object>>[] = [];

beforeEach(async () => {
  path = mkdtempSync(join(tmpdir(), 'lmdb-delivery-'));
  answers = () => ({ status: 200 });
  collector = await startCollector({ respond: () => answers() });
});

afterEach(async () => {
  await Promise.all(trackers.splice(0).map((tracker) => tracker.close({ timeoutMs: 100 })));
  await collector.close();
  rmSync(path, { recursive: true, force: true });
});

function start(
  backlog: Partial<LmdbBacklogOptions> = {},
  options: Partial<HttpBackendOptions> = {},
): Tracker<Record<string, object>> {
  const tracker = createTracker<Record<string, object>>({
    backends: {
      http: httpBackend({
        url: `${collector.url}/in`,
        backlog: lmdbBacklog({ path, ...backlog }),
        batch: { maxDelayMs: 5 },
        retry: { baseMs: 5, maxDelayMs: 20 },
        ...options,
      }),
    },
    onError: () => undefined,
  });
  trackers.push(tracker);
  return tracker;
}

function delivered(): number[] {
  return collector.requests.flatMap(({ body }) =>
    (JSON.parse(body) as TrackingEvent[]).map(({ data }) => Number(data['n'])),
  );
}

describe('httpBackend with lmdbBacklog', () => {
  it('delivers at the next start what an outage left, once each', async () => {
    answers = () => ({ status: 503 });
    const first = start();
    for (let n = 0; n < 1_000; n++) {
      first.emit('order.created', { n });
    }
    await first.close({ timeoutMs: 200 });
    answers = () => ({ status: 200 });
    const failed = delivered().length;

    const second = start();
    second.emit('order.created', { n: 1_000 });
    await eventually(() => {
      const { depth, delivered: count } = second.stats().backends['http'] ?? {};
      expect([depth, count]).toEqual([0, 1_001]);
    });
    const numbers = delivered().slice(failed);
    expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: 1_001 }, (_, n) => n));
  });

  it.each([0, 1, 20])(
    'delivers at the end what was emitted just before, %i turns of the event loop after the start',
    async (turns) => {
      const tracker = start({}, { batch: { maxDelayMs: 60_000 } });
      for (let turn = 0; turn < turns; turn++) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      tracker.emit('app.stopped', { n: 1 });
      expect(await tracker.close()).toEqual({ settled: true, pending: 0 });
      expect(delivered()).toEqual([1]);
    },
  );

  it('hands over what is left when the disk does not last', async () => {
    answers = () => ({ status: 503 });
    const lost: unknown[] = [];
    const tracker = start(
      { lasting: false },
      {
        onDeadLetter: ({ reason, events }) => {
          lost.push([reason, events.map(({ data }) => data['n'])]);
        },
      },
    );
    for (let n = 0; n < 3; n++) {
      tracker.emit('order.created', { n });
    }
    await tracker.close({ timeoutMs: 300 });
    expect(lost).toEqual([['shutdown', [0, 1, 2]]]);
    answers = () => ({ status: 200 });
    expect(start().stats().backends['http']).toMatchObject({ depth: 0 });
  });

  it.each(['process', 'power'] as const)(
    'accepts, delivers and settles at the pace of the app (%s)',
    async (durability) => {
      const tracker = start({ durability });
      let n = 0;
      await Promise.all(
        Array.from({ length: 64 }, async () => {
          while (n < 3_000) {
            await tracker.emitAsync('order.created', { n: n++ });
          }
        }),
      );
      await tracker.flush();
      const { accepted, depth } = tracker.stats().backends['http'] ?? {};
      expect([accepted, depth]).toEqual([3_000, 0]);
      expect(new Set(delivered()).size).toBe(3_000);
      expect(delivered()).toHaveLength(3_000);
    },
  );
});
