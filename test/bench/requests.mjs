/*
 * What a request to a Nest app costs the server, on Express and on Fastify: `npm run bench -- requests`.
 *
 * Each variant is a server process of its own (this file, run with the variant's name), and has a twin beside it that is
 * a bare controller: started with it, warmed up as long, and loaded in turn with it (A B, B A, ...). The processes are
 * replaced a few times, as the compiler does not decide the same each time. The load comes from this process, over
 * connections that stay open; every request has a path, a user and a session of its own, and every event a payload of
 * its own. Counted is the server's processor time (all threads), the sending of its events included. Shown are medians
 * of the ratios to the twin's neighbouring turn, and those medians in proportion to the hook's.
 */
import 'reflect-metadata';
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { request as post } from 'undici';
import { answerQuestions, ContenderProcess } from './contender-process.mjs';
import { startSink } from './delivery/sink-process.mjs';
import { NAME, payload, requestFrame, userFrame } from './sample.mjs';
import { median, spread, table } from './statistics.mjs';

const FILE = fileURLToPath(import.meta.url);
const CONNECTIONS = 32;
const BATCH = 100;
const WARM_UP_REQUESTS = 4_000;
const ROUND_REQUESTS = 250;
/** What every response ends with. */
const BODY = '{"accepted":true}';

/*
 * A variant gives parts of an app whose only handler is `GET /runs/:id/donations`: `imports` of its module, `prepare(app)`
 * before and `ready(app)` after it listens, `handle()` in the handler, `flush()` to send what waits. Who calls, and in
 * which session, stands in two headers, and is read from there by everyone who wants to know.
 */
let handled = 0;

/** What a good engineer writes in an afternoon: no snapshot, no isolation, no retries, no end of the request. */
function hook({ sinkUrl, adapter }) {
  const storage = new AsyncLocalStorage();
  const headers = { 'content-type': 'application/json' };
  let waiting = [];
  let sent = Promise.resolve();
  const send = () => {
    const body = `[${waiting.join(',')}]`;
    waiting = [];
    const posted = storage.exit(() => post(sinkUrl, { method: 'POST', headers, body }));
    sent = Promise.all([sent, posted.then((response) => response.body.dump())]);
  };
  const open = ({ method, url, headers }, next) => {
    const path = url.split('?')[0];
    const request = { id: randomUUID(), method, path, host: headers.host, userAgent: headers['user-agent'] };
    const its = { request, user: { id: headers['x-user'] }, session: { id: headers['x-session'] } };
    storage.run(its, next);
  };
  return {
    prepare: (app) =>
      adapter === 'Express'
        ? app.use((request, _response, next) => open(request, next))
        : app
            .getHttpAdapter()
            .getInstance()
            .addHook('onRequest', (request, _, done) => open(request.raw, done)),
    handle: () => {
      const timestamp = new Date().toISOString();
      const [data, its] = [payload(handled), storage.getStore()];
      waiting.push(JSON.stringify({ id: randomUUID(), name: NAME, timestamp, data, context: its }));
      if (waiting.length === BATCH) {
        send();
      }
    },
    flush: () => {
      if (waiting.length > 0) {
        send();
      }
      return sent;
    },
  };
}

/** Enrichment, user, session, one event into the backlog and from there to the sink, and the end of the request. */
const ours =
  (extras) =>
  async ({ sinkUrl }) => {
    const { TrackingModule, getTrackerToken } = await import('../../dist/index.js');
    const { httpBackend, memoryBacklog } = await import('../../dist/http.js');
    const batch = { maxEvents: BATCH, maxDelayMs: 1_000 };
    const warehouse = httpBackend({ url: sinkUrl, backlog: memoryBacklog(), batch });
    const user = ({ headers }) => headers['x-user'];
    const session = ({ headers }) => headers['x-session'];
    let ended = 0;
    const onEnd = () => {
      ended++;
    };
    let tracker;
    return {
      imports: [
        TrackingModule.forRoot({ ...extras, backends: { warehouse }, request: { user, session, onEnd } }),
      ],
      ready: (app) => {
        tracker = app.get(getTrackerToken(), { strict: false });
      },
      handle: () => tracker.emit(NAME, payload(handled)),
      flush: async () => {
        const { settled } = await tracker.flush({ timeoutMs: 10_000 });
        if (!settled || ended !== handled) {
          throw new Error(`settled: ${settled}; ${handled} requests, ${ended} ends`);
        }
      },
    };
  };

async function cls() {
  const { ClsModule, ClsService } = await import('nestjs-cls');
  const setup = (service, { headers }) => {
    service.set('user', headers['x-user']);
    service.set('session', headers['x-session']);
  };
  let service;
  return {
    imports: [ClsModule.forRoot({ global: true, middleware: { mount: true, generateId: true, setup } })],
    ready: (app) => {
      service = app.get(ClsService);
    },
    handle: () => service.get('user'),
  };
}

async function pino() {
  const { LoggerModule } = await import('nestjs-pino');
  const { default: create } = await import('pino');
  const stream = create.destination({ dest: '/dev/null', sync: false });
  return { imports: [LoggerModule.forRoot({ pinoHttp: { stream }, forRoutes: ['{*all}'] })] };
}

async function posthog({ sinkUrl }) {
  const { PostHog } = await import('posthog-node');
  const { PostHogInterceptor } = await import('posthog-node/nestjs');
  const client = new PostHog('phc_bench', { host: sinkUrl, flushAt: BATCH, disableCompression: true });
  return {
    prepare: (app) => app.useGlobalInterceptors(new PostHogInterceptor(client)),
    handle: () => client.capture({ event: NAME, properties: payload(handled) }),
    flush: () => client.flush(),
  };
}

const BARE = 'bare controller';
const HOOK = 'hand-written hook: AsyncLocalStorage, JSON, batches';
const OURS = '**nestjs-tracking**: request, user, session, one event, `onEnd`';
const CLS = 'nestjs-cls alone';

/** `delivers`: the sink must get one event for each request. */
const VARIANTS = {
  [BARE]: { make: () => ({}) },
  [HOOK]: { make: hook, delivers: true },
  [OURS]: { make: ours({}), delivers: true },
  '**nestjs-tracking** with `interceptor: false`': { make: ours({ interceptor: false }), delivers: true },
  [CLS]: { make: cls },
  'nestjs-pino, one line to /dev/null': { make: pino },
  'posthog-node: its interceptor, one capture': { make: posthog, delivers: true },
};
const REACHES = { Express: 1.15, Fastify: 1.5 };

/** @param quick fewer rounds */
export async function requestsReport({ quick }) {
  const { version } = JSON.parse(
    readFileSync(new URL(import.meta.resolve('@nestjs/core/package.json')), 'utf8'),
  );
  const [generations, rounds] = quick ? [2, 6] : [5, 12];
  const parts = [];
  for (const [adapter, reach] of Object.entries(REACHES)) {
    const results = await measure(adapter, generations, rounds);
    const ratios = (name) => results[name].map(({ own, bare }) => own / bare);
    const timesHook = (name) => median(ratios(name)) / median(ratios(HOOK));
    const rows = Object.keys(VARIANTS).map((name) => [
      name,
      median(ratios(name)).toFixed(2),
      spread(ratios(name)),
      timesHook(name).toFixed(2),
      name === OURS ? `at most ${reach}, below nestjs-cls (${timesHook(CLS).toFixed(2)})` : '',
      median(results[name].map(({ own }) => own)).toFixed(0),
    ]);
    parts.push(
      `Processor time of a request to Nest ${version} on ${adapter}, Node ${process.versions.node}`,
      table(['', 'times bare', 'middle half', 'times the hook', 'reach', 'µs'], rows),
    );
  }
  return parts.join('\n\n');
}

async function measure(adapter, generations, rounds) {
  const sink = await startSink();
  const results = Object.fromEntries(Object.keys(VARIANTS).map((name) => [name, []]));
  for (let generation = 0; generation < generations; generation++) {
    const pairs = [];
    for (const name of Object.keys(VARIANTS)) {
      const [bare, own] = await Promise.all(
        [BARE, name].map((each) => Server.start(each, adapter, sink.url)),
      );
      await bare.run(WARM_UP_REQUESTS);
      await warmUp(own, name, sink);
      pairs.push({
        name,
        turns: [
          ['bare', bare],
          ['own', own],
        ],
      });
    }
    for (let round = 0; round < rounds; round++) {
      for (const { name, turns } of pairs) {
        const result = {};
        for (const [which, server] of turns) {
          result[which] = await server.run(ROUND_REQUESTS);
        }
        turns.reverse();
        results[name].push(result);
      }
    }
    for (const [, server] of pairs.flatMap(({ turns }) => turns)) {
      server.end();
    }
  }
  sink.stop();
  return results;
}

/** @throws when a variant does not deliver what it is measured with */
async function warmUp(server, name, sink) {
  await sink.ask({ clear: true });
  await server.run(WARM_UP_REQUESTS);
  const { events } = await sink.ask();
  // Delivery is at least once: on a machine that stalls, a batch may be sent again.
  if (VARIANTS[name].delivers ? events < WARM_UP_REQUESTS : events > 0) {
    throw new Error(`${name} delivered ${events} events in ${WARM_UP_REQUESTS} requests`);
  }
}

/** A server process, and the load on it: one request under way on each connection. */
class Server {
  #process;
  #sockets = [];

  static async start(name, adapter, sinkUrl) {
    const server = new Server();
    server.#process = new ContenderProcess(FILE, [name, adapter, sinkUrl]);
    const port = await server.#process.ask('listen');
    for (let i = 0; i < CONNECTIONS; i++) {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      await once(socket, 'connect');
      server.#sockets.push(socket);
    }
    return server;
  }

  /** Microseconds of the server's processor time for each request. */
  async run(requests) {
    const before = await this.#process.ask('cpu');
    let left = requests;
    const lane = async (socket) => {
      while (left-- > 0) {
        await exchange(socket);
      }
    };
    await Promise.all(this.#sockets.map(lane));
    return ((await this.#process.ask('cpu')) - before) / requests;
  }

  end() {
    for (const socket of this.#sockets) {
      socket.destroy();
    }
    this.#process.end();
  }
}

let asked = 0;

function exchange(socket) {
  return new Promise((resolve, reject) => {
    let text = '';
    const settle = (work, value) => {
      socket.removeAllListeners();
      work(value);
    };
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (text.endsWith(BODY)) {
        settle(resolve);
      }
    });
    socket.on('error', (error) => settle(reject, error));
    socket.on('close', () => settle(reject, new Error(`the server closed a connection after ${text}`)));
    socket.write(requestText(asked++));
  });
}

function requestText(n) {
  const { request } = requestFrame(n);
  const { user, session } = userFrame(n);
  return [
    `GET ${request.path}?page=2 HTTP/1.1`,
    `Host: ${request.host}`,
    `User-Agent: ${request.userAgent}`,
    'Accept: application/json',
    `X-User: ${user.id}`,
    `X-Session: ${session.id}`,
    // Where posthog-node looks for it.
    `X-PostHog-Distinct-Id: ${user.id}`,
    '\r\n',
  ].join('\r\n');
}

/** The other side: returns its port, and the processor time used so far, everything that waits having been sent. */
async function serve(name, adapter, sinkUrl) {
  const variant = await VARIANTS[name].make({ sinkUrl, adapter });
  const { handle, flush } = variant;
  class DonationsController {
    donate() {
      handle?.();
      handled++;
      return { accepted: true };
    }
  }
  const { prototype } = DonationsController;
  Get(':id/donations')(prototype, 'donate', Object.getOwnPropertyDescriptor(prototype, 'donate'));
  Controller('runs')(DonationsController);
  class AppModule {}
  Module({ imports: variant.imports ?? [], controllers: [DonationsController] })(AppModule);
  const { [`${adapter}Adapter`]: Adapter } = await import(`@nestjs/platform-${adapter.toLowerCase()}`);
  const app = await NestFactory.create(AppModule, new Adapter(), { logger: ['error'] });
  variant.prepare?.(app);
  await app.listen(0, '127.0.0.1');
  variant.ready?.(app);
  const server = app.getHttpServer();
  // Connections wait while the others have their turn.
  server.keepAliveTimeout = 0;
  answerQuestions(async (question) => {
    if (question === 'listen') {
      return server.address().port;
    }
    await flush?.();
    const { user, system } = process.cpuUsage();
    return user + system;
  });
}

if (process.argv[1] === FILE) {
  const [, , name, adapter, sinkUrl] = process.argv;
  await serve(name, adapter, sinkUrl);
}
