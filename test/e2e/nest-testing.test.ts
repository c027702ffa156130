import { Controller, Get, Injectable, Module, UseInterceptors } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { Server } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import type { RequestSummary, Tracker } from 'nestjs-tracking';
import {
  drop,
  getTrackerToken,
  InjectTracker,
  Track,
  TrackingInterceptor,
  TrackingModule,
} from 'nestjs-tracking';
import { trackingMiddleware } from 'nestjs-tracking/express';
import { memoryBackend } from 'nestjs-tracking/testing';
import { TrackingProbe, TrackingTestingModule } from 'nestjs-tracking/testing/nest';
import { systemClock } from '../../lib/core/system-clock.js';
import { ADAPTERS, bootError, closeApps, nestApp } from '../support/nest-app.js';

@Injectable()
class Orders {
  constructor(@InjectTracker() private readonly tracker: Tracker) {}

  place(id: number): void {
    this.tracker.emit('order.placed', { id });
  }
}

@Controller()
class OrdersController {
  constructor(private readonly orders: Orders) {}

  @Get('place')
  @UseInterceptors(TrackingInterceptor)
  @Track('place.called')
  place(): string {
    this.orders.place(7);
    return 'ok';
  }
}

@Module({ providers: [Orders], controllers: [OrdersController] })
class OrdersModule {}

afterEach(closeApps);

describe('TrackingTestingModule.forRoot', () => {
  it('stands in for forRoot, with a probe that sees every event', async () => {
    const moduleRef = await Test.createTestingModule({
      imports: [TrackingTestingModule.forRoot(), OrdersModule],
    }).compile();
    moduleRef.get(Orders, { strict: false }).place(1);
    const probe = moduleRef.get(TrackingProbe);
    expect(await probe.waitFor('order.placed')).toMatchObject({
      name: 'order.placed',
      data: { id: 1 },
      context: {},
    });
    await moduleRef.close();
    moduleRef.get(Orders, { strict: false }).place(2);
    expect(probe.events).toHaveLength(1);
  });

  it('gives tests of requests the whole context', async () => {
    const moduleRef = await Test.createTestingModule({
      imports: [TrackingTestingModule.forRoot(), OrdersModule],
    }).compile();
    const app = moduleRef.createNestApplication();
    app.useLogger(false);
    await app.init();
    await request(app.getHttpServer() as Server)
      .get('/place')
      .expect(200);
    expect(app.get(TrackingProbe).events).toMatchObject([
      { name: 'order.placed', context: { request: { path: '/place' } } },
      { name: 'place.called', context: { handler: { method: 'place' } } },
    ]);
    await app.close();
  });

  it('takes options, extras and backends beside its own', async () => {
    const other = memoryBackend();
    const moduleRef = await Test.createTestingModule({
      imports: [
        TrackingTestingModule.forRoot({
          name: 'audit',
          context: { app: 'test' },
          backends: { other },
          processors: [(event) => (event.name === 'secret' ? drop('secret') : undefined)],
        }),
      ],
    }).compile();
    const tracker = moduleRef.get<Tracker>(getTrackerToken('audit'), {
      strict: false,
    });
    tracker.emit('secret');
    tracker.emit('open');
    const { events } = moduleRef.get(TrackingProbe);
    expect(events).toMatchObject([{ name: 'open', context: { app: 'test' } }]);
    expect(other.events).toStrictEqual(events);
    await moduleRef.close();
  });

  it('refuses wrong options as forRoot does', async () => {
    const error = await bootError(TrackingTestingModule.forRoot({ shutdownTimeoutMs: -1 }));
    expect(error.message).toContain('shutdownTimeoutMs');
  });

  it('keeps apps apart', async () => {
    const [one, two] = await Promise.all(
      [1, 2].map(() =>
        Test.createTestingModule({
          imports: [TrackingTestingModule.forRoot(), OrdersModule],
        }).compile(),
      ),
    );
    one!.get(Orders, { strict: false }).place(1);
    expect(one!.get(TrackingProbe).events).toHaveLength(1);
    expect(two!.get(TrackingProbe).events).toHaveLength(0);
    await Promise.all([one!.close(), two!.close()]);
  });
});

describe.each(ADAPTERS)('TrackingTestingModule.observe on %s', (adapter) => {
  it('shows what the backends of an app see', async () => {
    const app = await nestApp(adapter).imports(OrdersModule, TrackingTestingModule.observe()).start();
    await app.visit('/place');
    const { events } = app.app.get(TrackingProbe);
    expect(events.map(({ name }) => name)).toStrictEqual(['order.placed', 'place.called']);
    expect(app.memory.events).toStrictEqual(events);
  });

  it('shows those of a named instance', async () => {
    const app = await nestApp(adapter)
      .tracking()
      .trackingModule((options) => TrackingModule.forRoot({ ...options, name: 'audit' }))
      .imports(TrackingTestingModule.observe('audit'))
      .start();
    app.app.get<Tracker>(getTrackerToken('audit'), { strict: false }).emit('audited');
    app.app.get<Tracker>(getTrackerToken(), { strict: false }).emit('not audited');
    const { events } = app.app.get(TrackingProbe);
    expect(events.map(({ name }) => name)).toStrictEqual(['audited']);
  });
});

describe.each(ADAPTERS)('an app on %s', (adapter) => {
  it('has one scope and one end for a request, however many doors it came through', async () => {
    const ends: RequestSummary[] = [];
    const app = await nestApp(adapter)
      .tracking({ request: { onEnd: (summary) => void ends.push(summary) } })
      .imports(OrdersModule)
      .with((nest) => {
        if (adapter === 'express') {
          nest.use(trackingMiddleware(nest.get<Tracker>(getTrackerToken())));
        }
        nest.useGlobalInterceptors(nest.get(TrackingInterceptor, { strict: false }));
      })
      .start();
    await app.visit('/place');
    await app.close();
    const ids = app.memory.events.map(({ context }) => (context['request'] as { id: string }).id);
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
    expect(ends).toMatchObject([{ status: 200, events: 2 }]);
  });

  it('leaves nothing open when it has closed, and closes once', async () => {
    const { clock, timers } = countingClock();
    const app = await nestApp(adapter)
      .tracking({ clock, request: { hold: true, awaitAccepted: true } })
      .imports(OrdersModule)
      .start();
    await request(app.url).get('/place').expect(200);
    const server = app.app.getHttpServer() as Server;
    expect(server.listening).toBe(true);

    await Promise.all([app.close(), app.app.close()]);
    await app.app.close();

    expect(server.listening).toBe(false);
    expect(timers.size).toBe(0);
    app.app.get<Tracker>(getTrackerToken()).emit('late');
    expect(app.memory.events).toHaveLength(2);
    expect(app.codes()).toStrictEqual(['closed']);
  });
});

/** The system's clock, and its timers that are still to come. */
function countingClock() {
  const system = systemClock();
  const timers = new Set<unknown>();
  const clock: typeof system = {
    ...system,
    setTimeout: (run, ms) => {
      const timer = system.setTimeout(() => {
        timers.delete(timer);
        run();
      }, ms);
      timers.add(timer);
      return timer;
    },
    clearTimeout: (timer) => {
      timers.delete(timer);
      system.clearTimeout(timer);
    },
  };
  return { clock, timers };
}
