/**
 * One process with two copies of the package: this one, and the one in the folder that is given (the same one: no second
 * copy). Prints one line of JSON for each case: that it works, or what the error says.
 */
import 'reflect-metadata';
import http from 'node:http';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import type { DynamicModule, INestApplication, Type } from '@nestjs/common';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import * as core from '../../../lib/core.js';
import * as express from '../../../lib/express.js';
import * as delivery from '../../../lib/http.js';
import * as nest from '../../../lib/index.js';
import * as testing from '../../../lib/testing.js';

const one = { core, express, delivery, nest, testing };
type Copy = typeof one;

const [, , folder = ''] = process.argv;
const load = (entry: string): Promise<unknown> => import(pathToFileURL(path.join(folder, 'lib', entry)).href);
const two = {
  core: await load('core.js'),
  express: await load('express.js'),
  delivery: await load('http.js'),
  nest: await load('index.js'),
  testing: await load('testing.js'),
} as Copy;

type AnyTracker = core.Tracker<Record<string, object | null | undefined>>;

function assert(holds: boolean, what: string): void {
  if (!holds) {
    throw new Error(`wrong: ${what}`);
  }
}

const recorded = (copy: Copy, options: Partial<core.TrackerOptions> = {}) => {
  const memory = copy.testing.memoryBackend();
  const reports: string[] = [];
  const tracker: AnyTracker = copy.core.createTracker({
    backends: { memory },
    onError: ({ code, message }) => {
      reports.push(`${code}: ${message}`);
    },
    ...options,
  });
  return { memory, reports, tracker };
};

/** Serves one request through a middleware. */
async function served(track: express.TrackingMiddleware, work: () => void): Promise<void> {
  const server = http.createServer((request, response) => {
    track(request, response, () => {
      work();
      response.end('ok');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await (await fetch(`http://127.0.0.1:${port}/orders`, { headers: { connection: 'close' } })).text();
  await new Promise((resolve) => server.close(resolve));
}

interface Parts {
  readonly decorate: Copy;
  readonly imports?: readonly DynamicModule[];
  readonly before?: (app: INestApplication) => void;
}

/** A Nest app of the first copy whose controller is decorated by one of them. */
async function nestApp({ decorate: { nest: own }, imports = [], before }: Parts) {
  const memory = one.testing.memoryBackend();

  class Orders {
    constructor(readonly tracker: nest.Tracker) {}

    @own.Track('order.tracked')
    @Get('orders')
    orders(@own.TrackingContext() context: object): object {
      this.tracker.emit('order.seen');
      this.job();
      return context;
    }

    @own.WithContext('job', { job: 7 })
    job(): void {
      this.tracker.emit('job.ran');
    }
  }
  own.InjectTracker()(Orders, undefined, 0);
  Controller()(Orders);

  @Module({ imports: [...imports], controllers: [Orders] })
  class FeatureModule {}

  @Module({
    imports: [
      one.nest.TrackingModule.forRoot({ backends: { memory }, request: { user: () => 'ada' } }),
      FeatureModule as Type,
    ],
  })
  class AppModule {}

  const app = await NestFactory.create(AppModule, { logger: false, abortOnError: false });
  try {
    before?.(app);
    await app.listen(0, '127.0.0.1');
    const context = (await (await fetch(`${await app.getUrl()}/orders`)).json()) as { user?: unknown };
    return { context, events: memory.events };
  } finally {
    await app.close();
  }
}

const cases: Record<string, () => unknown> = {
  'frames of one are seen by the other': () => {
    const { tracker, memory } = recorded(two);
    one.core.createTracker({ backends: {} }).context('job', { job: 1 }, () => {
      tracker.emit('a');
    });
    assert(memory.events[0]?.context['job'] === 1, 'the frame');
  },
  'the middleware of the other takes a tracker': async () => {
    const { tracker, memory } = recorded(one);
    await served(two.express.trackingMiddleware(tracker, { user: () => 'ada' }), () => {
      tracker.emit('a');
    });
    const { user, request } = memory.events[0]?.context as {
      user?: { id: string };
      request?: { path: string };
    };
    assert(user?.id === 'ada' && request?.path === '/orders', 'the frames of the request');
  },
  'the middleware of one gives its frames to a tracker of the other, and drops nothing of it': async () => {
    const { tracker, memory } = recorded(two);
    const own = recorded(one);
    await served(
      one.express.trackingMiddleware(own.tracker, { user: () => 'ada', keep: () => false }),
      () => {
        tracker.emit('a');
      },
    );
    assert((memory.events[0]?.context['user'] as { id?: string } | undefined)?.id === 'ada', 'the user');
  },
  'both middlewares are in one app': async () => {
    const [a, b] = [recorded(one), recorded(two)];
    const inner = two.express.trackingMiddleware(b.tracker);
    const outer = one.express.trackingMiddleware(a.tracker);
    await served(
      (request, response, next) => {
        outer(request, response, () => {
          inner(request, response, next);
        });
      },
      () => {
        a.tracker.emit('a');
        b.tracker.emit('b');
      },
    );
    const idOf = ({ memory }: typeof a): unknown =>
      (memory.events[0]?.context['request'] as { id?: string } | undefined)?.id;
    assert(idOf(a) !== undefined && idOf(a) === idOf(b), 'one scope for both');
  },
  'counters of the other': async () => {
    const metrics = two.core.createMetrics({ store: two.core.memoryMetricsStore() });
    const { tracker } = recorded(one, {
      backends: {
        m: one.core.metricsBackend({ metrics, rules: [{ event: '*', metric: 'n', subject: () => 's' }] }),
      },
    });
    tracker.emit('a');
    await tracker.flush();
    assert((await metrics.total('s', 'n')) === 1, 'the total');
  },
  'a store of contexts of the other': () => {
    const contextStore = new two.core.ContextStore();
    const [a, b] = [recorded(one, { contextStore }), recorded(two, { contextStore })];
    a.tracker.context('job', { job: 1 }, () => {
      b.tracker.emit('a');
    });
    assert(b.memory.events[0]?.context['job'] === 1, 'the frame');
  },
  'backends of the other': async () => {
    const collector = await one.testing.startCollector();
    const lines: string[] = [];
    const logger = { info: (line: string) => lines.push(line) };
    const { tracker, reports } = recorded(one, {
      backends: {
        http: two.delivery.httpBackend({ url: collector.url, backlog: two.delivery.memoryBacklog() }),
        logs: two.core.loggerBackend({ logger }),
      },
    });
    tracker.emit('a', { n: 1 }, { context: { c: 1 } });
    await tracker.close();
    const [event] = collector.requests.flatMap(({ events }) => events) as {
      data?: object;
      context?: object;
    }[];
    await collector.close();
    assert(JSON.stringify([event?.data, event?.context]) === '[{"n":1},{"c":1}]', 'what was delivered');
    assert(lines.length === 1 && lines[0] === JSON.stringify(event), `the line ${lines.join()}`);
    assert(reports.length === 0, reports.join());
  },
  'processors of the other': () => {
    const { tracker, memory } = recorded(one, {
      processors: [
        two.core.allow(['a', 'b']),
        two.core.override({ data: { more: true } }),
        (event) => (event.name === 'b' ? two.core.drop('mine') : undefined),
        two.core.filter(({ data }) => {
          if (data['bad'] === true) {
            throw new Error('a broken filter');
          }
        }),
      ],
    });
    tracker.emit('a');
    tracker.emit('b');
    tracker.emit('c');
    tracker.emit('a', { bad: true });
    assert(memory.events.length === 1 && memory.events[0]?.data['more'] === true, 'what came through');
    assert(
      JSON.stringify(tracker.stats().dropped) === '{"mine":1,"filtered":1,"filter_failed":1}',
      JSON.stringify(tracker.stats().dropped),
    );
  },
  'errors of the other are recognised': () => {
    try {
      one.core.createTracker({ backends: 5 as never });
    } catch (error) {
      assert(two.core.isTrackingError(error), 'the error');
      return;
    }
    assert(false, 'no error');
  },
  'decorators of the other': async () => {
    const { context, events } = await nestApp({ decorate: two });
    const names = events.map(({ name }) => name).sort();
    assert(names.join() === 'job.ran,order.seen,order.tracked', `the events ${names.join()}`);
    const ran = events.find(({ name }) => name === 'job.ran')?.context ?? {};
    assert(
      ran['job'] === 7 && (ran['handler'] as { method?: string } | undefined)?.method === 'orders',
      'the job',
    );
    assert((context.user as { id?: string } | undefined)?.id === 'ada', 'the context of the parameter');
  },
  'forFeature of the other': async () => {
    const { events } = await nestApp({
      decorate: two,
      imports: [two.nest.TrackingModule.forFeature({ context: { feature: 'f' } })],
    });
    const seen = events.find(({ name }) => name === 'order.seen')?.context ?? {};
    assert(
      seen['feature'] === 'f' && (seen['user'] as { id?: string } | undefined)?.id === 'ada',
      'the frames',
    );
  },
  'a middleware of the other in front of a Nest app': async () => {
    const other = recorded(two);
    const { events } = await nestApp({
      decorate: one,
      before: (app) => app.use(two.express.trackingMiddleware(other.tracker)),
    });
    const seen = events.find(({ name }) => name === 'order.seen')?.context ?? {};
    assert((seen['handler'] as { method?: string } | undefined)?.method === 'orders', 'the handler');
    assert(typeof (seen['request'] as { id?: string } | undefined)?.id === 'string', 'the request');
  },
};

for (const [name, work] of Object.entries(cases)) {
  let result = 'works';
  try {
    await work();
  } catch (error) {
    result = (error as Error).message;
  }
  process.stdout.write(`${JSON.stringify([name, result])}\n`);
}
process.exit(0);
