import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import type { Transform } from 'node:stream';
import { Readable } from 'node:stream';
import { createGzip, gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { RequestHandler, Response } from 'express';
import express from 'express';
import type { RequestOptions, RequestSummary } from 'nestjs-tracking/express';
import { trackingMiddleware } from 'nestjs-tracking/express';
import type { TrackedAppOptions } from '../support/express-app.js';
import { closeApps, startExpress, startNode } from '../support/express-app.js';
import { turns, until } from '../support/http-app.js';
import type { Deferred, Recording } from '../support/recording.js';
import { deferred, record, untyped } from '../support/recording.js';

/** Events at slow backends, that a test may have left there. */
const waiting: Deferred[] = [];
afterEach(async () => {
  for (const event of waiting.splice(0)) {
    event.resolve();
  }
  await closeApps();
});

/** A backend that takes an event when the test says so. */
function slowly(sent: Deferred[], request: TrackedAppOptions['request'] = {}): TrackedAppOptions {
  return {
    request: { awaitAccepted: 'required', ...request },
    tracker: {
      backends: {
        slow: {
          send: () => {
            const event = deferred();
            sent.push(event);
            waiting.push(event);
            return event.promise;
          },
        },
      },
    },
  };
}

/** What compression does: it wraps a response, and writes the head itself before the first chunk. */
const gzip: RequestHandler = (_request, response, next) => {
  const node = response as unknown as {
    _header: unknown;
    _implicitHeader(): void;
  };
  const write = response.write.bind(response) as (chunk: Buffer) => boolean;
  const end = response.end.bind(response) as () => Response;
  const on = response.on.bind(response);
  const compressed = createGzip();
  compressed.on('data', (chunk: Buffer) => {
    if (!write(chunk)) {
      compressed.pause();
    }
  });
  compressed.on('end', () => end());
  on('drain', () => compressed.resume());
  const start = (): Transform => {
    if (!node._header) {
      response.setHeader('Content-Encoding', 'gzip');
      response.removeHeader('Content-Length');
      node._implicitHeader();
    }
    return compressed;
  };
  response.on = untyped((event: string, listener: () => void) => {
    (event === 'drain' ? compressed.on.bind(compressed) : on)(event, listener);
    return response;
  });
  response.write = untyped((chunk: string) => start().write(chunk));
  response.end = untyped((chunk?: string) => {
    start().end(chunk);
    return response;
  });
  next();
};

describe('a response of Express that waits for its events', () => {
  const answer = async (
    handle: RequestHandler,
    options: { headers?: http.OutgoingHttpHeaders; method?: string; accepts?: boolean } = {},
  ) => {
    const sent: Deferred[] = [];
    const app = await startExpress((web, tracker) => {
      web.set('etag', 'strong');
      web.get('/', (request, response, next) => {
        tracker.emit('seen');
        return handle(request, response, next);
      });
    }, slowly(sent));
    const { headers = {}, method = 'GET' } = options;
    const received = app.send('/', { headers, method });
    // Looked at below.
    received.catch(() => undefined);
    await until(() => sent.length === 1);
    await turns(20);
    if (options.accepts === false) {
      sent[0]?.reject(new Error('full'));
    } else {
      sent[0]?.resolve();
    }
    return received;
  };

  const HANDLERS: Record<string, RequestHandler> = {
    send: (_request, response) => void response.send('hello'),
    json: (_request, response) => void response.json({ a: 1 }),
    redirect: (_request, response) => {
      response.redirect('/elsewhere');
    },
    sendStatus: (_request, response) => void response.sendStatus(204),
    'status and end': (_request, response) => void response.status(201).set('x-a', 'b').end(),
  };

  /** Those whose head is written by `end`. */
  const ENDED = ['send', 'json', 'redirect', 'sendStatus', 'status and end'];

  const shown = (headers: http.IncomingHttpHeaders): unknown => ({
    ...headers,
    date: undefined,
  });

  it.each(ENDED)('is the same as without waiting: %s', async (name) => {
    const handle = HANDLERS[name] as RequestHandler;
    const plain = await startExpress((web) => {
      web.set('etag', 'strong');
      web.get('/', handle);
    });
    const expected = await plain.send('/');
    const received = await answer(handle);
    expect({ ...received, headers: shown(received.headers) }).toStrictEqual({
      ...expected,
      headers: shown(expected.headers),
    });
  });

  it.each(ENDED)('is a clean 503 in its place when they are not accepted: %s', async (name) => {
    const refused = await answer(
      (request, response, next) => {
        response.statusMessage = 'Fine';
        response.set({ 'content-encoding': 'identity', 'cache-control': 'public', etag: '"1"' });
        return HANDLERS[name]?.(request, response, next);
      },
      { accepts: false },
    );
    expect(refused).toMatchObject({ status: 503, message: 'Service Unavailable' });
    expect(JSON.parse(refused.body)).toStrictEqual({ statusCode: 503, message: 'Service Unavailable' });
    expect(shown(refused.headers)).toStrictEqual({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'content-length': String(refused.body.length),
      connection: 'close',
      date: undefined,
    });
  });

  it('has no body for HEAD, refused or not', async () => {
    for (const [accepts, status] of [
      [true, 200],
      [false, 503],
    ] as const) {
      const received = await answer(HANDLERS['send'] as RequestHandler, { method: 'HEAD', accepts });
      expect(received).toMatchObject({ status, body: '' });
    }
  });

  it.each<[string, RequestHandler]>([
    ['writeHead', (_request, response) => response.writeHead(200).end('ab')],
    [
      'write',
      (_request, response) => {
        response.write('a');
        response.end('b');
      },
    ],
    [
      'flushHeaders',
      (_request, response) => {
        response.flushHeaders();
        response.end('ab');
      },
    ],
    ['pipe', (_request, response) => Readable.from(['a', 'b']).pipe(response)],
  ])('is not one whose head was written before its end: %s', async (_how, handle) => {
    const sent: Deferred[] = [];
    const app = await startExpress((web, tracker) => {
      web.get('/', (request, response, next) => {
        tracker.emit('seen');
        return handle(request, response, next);
      });
    }, slowly(sent));
    expect(await app.send('/')).toMatchObject({ status: 200, body: 'ab' });
    expect(sent).toHaveLength(1);
    expect(app.reports).toStrictEqual([]);
  });

  it('is unchanged for a client that has it', async () => {
    const handle = HANDLERS['send'] as RequestHandler;
    const { headers } = await answer(handle);
    const again = await answer(handle, {
      headers: { 'if-none-match': headers.etag },
    });
    expect(again).toMatchObject({ status: 304, body: '' });
  });

  it('may be wrapped before the middleware too', async () => {
    const memory = record();
    const web = express();
    web.use(gzip);
    web.use(trackingMiddleware(memory.tracker, { awaitAccepted: true }));
    web.get('/', (_request, response) => {
      memory.tracker.emit('seen');
      response.send('hello');
    });
    const app = await startNode((request, response) => {
      web(request, response);
    });
    const raw = await new Promise<Buffer>((resolve, reject) => {
      http
        .get(app.url, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () => {
            resolve(Buffer.concat(chunks));
          });
        })
        .on('error', reject);
    });
    expect(gunzipSync(raw).toString()).toBe('hello');
  });

  it('leaves as it was at its end: an error after that changes nothing', async () => {
    const answered = await answer((_request, response) => {
      response.status(202).set('x-a', 'b').send('first');
      throw new Error('afterwards');
    });
    expect(answered).toMatchObject({
      status: 202,
      message: 'Accepted',
      headers: { 'x-a': 'b', 'content-length': '5', 'content-type': 'text/html; charset=utf-8' },
      body: 'first',
    });
    expect(answered.headers).not.toHaveProperty('content-security-policy');
  });

  it('ends once', async () => {
    const again = await answer((_request, response) => {
      response.status(202).end('first');
      response.end('second');
    });
    expect(again).toMatchObject({ status: 202, body: 'first' });
  });

  it('has its request end once when its client goes away while it waits', async () => {
    const sent: Deferred[] = [];
    const ends: RequestSummary[] = [];
    const onEnd = (summary: RequestSummary): void => {
      ends.push(summary);
    };
    const app = await startExpress(
      (web, tracker) => {
        web.get('/', (_request, response) => {
          tracker.emit('seen');
          response.send('hello');
        });
      },
      slowly(sent, { onEnd, flushAtEnd: false }),
    );
    const socket = await app.abort('/');
    await until(() => sent.length === 1);
    await turns(20);
    socket.destroy();
    await until(() => ends.length > 0);
    sent[0]?.resolve();
    await turns(20);
    expect(ends).toMatchObject([{ aborted: true, events: 1 }]);
    expect(ends[0]).not.toHaveProperty('status');
    expect(app.reports).toStrictEqual([]);
  });

  it('never waits for what is emitted after its first byte', async () => {
    const sent: Deferred[] = [];
    const app = await startExpress((web, tracker) => {
      web.get('/', (_request, response) => {
        response.write('first');
        tracker.emit('during');
        response.end();
      });
    }, slowly(sent));
    expect(await app.send('/')).toMatchObject({ status: 200, body: 'first' });
    expect(sent).toHaveLength(1);
  });

  it('is answered with 503 under load only where an event was refused', async () => {
    let n = 0;
    const app = await startExpress(
      (web, tracker) => {
        web.get('/:id', (request, response) => {
          tracker.emit('seen', { id: request.params.id });
          response.send(request.params.id);
        });
      },
      {
        request: { awaitAccepted: 'required' },
        tracker: {
          backends: {
            flaky: {
              send: async ({ data }) => {
                await turns(n++ % 3);
                if (Number(data['id']) % 3 === 0) {
                  throw new Error('full');
                }
              },
            },
          },
        },
      },
    );
    const agent = new http.Agent({ keepAlive: true, maxSockets: 20 });
    const answers = await Promise.all(Array.from({ length: 200 }, (_, id) => app.send(`/${id}`, { agent })));
    agent.destroy();
    expect(answers.map(({ status }) => status)).toStrictEqual(
      answers.map((_, id) => (id % 3 === 0 ? 503 : 200)),
    );
  });
});

describe('the end of a request of Express', () => {
  it('is told to its held events, as keep decides', async () => {
    const app = await startExpress(
      (web, tracker) => {
        web.get('/:status', (request, response) => {
          tracker.emit('seen');
          response.status(Number(request.params.status)).send();
        });
      },
      { request: { keep: ({ status = 0 }) => status < 400 } },
    );
    await app.send('/200');
    await app.send('/500');
    await app.send('/201');
    await app.memory.waitFor('seen', 2);
    await until(() => app.tracker.stats().dropped['outcome'] === 1);
    expect(app.memory.events.map(({ context }) => context['request'])).toMatchObject([
      { path: '/200', route: '/:status', status: 200 },
      { path: '/201', route: '/:status', status: 201 },
    ]);
  });

  it.each<[unknown, unknown]>([
    [{ mine: 1 }, { mine: 1, status: 200, durationMs: expect.any(Number) }],
    [null, { status: 200, durationMs: expect.any(Number) }],
    ['mine', 'mine'],
  ])('leaves to the app its own request: %p', async (request, expected) => {
    const app = await startExpress(
      (web, tracker) => {
        web.get('/', (_request, response) => {
          tracker.enterContext('own', { request });
          tracker.emit('seen');
          response.send();
        });
      },
      { request: { hold: true } },
    );
    await app.send('/');
    const [event] = await app.memory.waitFor('seen');
    expect(event?.context['request']).toStrictEqual(expected);
  });

  it('is not complete when the client goes away in the middle', async () => {
    const ends: RequestSummary[] = [];
    const app = await startExpress(
      (web) => {
        web.get('/', (_request, response) => {
          response.write('first');
        });
      },
      {
        request: {
          onEnd: (summary) => {
            ends.push(summary);
          },
        },
      },
    );
    const socket = await app.abort('/');
    await once(socket, 'data');
    socket.destroy();
    await until(() => ends.length > 0);
    expect(ends).toMatchObject([{ aborted: true, status: 200, events: 0 }]);
  });

  it('comes once on every request of a kept connection', async () => {
    const ends: unknown[] = [];
    const app = await startExpress(
      (web) => {
        web.get('/:id', (_request, response) => void response.send('ok'));
      },
      {
        request: {
          onEnd: ({ context, aborted }) => {
            ends.push([(context['request'] as { path: string }).path, aborted]);
          },
        },
      },
    );
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    for (const id of ['a', 'b', 'c']) {
      await app.send(`/${id}`, { agent });
    }
    agent.destroy();
    await until(() => ends.length === 3);
    await turns(20);
    expect(ends).toStrictEqual([
      ['/a', false],
      ['/b', false],
      ['/c', false],
    ]);
  });
});

/** A response as adapters for serverless platforms make it: without a socket of Node. */
function serverless(): { response: http.ServerResponse; body: () => string } {
  const request = untyped<http.IncomingMessage>(
    Object.assign(new Readable({ read: () => undefined }), {
      method: 'GET',
      url: '/',
      headers: { host: 'lambda' },
      httpVersionMajor: 1,
      httpVersionMinor: 1,
    }),
  );
  const response = new http.ServerResponse(request);
  let text = '';
  response.assignSocket(
    untyped({
      _writableState: {},
      writable: true,
      on: () => undefined,
      removeListener: () => undefined,
      destroy: () => undefined,
      cork: () => undefined,
      uncork: () => undefined,
      write: (chunk: string, _encoding: unknown, done?: () => void) => {
        text += chunk;
        done?.();
        return true;
      },
    }),
  );
  return { response, body: () => text };
}

describe('a server without sockets', () => {
  it('is told when it may freeze: after the events are accepted', async () => {
    const accept = deferred();
    const work: Promise<void>[] = [];
    const ends: RequestSummary[] = [];
    const run = record({ backends: { slow: { send: () => accept.promise } } });
    const track = trackingMiddleware(run.tracker, {
      waitUntil: () => (promise) => {
        work.push(promise);
      },
      onEnd: (summary) => {
        ends.push(summary);
      },
    });
    const { response, body } = serverless();
    track(response.req, response, () => {
      run.tracker.emit('seen');
      response.end('ok');
    });
    await turns();
    expect(body()).toContain('ok');
    expect(ends).toStrictEqual([]);
    accept.resolve();
    await Promise.all(work);
    expect(work).toHaveLength(1);
    expect(ends).toMatchObject([{ status: 200, aborted: false, events: 1 }]);
  });

  it('keeps its responses back as well', async () => {
    const accept = deferred();
    const run = record({ backends: { slow: { send: () => accept.promise } } });
    const track = trackingMiddleware(run.tracker, { awaitAccepted: true });
    const { response, body } = serverless();
    track(response.req, response, () => {
      run.tracker.emit('seen');
      response.end('ok');
    });
    await turns();
    expect(body()).toBe('');
    accept.resolve();
    await turns();
    expect(body()).toContain('ok');
  });
});

describe('a server of HTTP/2', () => {
  /** A client of a server that calls the middleware itself. */
  const connect = async (
    run: Recording,
    options: RequestOptions,
    handle: (response: http.ServerResponse) => void,
  ): Promise<{ client: http2.ClientHttp2Session; close: () => void }> => {
    const track = trackingMiddleware(run.tracker, options);
    const server = http2.createServer((request, response) => {
      const own = untyped<http.ServerResponse>(response);
      track(request, own, () => {
        handle(own);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const client = http2.connect(`http://127.0.0.1:${port}`);
    return {
      client,
      close: () => {
        client.destroy();
        server.close();
      },
    };
  };

  const exchange = async (
    run: Recording,
    options: RequestOptions,
    handle: (response: http.ServerResponse) => void,
  ): Promise<{ status: unknown; body: string }> => {
    const { client, close } = await connect(run, options, handle);
    const stream = client.request({ ':path': '/a?b' });
    const [headers] = (await once(stream, 'response')) as [
      http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader,
    ];
    let body = '';
    for await (const chunk of stream) {
      body += String(chunk);
    }
    close();
    return { status: headers[':status'], body };
  };

  it.each([
    [true, { status: 201, body: 'ab' }],
    ['required' as const, { status: 503, body: '{"statusCode":503,"message":"Service Unavailable"}' }],
  ])('waits for its events too (%p)', async (awaitAccepted, expected) => {
    const run = record({
      backends: {
        broken: {
          send: async () => {
            await turns();
            throw new Error('full');
          },
        },
      },
    });
    const received = await exchange(run, { awaitAccepted }, (response) => {
      run.tracker.emit('seen');
      response.statusCode = 201;
      response.setHeader('x-a', 'b');
      response.end('ab');
    });
    expect(received).toStrictEqual(expected);
  });

  it('has its requests and their outcome in its events', async () => {
    const run = record();
    await exchange(run, { hold: true }, (response) => {
      run.tracker.emit('seen');
      response.end('ok');
    });
    await until(() => run.memory.events.length === 1);
    expect(run.last().context['request']).toMatchObject({
      path: '/a',
      host: expect.stringContaining('127.0.0.1'),
      status: 200,
    });
  });

  it('sees that a stream was reset', async () => {
    const run = record();
    const ends: RequestSummary[] = [];
    const onEnd = (summary: RequestSummary): void => {
      ends.push(summary);
    };
    const { client, close } = await connect(run, { onEnd }, () => {
      run.tracker.emit('begun');
    });
    const stream = client.request({ ':path': '/' });
    stream.on('error', () => undefined);
    await until(() => run.memory.events.length === 1);
    stream.close(http2.constants.NGHTTP2_CANCEL);
    await until(() => ends.length === 1);
    close();
    expect(ends).toMatchObject([{ aborted: true, events: 1 }]);
    expect(ends[0]).not.toHaveProperty('status');
  });
});
