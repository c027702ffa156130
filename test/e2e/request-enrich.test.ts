import { Controller, Get } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { RequestSummary, Tracker, TrackingRequestOptions } from 'nestjs-tracking';
import { InjectTracker } from 'nestjs-tracking';
import type { RequestOptions } from 'nestjs-tracking/express';
import { trackingMiddleware } from 'nestjs-tracking/express';
import { closeApps, startExpress } from '../support/express-app.js';
import { until } from '../support/http-app.js';
import { ADAPTERS, closeApps as closeNestApps, nestApp } from '../support/nest-app.js';
import { record, untyped } from '../support/recording.js';

afterEach(async () => {
  await closeApps();
  await closeNestApps();
});

const without = <T extends object>(more: T): T => untyped<T>({ enrich: false, ...more });

describe('enrich: false in Express', () => {
  const visit = async (request: RequestOptions, path = '/orders/7') => {
    const app = await startExpress(
      (web, tracker) => {
        web.get('/orders/:id', (_incoming, response) => {
          tracker.emit('seen');
          response.status(201).send('ok');
        });
      },
      { request },
    );
    await app.send(path, { headers: { 'user-agent': 'curl/8', referer: 'http://shop.example/' } });
    return app;
  };

  it('leaves the facts of the request out, and nothing else', async () => {
    const app = await visit(without({ user: () => 'ada', session: () => 's1' }));
    expect(app.memory.events.map(({ context }) => context)).toStrictEqual([
      { user: { id: 'ada' }, session: { id: 's1' } },
    ]);
    expect(app.reports).toStrictEqual([]);
  });

  it.each<[string, RequestOptions]>([
    ['hold', { hold: true }],
    ['keep', { keep: () => true }],
  ])('tells held events how it ended all the same: %s', async (_what, request) => {
    const app = await visit(without(request));
    await app.memory.waitFor('seen');
    expect(app.memory.events.map(({ context }) => context)).toStrictEqual([
      { request: { status: 201, durationMs: expect.any(Number) } },
    ]);
  });

  it('still asks keep with the outcome, and drops', async () => {
    const app = await visit(without({ keep: ({ status = 0 }: { status?: number }) => status >= 400 }));
    await until(() => app.tracker.stats().dropped['outcome'] === 1);
    expect(app.memory.events).toStrictEqual([]);
  });

  it('asks for neither an id nor an address', async () => {
    let asked = 0;
    const requestId = (): string => {
      asked++;
      return 'r1';
    };
    const app = await visit(without({ requestId, ip: true }));
    expect(app.memory.events.map(({ context }) => context)).toStrictEqual([{}]);
    expect(asked).toBe(0);
  });

  it('shows in the summary, too', async () => {
    const summaries: RequestSummary[] = [];
    await visit(
      without({
        onEnd: (summary: RequestSummary) => {
          summaries.push(summary);
        },
      }),
    );
    await until(() => summaries.length === 1);
    expect(summaries).toMatchObject([{ status: 201, events: 1 }]);
    expect(summaries[0]?.context).toStrictEqual({});
  });

  it('is the same as not said when it is true', async () => {
    const app = await visit({ enrich: true });
    expect(app.memory.events[0]?.context['request']).toMatchObject({
      path: '/orders/7',
      userAgent: 'curl/8',
    });
  });

  it.each([0, 'no', null, {}])('is not %p', (enrich) => {
    const { tracker } = record();
    expect(() => trackingMiddleware(tracker, untyped({ enrich }))).toThrow(
      expect.objectContaining({
        code: 'invalid_options',
        message: expect.stringMatching(/requestOptions\.enrich to be .*false/),
      }),
    );
  });
});

describe.each(ADAPTERS)('enrich: false in Nest on %s', (adapter) => {
  @Controller('orders')
  class Orders {
    constructor(@InjectTracker() private readonly tracker: Tracker) {}

    @Get(':id')
    show(): string {
      this.tracker.emit('seen');
      return 'ok';
    }
  }

  it.each<[string, TrackingRequestOptions, object]>([
    ['alone', {}, {}],
    ['with hold', { hold: true }, { request: { status: 200, durationMs: expect.any(Number) } }],
  ])('leaves the user and the handler: %s', async (_what, request, more) => {
    const app = await nestApp(adapter)
      .controllers(Orders)
      .tracking({ request: without({ user: () => 'ada', ...request }) })
      .start();
    await app.visit('/orders/7');
    const { context } = await app.event('seen');
    expect(context).toStrictEqual({
      user: { id: 'ada' },
      handler: { kind: 'http', class: 'Orders', method: 'show' },
      ...more,
    });
  });
});
