import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { Pool } from 'undici';
import { context, event, NAME, payload } from '../sample.mjs';

export const BATCH = 500;
const HEADERS = { 'content-type': 'application/json' };
const zip = promisify(gzip);

/** Posts a body until it is taken. */
export function poster(url, { connections, compression }) {
  const { origin, pathname: path } = new URL(url);
  const pool = new Pool(origin, { connections });
  return {
    close: () => pool.destroy(),
    post: async (text) => {
      const zipped = compression === 'gzip';
      const body = zipped ? await zip(text, { level: 1 }) : text;
      const headers = zipped ? { ...HEADERS, 'content-encoding': 'gzip' } : HEADERS;
      for (let attempt = 0; ; attempt++) {
        const answer = await pool.request({ path, method: 'POST', body, headers }).catch(() => undefined);
        await answer?.body.dump();
        if (answer?.statusCode < 300) {
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** attempt));
      }
    },
  };
}

/** All of them in one scope. */
const shared = context(0);

export const newEvent = (i) => ({
  id: randomUUID(),
  name: NAME,
  timestamp: new Date().toISOString(),
  data: payload(i),
  context: shared,
});

/** Batches made beforehand: what HTTP itself costs. */
export function raw(url, { connections = 4 } = {}) {
  const { post, close } = poster(url, { connections });
  const body = Buffer.from(JSON.stringify(Array.from({ length: BATCH }, (_, i) => event(i))));
  let left = 0;
  const lane = async () => {
    while (left >= BATCH) {
      left -= BATCH;
      await post(body);
    }
  };
  return {
    emit: () => {
      left++;
    },
    flush: () => Promise.all(Array.from({ length: connections }, lane)),
    close,
  };
}

/** What a good programmer writes in an afternoon: an array, JSON.stringify, undici, a retry. */
export function handWritten(url, { connections = 4, compression } = {}) {
  const { post, close } = poster(url, { connections, compression });
  const waiting = [];
  let lanes = 0;
  let idle;
  const lane = async () => {
    lanes++;
    while (waiting.length > 0) {
      await post(JSON.stringify(waiting.splice(0, BATCH)));
    }
    lanes--;
    if (lanes === 0) {
      idle?.();
    }
  };
  const start = () => {
    if (waiting.length > 0 && lanes < connections) {
      void lane();
    }
  };
  const timer = setInterval(start, 1_000).unref();
  return {
    emit: (i) => {
      waiting.push(newEvent(i));
      if (waiting.length >= BATCH) {
        start();
      }
    },
    flush: async () => {
      start();
      if (lanes > 0) {
        await new Promise((resolve) => {
          idle = resolve;
        });
      }
    },
    close: () => {
      clearInterval(timer);
      return close();
    },
  };
}
