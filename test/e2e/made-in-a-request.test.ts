import { once } from 'node:events';
import http from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Controller, Get, Post } from '@nestjs/common';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { Tracker } from 'nestjs-tracking';
import { InjectTracker } from 'nestjs-tracking';
import type { Backend, Clock, MetricsStore, TrackingEvent } from 'nestjs-tracking/core';
import {
  createMetrics,
  createTracker,
  memoryMetricsStore,
  metricsBackend,
  systemClock,
} from 'nestjs-tracking/core';
import { trackingMiddleware } from 'nestjs-tracking/express';
import { httpBackend } from 'nestjs-tracking/http';
import type { Collector, FakeClock } from 'nestjs-tracking/testing';
import { fakeClock, startCollector } from 'nestjs-tracking/testing';
import { closeApps, startExpress } from '../support/express-app.js';
import { turns, until } from '../support/http-app.js';
import { ADAPTERS, closeApps as closeNestApps, nestApp } from '../support/nest-app.js';
import type { AnyTracker } from '../support/recording.js';
import { untyped } from '../support/recording.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
jest.setTimeout(30_000);

const ends: (() => unknown)[] = [];
afterEach(async () => {
  await closeApps();
  await closeNestApps();
  for (const end of ends.splice(0).reverse()) {
    await end();
  }
});

/** Calls back about the events of the app alone, not about what is emitted then. */
type Echo = (names: readonly string[]) => void;
type Make = (tracker: AnyTracker, echo: Echo, collector: Collector) => void;

const quick = { batch: { maxDelayMs: 5 }, retry: { baseMs: 5, maxDelayMs: 20 } };
const namesOf = (events: readonly TrackingEvent[]): string[] => events.map(({ name }) => name);

/** Made here: an error keeps what called its constructor. */
const NO = new Error('no');

/** A backend whose only send is answered for all events together: they are settled as one. */
function together(failure: Error): Backend {
  let batch: Promise<void> | undefined;
  return {
    send: () =>
      (batch ??= turns(2).then(() => {
        batch = undefined;
        throw failure;
      })),
  };
}

/** A store that says when it is asked. */
function listening(echo: Echo): MetricsStore {
  const store = memoryMetricsStore();
  return new Proxy(store, {
    get: (target, key) => {
      const member = (target as unknown as Record<PropertyKey, unknown>)[key];
      return typeof member !== 'function'
        ? member
        : (...args: unknown[]) => {
            if (key === 'increment') {
              echo(['seen']);
            }
            return (member as (...given: unknown[]) => unknown).apply(target, args);
          };
    },
  });
}

/** Things that an app may make while it runs, and that call it back on their own later. */
const MADE: Readonly<Record<string, Make>> = {
  'a backend that hands back what is refused': (tracker, echo, { url }) => {
    tracker.register(
      'late',
      httpBackend({
        ...quick,
        url,
        onDeadLetter: ({ events }) => {
          echo(namesOf(events));
        },
      }),
    );
  },
  'a backend that asks for its credentials': (tracker, echo, { url }) => {
    tracker.register(
      'late',
      httpBackend({
        ...quick,
        url,
        auth: () => {
          echo(['seen']);
          return {};
        },
      }),
    );
  },
  'a backend that encodes its batches itself': (tracker, echo, { url }) => {
    tracker.register(
      'late',
      httpBackend({
        ...quick,
        url,
        format: {
          name: 'mine',
          encode: (batch) => {
            echo(namesOf(batch));
            return { body: '[]', contentType: 'application/json' };
          },
        },
      }),
    );
  },
  'a backend with timers of its clock': (tracker, echo) => {
    let clock: Clock | undefined;
    let due = false;
    tracker.register('late', {
      attach: (host) => {
        ({ clock } = host);
      },
      send: ({ name }) => {
        if (!due && name === 'seen') {
          due = true;
          clock?.setTimeout(() => {
            due = false;
            echo([name]);
          }, 5);
        }
      },
    });
  },
  counters: (tracker, echo) => {
    const metrics = createMetrics({ store: listening(echo) });
    ends.push(() => metrics.close());
    tracker.register(
      'late',
      metricsBackend({
        metrics,
        rules: [{ event: 'seen', metric: 'visits', subject: () => 'all' }],
        batch: { maxDelayMs: 5 },
      }),
    );
  },
  'a tracker whose events time out': (tracker, echo) => {
    lazily(tracker, {
      backends: { slow: { send: () => new Promise(() => undefined) } },
      limits: { sendTimeoutMs: 10 },
      onError: ({ event }) => {
        echo([event?.name ?? '']);
      },
    });
  },
  'a tracker whose processors time out': (tracker, echo) => {
    lazily(tracker, {
      backends: {},
      processors: [() => new Promise(() => undefined)],
      limits: { processorTimeoutMs: 10 },
      onError: ({ event }) => {
        echo([event?.name ?? '']);
      },
    });
  },
  'a tracker whose events fail together': (tracker, echo) => {
    lazily(tracker, {
      backends: { many: together(NO) },
      onError: ({ event }) => {
        echo([event?.name ?? '']);
      },
    });
  },
  'a tracker on the system clock, made by hand': (tracker, echo) => {
    const clock = systemClock();
    lazily(tracker, {
      clock,
      backends: {
        timed: {
          send: ({ name }) => {
            clock.setTimeout(() => {
              echo([name]);
            }, 5);
          },
        },
      },
      onError: () => undefined,
    });
  },
};

/** A second tracker that gets the events of the first from now on. */
function lazily(tracker: AnyTracker, options: Parameters<typeof createTracker>[0]): void {
  const second: AnyTracker = createTracker(options);
  ends.push(() => second.close({ timeoutMs: 1 }));
  tracker.register('late', {
    send: ({ name }) => {
      if (name === 'seen') {
        // Two in one turn: what is answered with one promise is settled together.
        second.emit(name);
        second.emit(name);
      }
    },
  });
}

interface Echoes {
  /** Who the later events are said to be of: user and path. */
  readonly echoed: unknown[];
  /** The request in which it was made. */
  readonly admin: WeakRef<object>;
}

/** Makes something, in a request of the admin or before any; then come three requests of bob. */
async function play(make: Make, inRequest: boolean): Promise<Echoes> {
  const collector = await startCollector({ respond: () => ({ status: 422 }) });
  ends.push(() => collector.close());
  let admin = new WeakRef<object>({});
  const app = await startExpress(
    (web, tracker) => {
      const echo: Echo = (names) => {
        if (names.includes('seen')) {
          tracker.emit('echo');
        }
      };
      web.post('/admin', (request, response) => {
        admin = new WeakRef(request);
        if (inRequest) {
          make(tracker, echo, collector);
        }
        response.send('ok');
      });
      if (!inRequest) {
        make(tracker, echo, collector);
      }
      web.get('/', (_request, response) => {
        tracker.emit('seen');
        response.send('ok');
      });
    },
    { request: { user: ({ headers }) => headers?.['x-user'] } },
  );
  await app.send('/admin', { method: 'POST', headers: { 'x-user': 'admin' } });
  for (let n = 1; n <= 3; n++) {
    const before = app.memory.events.filter(({ name }) => name === 'echo').length;
    await app.send('/', { headers: { 'x-user': 'bob' } });
    await until(() => app.memory.events.filter(({ name }) => name === 'echo').length > before);
  }
  const echoes = app.memory.events.filter(({ name }) => name === 'echo');
  return {
    echoed: echoes.map(({ context }) => {
      const { user, request } = context as { user?: { id: string }; request?: { path: string } };
      return [user?.id, request?.path];
    }),
    admin,
  };
}

describe.each(Object.keys(MADE))('made in a request: %s', (what) => {
  const make = MADE[what]!;

  it('calls back as if it were made before all, and never in that request', async () => {
    const { echoed } = await play(make, true);
    expect(JSON.stringify(echoed)).not.toContain('admin');
    const { echoed: control } = await play(make, false);
    expect(echoed.slice(0, 3)).toStrictEqual(control.slice(0, 3));
  });

  it('does not keep that request', async () => {
    const { admin } = await play(make, true);
    await until(() => {
      collect();
      return admin.deref() === undefined;
    }, 'the request of the admin to be given back');
    expect(admin.deref()).toBeUndefined();
  });
});

describe('a middleware that is made in a request', () => {
  it('flushes outside any', async () => {
    const flushed: unknown[] = [];
    let second: ReturnType<typeof trackingMiddleware> | undefined;
    const other: AnyTracker = createTracker({
      backends: {
        b: {
          send: () => undefined,
          flush: () => {
            flushed.push(other.resolveContext());
            return Promise.resolve();
          },
        },
      },
    });
    ends.push(() => other.close());
    const app = await startExpress(
      (web) => {
        web.get('/', (_request, response) => {
          second ??= trackingMiddleware(other, { flushAtEnd: 'delivered' });
          response.send('ok');
        });
      },
      { request: { user: () => 'admin' } },
    );
    await app.send('/');
    const inner = http.createServer((request, response) => {
      second?.(request, response, () => {
        other.emit('seen');
        response.end('ok');
      });
    });
    inner.listen(0, '127.0.0.1');
    await once(inner, 'listening');
    ends.push(() => inner.close());
    const { port } = inner.address() as { port: number };
    for (let n = 1; n <= 2; n++) {
      await (await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })).text();
      await until(() => flushed.length >= n);
    }
    expect(flushed).toStrictEqual(flushed.map(() => ({})));
  });
});

describe('a fake clock that is made in a request', () => {
  it('runs its timers outside any', async () => {
    let clock: FakeClock | undefined;
    const app = await startExpress(
      (web) => {
        web.get('/', (_request, response) => {
          clock ??= fakeClock();
          response.send('ok');
        });
      },
      { request: { user: () => 'admin' } },
    );
    await app.send('/');
    const contexts: unknown[] = [];
    clock?.setTimeout(() => {
      contexts.push(app.tracker.resolveContext());
    }, 1);
    await clock?.advance(1);
    expect(contexts).toStrictEqual([{}]);
  });
});

describe.each(ADAPTERS)('a backend that is registered in a request of Nest on %s', (adapter) => {
  it('calls back outside any', async () => {
    const collector = await startCollector({ respond: () => ({ status: 422 }) });
    ends.push(() => collector.close());

    @Controller()
    class Tenants {
      constructor(@InjectTracker() private readonly tracker: Tracker) {}

      @Post('tenants')
      add(): string {
        this.tracker.register(
          'late',
          httpBackend({
            ...quick,
            url: collector.url,
            onDeadLetter: ({ events }) => {
              if (namesOf(events).includes('seen')) {
                this.tracker.emit('echo');
              }
            },
          }),
        );
        return 'ok';
      }

      @Get()
      seen(): string {
        this.tracker.emit('seen');
        return 'ok';
      }
    }
    const { visit, memory } = await nestApp(adapter)
      .controllers(Tenants)
      .tracking({ request: { user: ({ headers }) => untyped<string>(headers?.['x-user']) } })
      .start();
    await visit('/tenants', { method: 'POST', headers: { 'x-user': 'admin' } });
    await visit('/', { headers: { 'x-user': 'bob' } });
    const [echo] = await memory.waitFor('echo');
    expect(echo?.context).toStrictEqual({});
  });
});
