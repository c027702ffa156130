import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { TrackingRequestOptions } from 'nestjs-tracking';
import { turns, until } from '../support/http-app.js';
import type { NestHttpApp, NestHttpOptions } from '../support/nest-http-app.js';
import { closeNestApps, PLATFORMS, startNest } from '../support/nest-http-app.js';
import type { Deferred } from '../support/recording.js';
import { deferred } from '../support/recording.js';
import { gateOpens, openGate, Shop, shutGate } from '../support/shop.controller.js';

beforeEach(shutGate);
afterEach(async () => {
  openGate();
  await closeNestApps();
});

describe.each(PLATFORMS)('on %s, after a request', (platform) => {
  const start = (request: TrackingRequestOptions, more: NestHttpOptions = {}): Promise<NestHttpApp> =>
    startNest(platform, { controllers: [Shop], request, ...more });

  describe('with flushAtEnd', () => {
    /** A backend that accepts and flushes when the test says so. */
    const slow = (): {
      accept: Deferred;
      flushes: Deferred[];
      backends: NestHttpOptions['backends'];
    } => {
      const accept = deferred();
      const flushes: Deferred[] = [];
      return {
        accept,
        flushes,
        backends: {
          slow: {
            send: () => accept.promise,
            flush: () => {
              const flush = deferred();
              flushes.push(flush);
              return Promise.race([flush.promise, gateOpens()]);
            },
          },
        },
      };
    };

    it.each<[TrackingRequestOptions['flushAtEnd'], number]>([
      [false, 0],
      ['accepted', 1],
      ['delivered', 2],
      [undefined, 1],
    ])('%p, onEnd waits for what it should, the response never', async (flushAtEnd, waits) => {
      const { accept, flushes, backends } = slow();
      let isEnded = false;
      const app = await start(
        {
          ...(flushAtEnd === undefined ? {} : { flushAtEnd }),
          onEnd: () => {
            isEnded = true;
          },
        },
        { backends: backends ?? {} },
      );
      expect((await app.send('/ok')).status).toBe(200);
      await turns(20);
      expect(isEnded).toBe(waits === 0);
      accept.resolve();
      await turns(20);
      expect(isEnded).toBe(waits <= 1);
      expect(flushes).toHaveLength(waits === 2 ? 1 : 0);
      flushes[0]?.resolve();
      await until(() => isEnded);
    });

    it('coalesces the flushes of concurrent requests', async () => {
      const { accept, flushes, backends } = slow();
      accept.resolve();
      let ends = 0;
      const app = await start(
        {
          flushAtEnd: 'delivered',
          onEnd: () => {
            ends++;
          },
        },
        { backends: backends ?? {} },
      );
      await Promise.all(Array.from({ length: 50 }, () => app.send('/ok')));
      await turns(20);
      expect(flushes).toHaveLength(1);
      flushes[0]?.resolve();
      await until(() => flushes.length === 2);
      flushes[1]?.resolve();
      await until(() => ends === 50);
      expect(flushes).toHaveLength(2);
    });

    it('flushes without anybody listening', async () => {
      const { accept, flushes, backends } = slow();
      accept.resolve();
      const app = await start({ flushAtEnd: 'delivered' }, { backends: backends ?? {} });
      await app.send('/ok');
      await until(() => flushes.length === 1);
      flushes[0]?.resolve();
      await turns();
      expect(flushes).toHaveLength(1);
    });

    it('flushes outside the context of any request', async () => {
      const contexts: unknown[] = [];
      const app: NestHttpApp = await start(
        { flushAtEnd: 'delivered' },
        {
          backends: {
            spy: {
              send: () => undefined,
              flush: () => {
                contexts.push(app.tracker.resolveContext());
                return Promise.resolve();
              },
            },
          },
        },
      );
      await app.send('/ok');
      await until(() => contexts.length > 0);
      expect(contexts).toStrictEqual([{}]);
    });
  });

  describe('with waitUntil', () => {
    it('hands out a promise for when the events are accepted', async () => {
      const accept = deferred();
      const given: Promise<void>[] = [];
      const seen: unknown[] = [];
      let isDone = false;
      const app = await start(
        {
          waitUntil: (request) => {
            seen.push(request.method, request.url);
            return (work) => {
              given.push(work);
            };
          },
        },
        { backends: { slow: { send: () => accept.promise } } },
      );
      await app.send('/ok?a=b');
      expect(seen).toStrictEqual(['GET', '/ok?a=b']);
      expect(given).toHaveLength(1);
      void given[0]?.then(() => {
        isDone = true;
      });
      await turns(20);
      expect(isDone).toBe(false);
      accept.resolve();
      await until(() => isDone);
    });

    it('may answer nothing for requests that nobody waits for', async () => {
      const app = await start({ waitUntil: () => undefined });
      expect((await app.send('/ok')).status).toBe(200);
      expect(app.reports).toStrictEqual([]);
    });

    it.each<[string, TrackingRequestOptions['waitUntil']]>([
      [
        'throws',
        () => {
          throw new Error('no');
        },
      ],
      [
        'answers what throws',
        () => () => {
          throw new Error('no');
        },
      ],
      ['answers what rejects', () => () => Promise.reject(new Error('no'))],
      ['answers a promise', (() => Promise.reject(new Error('no'))) as () => never],
    ])('may fail: it %s, which is reported', async (_what, waitUntil) => {
      const app = await start({
        ...(waitUntil === undefined ? {} : { waitUntil }),
      });
      expect((await app.send('/ok')).status).toBe(200);
      await until(() => app.reports.length > 0);
      expect(app.reports).toMatchObject([{ code: 'callback_failed', path: 'request.waitUntil' }]);
    });
  });
});
