import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RequestOutcome, RequestSummary, TrackingRequestOptions } from 'nestjs-tracking';
import { fakeClock } from 'nestjs-tracking/testing';
import { turns, until } from '../support/http-app.js';
import type { NestHttpApp, NestHttpOptions } from '../support/nest-http-app.js';
import { closeNestApps, PLATFORMS, startNest } from '../support/nest-http-app.js';
import { openGate, Shop, shutGate } from '../support/shop.controller.js';

beforeEach(shutGate);
afterEach(async () => {
  openGate();
  await closeNestApps();
});

/** An event's name, with what its request says of the outcome. */
function outcomes({ memory }: NestHttpApp): unknown[] {
  return memory.events.map(({ name, context }) => {
    const { status, durationMs } = context['request'] as Record<string, unknown>;
    return [name, status, typeof durationMs];
  });
}

describe.each(PLATFORMS)('on %s, the end of a request', (platform) => {
  const start = (request: TrackingRequestOptions, more: NestHttpOptions = {}): Promise<NestHttpApp> =>
    startNest(platform, { controllers: [Shop], request, ...more });

  describe('with hold', () => {
    it.each([
      ['ok', 'seen', 200],
      ['conflict', 'seen', 409],
      ['broken', 'seen', 500],
      ['guarded', 'denied', 403],
      ['empty', 'emptied', 204],
      ['moved', 'moved', 302],
      ['file', 'seen', 200],
    ])('tells the events of /%s how it ended', async (path, name, status) => {
      const app = await start({ hold: true });
      expect((await app.send(`/${path}`)).status).toBe(status);
      await app.memory.waitFor(name);
      expect(outcomes(app)).toStrictEqual([[name, status, 'number']]);
    });

    it('keeps events back until then, in their order', async () => {
      const app = await start({ hold: true });
      const answer = app.send('/waiting');
      await turns(20);
      expect(app.memory.events).toStrictEqual([]);
      openGate();
      await answer;
      await app.memory.waitFor('done');
      expect(outcomes(app)).toStrictEqual([
        ['begun', 200, 'number'],
        ['done', 200, 'number'],
      ]);
      const [begun, done] = app.memory.events;
      expect((begun?.id ?? '') < (done?.id ?? '')).toBe(true);
    });

    it('measures the time since the request came', async () => {
      const clock = fakeClock();
      const app = await start({ hold: true }, { clock });
      const answer = app.send('/waiting');
      await until(() => app.tracker.stats().accepted === 0);
      await turns(20);
      await clock.advance(1_234.56);
      openGate();
      await answer;
      const [begun] = await app.memory.waitFor('begun');
      expect(begun?.context['request']).toMatchObject({ durationMs: 1_234.6 });
    });

    it('delivers what comes after the end, with the outcome', async () => {
      const app = await start({ hold: true });
      await app.send('/late');
      await app.memory.waitFor('seen');
      openGate();
      await app.memory.waitFor('late');
      expect(outcomes(app)).toStrictEqual([
        ['seen', 200, 'number'],
        ['late', 200, 'number'],
      ]);
    });

    it('never holds emitAsync', async () => {
      const app = await start({ hold: true });
      const { body } = await app.send('/at-once');
      expect(JSON.parse(body)).toMatchObject({
        outcomes: { memory: { status: 'accepted' } },
      });
      await app.memory.waitFor('held');
      expect(outcomes(app)).toStrictEqual([
        ['at once', undefined, 'undefined'],
        ['held', 200, 'number'],
      ]);
    });

    it('lets the oldest go beyond its bound, without an outcome', async () => {
      const app = await start({ hold: { maxEvents: 3 } });
      const answer = app.send('/many');
      await app.memory.waitFor('item', 2);
      expect(outcomes(app)).toStrictEqual([
        ['item', undefined, 'undefined'],
        ['item', undefined, 'undefined'],
      ]);
      openGate();
      await answer;
      await app.memory.waitFor('item', 5);
      expect(app.memory.events.map(({ data }) => data['i'])).toStrictEqual([0, 1, 2, 3, 4]);
      expect(outcomes(app).slice(2)).toStrictEqual(Array.from({ length: 3 }, () => ['item', 200, 'number']));
    });

    it('lets them go when the request takes too long, without an outcome', async () => {
      const clock = fakeClock();
      const app = await start({ hold: { maxMs: 5_000 } }, { clock });
      const answer = app.send('/waiting');
      await turns(20);
      await clock.advance(4_999);
      expect(app.memory.events).toStrictEqual([]);
      await clock.advance(1);
      expect(outcomes(app)).toStrictEqual([['begun', undefined, 'undefined']]);
      openGate();
      await answer;
      await app.memory.waitFor('done');
      expect(outcomes(app).slice(1)).toStrictEqual([['done', 200, 'number']]);
    });

    it('lets them go when the tracker closes, without an outcome', async () => {
      const app = await start({ hold: true });
      const answer = app.send('/waiting');
      await turns(20);
      await app.tracker.close();
      expect(outcomes(app)).toStrictEqual([['begun', undefined, 'undefined']]);
      openGate();
      await answer;
      expect(app.tracker.stats().dropped).toStrictEqual({ closed: 1 });
    });

    it('knows no status when the client went away before the head', async () => {
      const app = await start({ hold: true });
      const socket = await app.abort('/waiting');
      await turns(20);
      socket.destroy();
      await app.memory.waitFor('begun');
      openGate();
      await app.memory.waitFor('done');
      expect(outcomes(app)).toStrictEqual([
        ['begun', undefined, 'number'],
        ['done', undefined, 'number'],
      ]);
    });
  });

  describe('with keep', () => {
    const decided = async (
      path: string,
      keep: (outcome: RequestOutcome) => boolean,
    ): Promise<{ app: NestHttpApp; asked: RequestOutcome[] }> => {
      const asked: RequestOutcome[] = [];
      const app = await start({
        keep: (outcome) => {
          asked.push(outcome);
          return keep(outcome);
        },
      });
      await app.send(path);
      await until(() => asked.length > 0);
      return { app, asked };
    };

    it.each([
      ['/ok', { status: 200, aborted: false }],
      ['/guarded', { status: 403, aborted: false }],
      ['/conflict', { status: 409, aborted: false, error: { message: 'taken' } }],
      ['/broken', { status: 500, aborted: false, error: { message: 'broken' } }],
    ])('asks once about %s', async (path, outcome) => {
      const { asked } = await decided(path, () => true);
      expect(asked).toMatchObject([{ ...outcome, durationMs: expect.any(Number) }]);
    });

    it('says nothing of an error where there was none', async () => {
      const { asked } = await decided('/ok', () => true);
      expect(asked[0]).not.toHaveProperty('error');
    });

    it('implies hold', async () => {
      const { app } = await decided('/ok', () => true);
      await app.memory.waitFor('seen');
      expect(outcomes(app)).toStrictEqual([['seen', 200, 'number']]);
    });

    it('drops and counts what it does not keep, late events too', async () => {
      const { app } = await decided('/late', ({ status = 0 }) => status >= 400);
      openGate();
      await until(() => app.tracker.stats().dropped['outcome'] === 2);
      await turns();
      expect(app.memory.events).toStrictEqual([]);
      expect(app.tracker.stats()).toMatchObject({ accepted: 0 });
    });

    it('hears that the client went away', async () => {
      const asked: RequestOutcome[] = [];
      const app = await start({
        keep: (outcome) => {
          asked.push(outcome);
          return outcome.aborted;
        },
      });
      const socket = await app.abort('/waiting');
      await turns(20);
      socket.destroy();
      await app.memory.waitFor('begun');
      expect(asked).toStrictEqual([{ aborted: true, durationMs: expect.any(Number) }]);
    });

    it.each<[string, () => unknown]>([
      [
        'throws',
        () => {
          throw new Error('undecided');
        },
      ],
      ['answers a promise', () => Promise.reject(new Error('undecided'))],
    ])('keeps the events when it %s, and says so', async (_what, keep) => {
      const app = await start({ keep: keep as () => boolean });
      await app.send('/ok');
      await app.memory.waitFor('seen');
      expect(app.reports).toMatchObject([{ code: 'callback_failed', path: 'request.keep' }]);
    });
  });

  describe('with onEnd', () => {
    const ended = async (
      path: string,
      more: TrackingRequestOptions = {},
      options: NestHttpOptions = {},
    ): Promise<{ app: NestHttpApp; summaries: RequestSummary[] }> => {
      const summaries: RequestSummary[] = [];
      const app = await start(
        {
          onEnd: (summary) => {
            summaries.push(summary);
          },
          ...more,
        },
        options,
      );
      await app.send(path);
      await until(() => summaries.length > 0);
      return { app, summaries };
    };

    it.each([
      ['/ok', 200, 1],
      ['/guarded', 403, 1],
      ['/many', 200, 5],
      ['/nowhere', 404, 0],
      ['/empty', 204, 1],
    ])('sums up %s', async (path, status, events) => {
      openGate();
      const { summaries } = await ended(path);
      expect(summaries).toStrictEqual([
        {
          events,
          dropped: 0,
          status,
          aborted: false,
          durationMs: expect.any(Number),
          context: expect.objectContaining({
            request: expect.objectContaining({ path, method: 'GET' }),
          }),
        },
      ]);
    });

    it('counts what was dropped', async () => {
      openGate();
      const { summaries } = await ended(
        '/many',
        {},
        {
          processors: [(event) => ((event.data['i'] as number) % 2 === 0 ? event : [])],
        },
      );
      expect(summaries).toMatchObject([{ events: 5, dropped: 2 }]);
    });

    it('counts events that keep dropped', async () => {
      const { summaries } = await ended('/ok', { keep: () => false });
      expect(summaries).toMatchObject([{ events: 1, dropped: 1 }]);
    });

    it('is told what the app had entered, inside the scope', async () => {
      const inside: unknown[] = [];
      const app: NestHttpApp = await start({
        onEnd: ({ context }) => {
          inside.push(context, app.tracker.resolveContext());
          app.tracker.emit('ended');
        },
      });
      await app.send('/empty');
      const [event] = await app.memory.waitFor('ended');
      expect(inside[0]).toMatchObject({
        basket: 7,
        request: { route: '/empty' },
        handler: { class: 'Shop', method: 'empty' },
      });
      expect(inside[1]).toStrictEqual(inside[0]);
      expect(event?.context).toMatchObject({ basket: 7 });
    });

    it('hears of a client that went away', async () => {
      const summaries: RequestSummary[] = [];
      const app = await start({
        onEnd: (summary) => {
          summaries.push(summary);
        },
      });
      const socket = await app.abort('/waiting');
      await app.memory.waitFor('begun');
      socket.destroy();
      await until(() => summaries.length > 0);
      expect(summaries).toMatchObject([{ aborted: true, events: 1 }]);
      expect(summaries[0]).not.toHaveProperty('status');
    });

    it.each<[string, () => unknown]>([
      [
        'throws',
        () => {
          throw new Error('no');
        },
      ],
      ['rejects', () => Promise.reject(new Error('no'))],
    ])('may fail: it %s, which is reported', async (_what, onEnd) => {
      const app = await start({ onEnd: onEnd });
      expect((await app.send('/ok')).status).toBe(200);
      await until(() => app.reports.length > 0);
      expect(app.reports).toMatchObject([
        {
          code: 'callback_failed',
          path: 'request.onEnd',
          error: { message: 'no' },
        },
      ]);
    });
  });
});
