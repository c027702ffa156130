import { Controller, Get, Param } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Metrics, Tracker, TrackingModuleOptions } from 'nestjs-tracking';
import {
  createMetrics,
  getMetricsToken,
  InjectMetrics,
  InjectTracker,
  memoryMetricsStore,
  metricsBackend,
  TrackingModule,
} from 'nestjs-tracking';
import { ADAPTERS, bootError, closeApps, nestApp } from '../support/nest-app.js';

@Controller()
class Donations {
  constructor(
    @InjectTracker() private readonly tracker: Tracker,
    @InjectMetrics() private readonly metrics: Metrics,
  ) {}

  @Get('donate/:run')
  donate(@Param('run') run: string): string {
    this.tracker.emit('donation.received', { run });
    return 'thanks';
  }

  @Get('total/:run')
  async total(@Param('run') run: string): Promise<string> {
    return String(await this.metrics.total(run, 'donations'));
  }
}

function counting(): {
  metrics: Metrics;
  closed: () => number;
  counted(): Promise<readonly number[]>;
} {
  const store = memoryMetricsStore();
  const close = store.close.bind(store);
  let closed = 0;
  store.close = () => {
    closed++;
    return close();
  };
  return {
    metrics: createMetrics({ store }),
    closed: () => closed,
    counted: () => store.totals([{ subject: 'r', metric: 'donations' }]),
  };
}

function backends(metrics: Metrics): TrackingModuleOptions['backends'] {
  return {
    counters: metricsBackend({
      metrics,
      rules: [
        {
          event: 'donation.*',
          metric: 'donations',
          subject: ({ data }) => data['run'] as string,
        },
      ],
      batch: { maxEvents: 2, maxDelayMs: 60_000 },
    }),
  };
}

afterEach(closeApps);

describe.each(ADAPTERS)('metrics on %s', (adapter) => {
  it('are injected, counted from events, written and closed at the end', async () => {
    const { metrics, closed, counted } = counting();
    const app = await nestApp(adapter)
      .tracking({ metrics, backends: backends(metrics) })
      .controllers(Donations)
      .start();
    for (let n = 0; n < 3; n++) {
      await app.visit('/donate/r');
    }
    expect(await (await app.fetch('/total/r')).text()).toBe('2');
    expect(app.app.get(getMetricsToken())).toBe(metrics);

    await app.close();
    expect(await counted()).toEqual([3]);
    expect(closed()).toBe(1);
    await expect(metrics.total('r', 'donations')).rejects.toMatchObject({
      code: 'closed',
    });
  });
});

describe('options.metrics', () => {
  it('may be missing; whoever uses what is injected then is told so', async () => {
    const app = await nestApp('express').controllers(Donations).start();

    expect(await app.visit('/donate/r')).toBe(200);
    const metrics = app.app.get<Metrics>(getMetricsToken());
    await expect(metrics.total('r', 'donations')).rejects.toMatchObject({
      code: 'invalid_options',
      message: expect.stringContaining('no metrics in the options'),
    });
    await expect(metrics.close()).resolves.toBeUndefined();
  });

  it('belong to their instance', async () => {
    const [first, second] = [counting(), counting()];
    const app = await nestApp('express')
      .tracking({ metrics: first.metrics })
      .tracking({ metrics: second.metrics, name: 'audit' })
      .start();

    expect(app.app.get(getMetricsToken())).toBe(first.metrics);
    expect(app.app.get(getMetricsToken('audit'))).toBe(second.metrics);
    await app.close();
    expect([first.closed(), second.closed()]).toEqual([1, 1]);
  });

  it('that cannot be closed hold up nothing, and are reported', async () => {
    const { metrics } = counting();
    const broken = Object.create(metrics, {
      close: { value: () => Promise.reject(new Error('no end')) },
    }) as typeof metrics;
    const app = await nestApp('express').tracking({ metrics: broken }).start();
    await app.close();

    expect(app.reports.map(({ message }) => message)).toContain('closing the metrics failed');
  });

  it('that are none stop the boot', async () => {
    const error = await bootError(TrackingModule.forRoot({ backends: {}, metrics: 5 as never }));

    expect(error.message).toContain('expected metrics to be what createMetrics() returns, got 5');
  });
});
