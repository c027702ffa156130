import { randomUUID } from 'node:crypto';
import { Pool } from 'undici';
import { gzip } from 'node:zlib';
import { promisify } from 'node:util';
import { createTracker } from '../../../dist/core.js';
import { httpBackend, memoryBacklog } from '../../../dist/http.js';
import { context, event, inner, NAME, outer, payload } from '../sample.mjs';

/*
 * Each contender takes `events` events and resolves when the sink has answered for all of them.
 */
const BATCH = 500;
const CHUNK = 2_000;
const zip = promisify(gzip);

/** Lets the event loop turn, as a server does between requests. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

async function inChunks(events, work) {
  for (let done = 0; done < events; done += CHUNK) {
    for (let i = done; i < Math.min(events, done + CHUNK); i++) {
      work(i);
    }
    await turn();
  }
}

/** Batches made beforehand: what HTTP itself costs. */
function raw(url, { connections }) {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections });
  const body = Buffer.from(
    JSON.stringify(Array.from({ length: BATCH }, () => event)),
  );
  return {
    run: async (events) => {
      let left = events / BATCH;
      const lane = async () => {
        while (left-- > 0) {
          const answer = await pool.request({
            ...{ path: pathname, method: 'POST', body },
            headers: { 'content-type': 'application/json' },
          });
          await answer.body.dump();
        }
      };
      await Promise.all(Array.from({ length: connections }, lane));
    },
    close: () => pool.destroy(),
  };
}

/** What a good programmer writes in an afternoon: an array, JSON.stringify, undici, a retry. */
function handWritten(url, { connections, compression }) {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections });
  const waiting = [];
  let lanes = 0;
  let idle;

  const post = async (batch) => {
    let body = JSON.stringify(batch);
    const headers = { 'content-type': 'application/json' };
    if (compression === 'gzip') {
      body = await zip(body, { level: 1 });
      headers['content-encoding'] = 'gzip';
    }
    for (let attempt = 0; ; attempt++) {
      const answer = await pool
        .request({ path: pathname, method: 'POST', body, headers })
        .catch(() => undefined);
      await answer?.body.dump();
      if (answer?.statusCode < 300) {
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** attempt));
    }
  };
  const lane = async () => {
    lanes++;
    while (waiting.length > 0) {
      await post(waiting.splice(0, BATCH));
    }
    lanes--;
    if (lanes === 0) {
      idle?.();
    }
  };
  const emit = (i) => {
    payload.amount = i;
    waiting.push({
      id: randomUUID(),
      name: NAME,
      timestamp: new Date().toISOString(),
      data: { ...payload },
      context,
    });
    if (waiting.length >= BATCH && lanes < connections) {
      void lane();
    }
  };
  return {
    run: async (events) => {
      await inChunks(events, emit);
      if (waiting.length > 0 && lanes < connections) {
        void lane();
      }
      if (lanes > 0) {
        await new Promise((resolve) => {
          idle = resolve;
        });
      }
    },
    close: () => pool.destroy(),
  };
}

function ours(url, options) {
  const backend = httpBackend({
    url,
    backlog: memoryBacklog({ maxEvents: 1_000_000, maxBytes: 2 ** 30 }),
    ...options,
  });
  const tracker = createTracker({
    backends: { backend },
    onError: (report) => {
      console.error(report.code, report.message);
    },
  });
  return {
    run: async (events) => {
      await tracker.context('request', outer, () =>
        tracker.context('user', inner, () =>
          inChunks(events, (i) => {
            payload.amount = i;
            tracker.emit(NAME, payload);
          }),
        ),
      );
      const { settled } = await tracker.flush({ timeoutMs: 60_000 });
      if (!settled) {
        throw new Error(JSON.stringify(tracker.stats()));
      }
    },
    stats: () => tracker.stats().backends.backend,
    tracker,
    close: () => tracker.close(),
  };
}

export const CONTENDERS = {
  'hand-written loop': (url) => handWritten(url, { connections: 4 }),
  'raw undici, batches made beforehand': (url) => raw(url, { connections: 4 }),
  '**httpBackend** from memory': (url) => ours(url, {}),
};

export const ZIPPED = {
  'hand-written loop, gzip': (url) =>
    handWritten(url, { connections: 4, compression: 'gzip' }),
  '**httpBackend**, gzip': (url) => ours(url, { compression: 'gzip' }),
};

export const SLOW = {
  'hand-written loop, 4 connections': (url) =>
    handWritten(url, { connections: 4 }),
  'hand-written loop, 32 connections': (url) =>
    handWritten(url, { connections: 32 }),
  '**httpBackend** with its defaults': (url) => ours(url, {}),
};

export { ours };
