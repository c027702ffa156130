/**
 * What code of an app waits for, under timers that a test runner has replaced and that nobody moves.
 * Run as a process of its own: `fake-timers <none|before|after> <all|some>`. Prints one line of JSON for each case.
 */
import 'reflect-metadata';
import { once } from 'node:events';
import http from 'node:http';
import process from 'node:process';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import FakeTimers from '@sinonjs/fake-timers';
import { createTracker, createMetrics, memoryMetricsStore, metricsBackend } from '../../../lib/core.js';
import type { Backend, TrackerOptions } from '../../../lib/core.js';
import { trackingMiddleware } from '../../../lib/express.js';
import { httpBackend } from '../../../lib/http.js';
import { TrackingModule } from '../../../lib/index.js';
import { memoryBackend, startCollector } from '../../../lib/testing.js';

type Name = keyof typeof FakeTimers.timers;

/** What vitest replaces. */
const SOME: readonly Name[] = [
  ...([
    'setTimeout',
    'clearTimeout',
    'setInterval',
    'clearInterval',
    'setImmediate',
    'clearImmediate',
  ] as const),
  'Date' as const,
];
/** What jest replaces, but for the `process.nextTick` that Node's own streams and sockets call. */
const ALL = (Object.keys(FakeTimers.timers) as Name[]).filter((name) => name !== 'nextTick');
const LIMIT_MS = 2_500;

const [, , when = 'none', which = 'all'] = process.argv;
const realSetTimeout = globalThis.setTimeout;
const hang = (): Promise<never> => new Promise(() => undefined);

type Work = () => Promise<unknown>;
/** Makes something; what that then does is waited for, under the replaced timers. */
type Case = () => Work | Promise<Work>;

const collector = await startCollector();
const dead = (): Backend => httpBackend({ url: 'http://127.0.0.1:9/' });
const live = (): Backend => httpBackend({ url: collector.url });
const made = (backend: Backend, more: Partial<TrackerOptions> = {}) =>
  createTracker({ backends: { b: backend }, onError: () => undefined, ...more });

@Controller()
class Pages {
  @Get()
  page(): string {
    return 'ok';
  }
}

function appModule(): new () => object {
  @Module({
    imports: [
      TrackingModule.forRoot({ backends: { b: dead(), memory: memoryBackend() }, request: { hold: true } }),
    ],
    controllers: [Pages],
  })
  class AppModule {}
  return AppModule;
}

const quiet = { logger: false, abortOnError: false } as const;

const cases: Record<string, Case> = {
  'close without events': () => {
    const tracker = made(dead());
    return () => tracker.close();
  },
  'close within a time, without events': () => {
    const tracker = made(dead());
    return () => tracker.close({ timeoutMs: 500 });
  },
  'flush without events': () => {
    const tracker = made(dead());
    return () => tracker.flush();
  },
  'close with an event': () => {
    const tracker = made(live());
    return () => {
      tracker.emit('a');
      return tracker.close();
    };
  },
  'flush with an event': () => {
    const tracker = made(live());
    return () => {
      tracker.emit('a');
      return tracker.flush();
    };
  },
  'emitAsync and close, in memory': () => {
    const tracker = made(memoryBackend());
    return async () => {
      await tracker.emitAsync('a');
      return tracker.close();
    };
  },
  'emitAsync and close, an asynchronous backend behind an asynchronous processor': () => {
    const tracker = made(
      { send: async () => Promise.resolve() },
      { processors: [async (event) => Promise.resolve(event)] },
    );
    return async () => {
      await tracker.emitAsync('a');
      return tracker.close();
    };
  },
  'close within a time, of a backend that hangs': () => {
    const tracker = made({ send: hang, flush: hang, close: hang });
    return () => {
      tracker.emit('a');
      return tracker.close({ timeoutMs: 200 });
    };
  },
  'flush within a time, of a backend that hangs': () => {
    const tracker = made({ send: hang });
    return () => {
      tracker.emit('a');
      return tracker.flush({ timeoutMs: 200 });
    };
  },
  'emitAsync to a backend that hangs': () => {
    const tracker = made({ send: hang }, { limits: { sendTimeoutMs: 200 } });
    return () => tracker.emitAsync('a');
  },
  'emitAsync behind a processor that hangs': () => {
    const tracker = made(memoryBackend(), { processors: [hang], limits: { processorTimeoutMs: 200 } });
    return () => tracker.emitAsync('a');
  },
  'flush and close of counters': () => {
    const metrics = createMetrics({ store: memoryMetricsStore() });
    const tracker = made(
      metricsBackend({ metrics, rules: [{ event: '*', metric: 'n', subject: () => 's' }] }),
    );
    return async () => {
      tracker.emit('a');
      await tracker.flush();
      await tracker.close();
      await metrics.close();
      return tracker.stats();
    };
  },
  'a request whose events wait for its end': () => {
    const memory = memoryBackend();
    const tracker = made(memory);
    const track = trackingMiddleware(tracker, { hold: true, awaitAccepted: true });
    return async () => {
      const web = http.createServer((request, response) => {
        track(request, response, () => {
          tracker.emit('a');
          response.end('ok');
        });
      });
      web.listen(0, '127.0.0.1');
      await once(web, 'listening');
      const { port } = web.address() as { port: number };
      const [answer] = (await once(http.get({ port, host: '127.0.0.1', agent: false }), 'response')) as [
        http.IncomingMessage,
      ];
      answer.resume();
      await once(answer, 'end');
      web.close();
      await memory.waitFor('a');
      return tracker.close();
    };
  },
  'the end of a Nest app without a server': async () => {
    const app = await NestFactory.createApplicationContext(appModule(), quiet);
    return () => app.close();
  },
  'the end of a Nest app with a server': async () => {
    const app = await NestFactory.create(appModule(), quiet);
    await app.listen(0, '127.0.0.1');
    return () => app.close();
  },
};

/** Tells whether it ended, in real time. */
async function watched(work: () => Promise<unknown>): Promise<string> {
  const limit = new Promise<string>((resolve) => {
    realSetTimeout(() => {
      resolve('hangs');
    }, LIMIT_MS);
  });
  const end = work().then(
    () => 'ends',
    (error: unknown) => `rejects: ${String(error)}`,
  );
  return Promise.race([end, limit]);
}

const replace = (): void => {
  if (when !== 'none') {
    FakeTimers.install({ toFake: [...(which === 'some' ? SOME : ALL)] });
  }
};

if (when === 'before') {
  replace();
}
const making = Object.entries(cases).map(([name, make]) => [name, Promise.resolve(make())] as const);
if (when === 'after') {
  await Promise.all(making.map(([, work]) => work));
  replace();
}
await Promise.all(
  making.map(async ([name, work]) => {
    const end = await watched(async () => (await work)());
    process.stdout.write(`${JSON.stringify([name, end])}\n`);
  }),
);
process.exit(0);
