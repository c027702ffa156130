import { Controller, Get, Inject, Param } from '@nestjs/common';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Tracker } from 'nestjs-tracking';
import { getTrackerToken, TrackingModule } from 'nestjs-tracking';
import type { HttpBackendOptions } from 'nestjs-tracking/http';
import { httpBackend, memoryBacklog } from 'nestjs-tracking/http';
import type { BackendHealth } from 'nestjs-tracking/terminus';
import { TrackingHealthIndicator } from 'nestjs-tracking/terminus';
import type { Collector, CollectorAnswer } from 'nestjs-tracking/testing';
import { startCollector } from 'nestjs-tracking/testing';
import { eventually } from '../support/eventually.js';
import type { RunningApp } from '../support/nest-app.js';
import { ADAPTERS, closeApps, nestApp } from '../support/nest-app.js';

@Controller('health')
class HealthController {
  constructor(
    @Inject(HealthCheckService) private readonly health: HealthCheckService,
    @Inject(TrackingHealthIndicator)
    private readonly tracking: TrackingHealthIndicator,
  ) {}

  @Get()
  @HealthCheck()
  check() {
    return this.health.check([() => this.tracking.isHealthy()]);
  }

  @Get('brief')
  @HealthCheck()
  brief() {
    return this.health.check([() => this.tracking.isHealthy('events', { windowMs: 1 })]);
  }

  @Get('of/:tracker')
  @HealthCheck()
  of(@Param('tracker') tracker: string) {
    return this.health.check([() => this.tracking.isHealthy('events', { tracker })]);
  }
}

interface Answer {
  readonly status: string;
  readonly details: Readonly<
    Record<
      string,
      {
        readonly status: string;
        readonly message?: string;
        readonly backends: Readonly<Record<string, BackendHealth>>;
      }
    >
  >;
}

async function health({ fetch }: RunningApp, path = '') {
  const response = await fetch(`/health${path}`);
  const { details } = (await response.json()) as Answer;
  return { code: response.status, details };
}

const collectors: Collector[] = [];

afterEach(async () => {
  await closeApps();
  await Promise.all(collectors.splice(0).map((one) => one.close()));
});

describe.each(ADAPTERS)('TrackingHealthIndicator on %s', (adapter) => {
  async function start(
    answer: () => CollectorAnswer,
    backlog: HttpBackendOptions['backlog'] = memoryBacklog(),
  ) {
    const collector = await startCollector({ respond: answer });
    collectors.push(collector);
    const backend = () =>
      httpBackend({
        url: `${collector.url}/in`,
        backlog,
        batch: { maxDelayMs: 1 },
        retry: { baseMs: 10, maxDelayMs: 50 },
      });
    const running = await nestApp(adapter)
      .imports(TerminusModule.forRoot({ logger: false }), TrackingModule.forFeature())
      .controllers(HealthController)
      .providers(TrackingHealthIndicator)
      .tracking({ backends: { http: backend() }, shutdownTimeoutMs: 100 })
      .trackingModule((defaults) =>
        TrackingModule.forRoot({
          ...{ ...defaults, name: 'audit', shutdownTimeoutMs: 100 },
        }),
      )
      .start();
    const tracker = running.app.get<Tracker>(getTrackerToken());
    const emit = (count: number): void => {
      for (let i = 0; i < count; i++) {
        tracker.emit('order.created');
      }
    };
    return { running, tracker, emit, url: `${collector.url}/in` };
  }

  it('answers 200 while a destination is away, and tells of it', async () => {
    let status = 503;
    const { running, emit, url } = await start(() => ({ status }));
    expect(await health(running)).toEqual({
      code: 200,
      details: {
        tracking: {
          status: 'up',
          backends: { http: { state: 'ok', depth: 0 } },
        },
      },
    });

    emit(2);
    await eventually(async () => {
      expect(await health(running)).toEqual({
        code: 200,
        details: {
          tracking: {
            status: 'up',
            backends: {
              http: {
                ...{ state: 'retrying', depth: 2 },
                oldestMs: expect.any(Number),
                lastError: `POST ${url} answered HTTP 503`,
              },
            },
          },
        },
      });
    });

    status = 200;
    await eventually(async () => {
      const { details } = await health(running);
      expect(details['tracking']?.backends['http']).toMatchObject({
        ...{ state: 'ok', depth: 0 },
        lastSuccess: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      });
    });
  });

  it('answers 200 while credentials are refused', async () => {
    const { running, emit } = await start(() => ({ status: 401 }));
    emit(1);
    await eventually(async () => {
      const { code, details } = await health(running);
      expect(code).toBe(200);
      expect(details['tracking']?.backends['http']).toMatchObject({
        ...{ state: 'paused', stateReason: 'unauthorised', depth: 1 },
      });
    });
  });

  it.each([
    ['dropOldest', { dead: 2, dropped: {} }],
    ['dropNewest', { dead: 0, dropped: { overflow: 2 } }],
  ] as const)('answers 503 when a full backlog loses events (%s), for the window', async (overflow, lost) => {
    const { running, emit, tracker } = await start(
      () => ({ status: 503 }),
      memoryBacklog({ maxEvents: 3, overflow }),
    );
    expect(await health(running)).toMatchObject({ code: 200 });
    emit(5);
    expect(tracker.stats().backends['http']).toMatchObject(lost);
    expect(await health(running)).toMatchObject({
      code: 503,
      details: {
        tracking: {
          status: 'down',
          message: 'http lost events (overflow)',
          backends: { http: { depth: 3, losing: ['overflow'] } },
        },
      },
    });
    await eventually(async () => {
      expect(await health(running, '/brief')).toMatchObject({ code: 200 });
    });
    expect(await health(running)).toMatchObject({ code: 503 });
    expect(await health(running, '/of/audit')).toMatchObject({ code: 200 });
  });

  it('answers 503 when the tracker is closed', async () => {
    const { running, tracker } = await start(() => ({}));
    await tracker.close();
    expect(await health(running)).toMatchObject({
      code: 503,
      details: {
        tracking: {
          ...{ status: 'down', message: 'the tracker is closed' },
          backends: { http: { state: 'closed', depth: 0 } },
        },
      },
    });
  });

  it('tells of a tracker by its name', async () => {
    const { running } = await start(() => ({}));
    expect(await health(running, '/of/audit')).toEqual({
      code: 200,
      details: {
        events: {
          status: 'up',
          backends: { memory: { state: 'ok', depth: 0 } },
        },
      },
    });
  });

  it('rejects a tracker that does not exist, and options that are wrong', async () => {
    const { running } = await start(() => ({}));
    const indicator = running.app.get(TrackingHealthIndicator);
    expect(() => indicator.isHealthy('a', { tracker: 'nobody' })).toThrow(
      'expected options.tracker to be the name of a tracker of TrackingModule.forRoot, got "nobody"',
    );
    expect(() => indicator.isHealthy('a', { tracker: 1 as never, windowMs: -1 })).toThrow(
      [
        'the options of isHealthy() are wrong:',
        '  - expected tracker to be the name of a tracker, got 1',
        '  - expected windowMs to be a positive integer, got -1',
      ].join('\n'),
    );
  });
});
