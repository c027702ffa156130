/*
 * What a request may pay for, in a Nest app whose only handler is `GET /runs/:id/donations`. Each contender answers
 * parts of that app: `imports`, `providers`, `configure` of its module, `prepare(app)` before and `onReady(app)` after
 * it listens, `handle(request)` in the handler, `flush()` to send what waits.
 *
 * Who calls and in which session stands in two headers, and is read from there by everyone who wants to know.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { NAME, payload } from '../sample.mjs';
import { Batches } from './batches.mjs';

const nothing = () => undefined;

/** The request alone. */
function bare() {
  return {};
}

function emptyMiddleware() {
  return {
    configure: (consumer) =>
      consumer
        .apply((_request, _response, next) => {
          next();
        })
        .forRoutes('{*all}'),
  };
}

function emptyInterceptor() {
  class EmptyInterceptor {
    intercept(_execution, next) {
      return next.handle();
    }
  }
  return {
    providers: [{ provide: APP_INTERCEPTOR, useClass: EmptyInterceptor }],
  };
}

/** Before everything that Nest does with a request. */
function hook(adapter, express, fastify) {
  if (adapter.getType() === 'express') {
    adapter.use(express);
  } else {
    adapter.getInstance().addHook('onRequest', fastify);
  }
}

function emptyHook() {
  return {
    prepare: (app) =>
      hook(
        app.getHttpAdapter(),
        (_request, _response, next) => {
          next();
        },
        (_request, _reply, done) => {
          done();
        },
      ),
  };
}

/** What a good engineer writes in an afternoon: no snapshot, no isolation, no retries, no end of the request. */
function handWritten({ sinkUrl }) {
  const storage = new AsyncLocalStorage();
  const batches = new Batches(sinkUrl);
  const open = (request, next) => {
    const { headers } = request;
    storage.run(
      {
        request: {
          id: randomUUID(),
          method: request.method,
          path: request.url.split('?')[0],
          host: headers.host,
          userAgent: headers['user-agent'],
          referer: headers.referer,
        },
        user: { id: headers['x-user'] },
        session: { id: headers['x-session'] },
      },
      next,
    );
  };
  return {
    prepare: (app) =>
      hook(
        app.getHttpAdapter(),
        (request, _response, next) => open(request, next),
        (request, _reply, done) => open(request.raw, done),
      ),
    handle: () =>
      batches.add(
        JSON.stringify({
          id: randomUUID(),
          name: NAME,
          timestamp: new Date().toISOString(),
          data: payload,
          context: storage.getStore(),
        }),
      ),
    flush: () => batches.flush(),
  };
}

/** Enrichment, user, session, one event delivered, and somebody told of the end of the request. */
async function ours({ sinkUrl }) {
  const { TrackingModule, getTrackerToken } = await import('../../../dist/index.js');
  const { eventJson } = await import('../../../dist/core.js');
  const batches = new Batches(sinkUrl);
  let tracker;
  return {
    imports: [
      TrackingModule.forRoot({
        backends: { sink: { send: (event) => batches.add(eventJson(event)) } },
        request: {
          user: ({ headers }) => headers['x-user'],
          session: ({ headers }) => headers['x-session'],
          onEnd: nothing,
        },
      }),
    ],
    onReady: (app) => {
      tracker = app.get(getTrackerToken(), { strict: false });
    },
    handle: () => tracker.emit(NAME, payload),
    flush: () => batches.flush(),
  };
}

async function cls() {
  const { ClsModule } = await import('nestjs-cls');
  return {
    imports: [ClsModule.forRoot({ global: true, middleware: { mount: true } })],
  };
}

async function pino() {
  const { LoggerModule } = await import('nestjs-pino');
  const { default: create } = await import('pino');
  const stream = create.destination({ dest: '/dev/null', sync: true });
  return {
    imports: [LoggerModule.forRoot({ pinoHttp: { stream }, forRoutes: ['{*all}'] })],
  };
}

async function posthog({ sinkUrl }) {
  const { PostHog } = await import('posthog-node');
  const { PostHogInterceptor } = await import('posthog-node/nestjs');
  const client = new PostHog('phc_bench', { host: sinkUrl, flushAt: 100 });
  return {
    prepare: (app) => app.useGlobalInterceptors(new PostHogInterceptor(client)),
    handle: (request) =>
      client.capture({
        distinctId: request.headers['x-user'],
        event: NAME,
        properties: { ...payload },
      }),
    flush: () => client.flush(),
  };
}

/** In the order of the table; the first is the measure of the others. */
export const CONTENDERS = {
  'a bare controller': bare,
  'an empty hook on the adapter': emptyHook,
  'an empty `consumer.apply` middleware': emptyMiddleware,
  'an empty global interceptor': emptyInterceptor,
  'a hand-written hook: AsyncLocalStorage, JSON, batches': handWritten,
  '**nestjs-tracking**: request, user, session, one event, `onEnd`': ours,
  'nestjs-cls alone': cls,
  'nestjs-pino, one line to /dev/null': pino,
  'posthog-node: its interceptor, one capture': posthog,
};

/** Those of whom the sink must get one event for each request. */
export const DELIVERING = new Set([handWritten, ours, posthog]);
