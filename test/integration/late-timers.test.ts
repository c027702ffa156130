import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Backend, ProcessorSpec, TrackerOptions } from 'nestjs-tracking/core';
import { consent, createTracker, filter } from 'nestjs-tracking/core';
import { httpBackend } from 'nestjs-tracking/http';
import { memoryBackend } from 'nestjs-tracking/testing';
import { closeApps, startExpress } from '../support/express-app.js';
import { turns } from '../support/http-app.js';
import type { AnyTracker } from '../support/recording.js';

const LIMIT_MS = 150;
/** Much longer than the limit, so that the limit is over when the event loop goes on. */
const STALL_MS = 400;

/** A server that a stall of this thread does not stall: it answers after 30 ms, or never to `/never`. */
const SERVER = `
  const http = require('node:http');
  const { parentPort } = require('node:worker_threads');
  const server = http.createServer((request, response) => {
    request.resume();
    if (request.url !== '/never') {
      setTimeout(() => response.end('ok'), 30);
    }
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

let worker: Worker;
let url: string;
beforeAll(async () => {
  worker = new Worker(SERVER, { eval: true });
  const [port] = (await once(worker, 'message')) as [number];
  url = `http://127.0.0.1:${port}`;
  // The connection that is kept from here on.
  await ask();
});
afterAll(() => worker.terminate());
afterEach(closeApps);

async function ask(path = '/'): Promise<boolean> {
  const answer = await fetch(`${url}${path}`);
  await answer.text();
  return answer.ok;
}

/** The request is on its way; then nothing in this thread moves until its answer has long been there. */
async function stall(): Promise<void> {
  await turns(2);
  const end = performance.now() + STALL_MS;
  while (performance.now() < end) {
    // The event loop stands still.
  }
}

interface Run {
  readonly tracker: AnyTracker;
  readonly codes: string[];
  readonly memory: ReturnType<typeof memoryBackend>;
}

function track(options: Partial<TrackerOptions>): Run {
  const memory = memoryBackend();
  const codes: string[] = [];
  const tracker: AnyTracker = createTracker({
    backends: { memory },
    limits: { sendTimeoutMs: LIMIT_MS, processorTimeoutMs: LIMIT_MS },
    onError: ({ code }) => {
      codes.push(code);
    },
    ...options,
  });
  return { tracker, codes, memory };
}

const PROCESSORS: readonly [string, ProcessorSpec][] = [
  ['consent', consent(() => ask())],
  [
    'a filter',
    filter(async () => {
      await ask();
    }),
  ],
  [
    'a processor',
    async (event) => {
      await ask();
      return { ...event, data: { asked: true } };
    },
  ],
];

const asking: Backend = {
  send: async () => {
    await ask();
  },
};

describe('a stall of the event loop, with the answer there when it ends,', () => {
  it.each(PROCESSORS)('does not time out %s', async (_what, processor) => {
    const { tracker, codes, memory } = track({ processors: [processor] });
    for (let round = 1; round <= 2; round++) {
      const report = tracker.emitAsync('a');
      await stall();
      await expect(report).resolves.toMatchObject({ outcomes: { memory: { status: 'accepted' } } });
      expect(memory.events).toHaveLength(round);
    }
    expect(codes).toStrictEqual([]);
    expect(tracker.stats()).toMatchObject({ dropped: {}, processorErrors: 0 });
  });

  it('does not time out a send', async () => {
    const { tracker, codes } = track({ backends: { asking, other: asking } });
    for (let round = 1; round <= 2; round++) {
      const report = tracker.emitAsync('a');
      await stall();
      await expect(report).resolves.toMatchObject({
        outcomes: { asking: { status: 'accepted' }, other: { status: 'accepted' } },
      });
      expect(tracker.stats().backends['asking']).toMatchObject({ accepted: round, dropped: {} });
    }
    expect(codes).toStrictEqual([]);
  });

  it('does not turn away what waits for room', async () => {
    const { tracker, codes } = track({
      backends: { asking },
      limits: { maxPending: 1, blockTimeoutMs: LIMIT_MS },
    });
    const reports = Promise.all([tracker.emitAsync('a'), tracker.emitAsync('b')]);
    await stall();
    await expect(reports).resolves.toMatchObject([
      { outcomes: { asking: { status: 'accepted' } } },
      { outcomes: { asking: { status: 'accepted' } } },
    ]);
    expect(codes).toStrictEqual([]);
  });

  it.each(['flush', 'close'] as const)('does not end a %s before its time', async (what) => {
    const { tracker, codes } = track({ backends: { asking }, limits: {} });
    tracker.emit('a');
    const ended = tracker[what]({ timeoutMs: LIMIT_MS });
    await stall();
    await expect(ended).resolves.toStrictEqual({ settled: true, pending: 0 });
    expect(codes).toStrictEqual([]);
    expect(tracker.stats().backends['asking']).toMatchObject({ accepted: 1 });
  });

  it.each(['flush', 'close'] as const)('does not end the %s of a backend before its time', async (what) => {
    const { tracker, codes } = track({
      backends: {
        slow: {
          send: () => undefined,
          [what]: async () => {
            await ask();
          },
        },
      },
    });
    const ended = tracker[what]({ timeoutMs: LIMIT_MS });
    await stall();
    await ended;
    expect(codes).toStrictEqual([]);
  });

  it.each([true, 'required'] as const)(
    'does not refuse a response under awaitAccepted: %p',
    async (awaitAccepted) => {
      const app = await startExpress(
        (web, tracker) => {
          web.get('/', (_request, response) => {
            tracker.emit('a');
            response.send('ok');
            void stall();
          });
        },
        { request: { awaitAccepted, acceptTimeoutMs: LIMIT_MS }, tracker: { backends: { asking } } },
      );
      expect((await app.send('/')).status).toBe(200);
      expect(app.reports).toStrictEqual([]);
    },
  );

  it('does not let an HTTP request fail that was answered', async () => {
    const { tracker, codes } = track({
      backends: { http: httpBackend({ url, timeoutMs: LIMIT_MS, batch: { maxDelayMs: 1 } }) },
    });
    const flushed = (async () => {
      await tracker.emitAsync('a');
      return tracker.flush({ timeoutMs: 5_000 });
    })();
    await turns(5);
    await stall();
    await expect(flushed).resolves.toStrictEqual({ settled: true, pending: 0 });
    expect(tracker.stats().backends['http']).toMatchObject({ delivered: 1, retried: 0 });
    expect(codes).toStrictEqual([]);
    await tracker.close();
  });
});

describe('what has no answer after a stall', () => {
  it('times out all the same', async () => {
    const never: Backend = {
      send: async () => {
        await ask('/never');
      },
    };
    const { tracker, codes } = track({ backends: { never, asking } });
    const report = tracker.emitAsync('a');
    await stall();
    await expect(report).resolves.toMatchObject({
      outcomes: { never: { status: 'failed', reason: 'timeout' }, asking: { status: 'accepted' } },
    });
    expect(codes).toStrictEqual(['timeout']);
  });

  it('fails closed all the same', async () => {
    const { tracker, codes, memory } = track({ processors: [consent(() => ask('/never'))] });
    const report = tracker.emitAsync('a');
    await stall();
    await expect(report).resolves.toMatchObject({ dropped: 'timeout' });
    expect(memory.events).toStrictEqual([]);
    expect(codes).toStrictEqual(['timeout']);
  });
});
