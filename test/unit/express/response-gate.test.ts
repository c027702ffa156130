import type { ServerResponse } from 'node:http';
import http from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ResponseGate } from '../../../lib/express/response-gate.js';
import type { HttpApp } from '../../support/http-app.js';
import { listening, turns, until } from '../../support/http-app.js';
import { deferred, untyped } from '../../support/recording.js';

type Handle = (response: ServerResponse) => unknown;

interface Gated {
  readonly app: HttpApp;
  /** What the gate asked with. */
  readonly asked: number[];
  readonly failures: unknown[];
  /** What handlers threw. */
  readonly thrown: { code?: string }[];
  readonly gates: ResponseGate[];
  decide(leaves: boolean): void;
}

const apps: HttpApp[] = [];
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
});

/** A server whose responses wait until the test decides, or do not wait at all. */
async function gated(handle: Handle, answer?: boolean, options: http.ServerOptions = {}): Promise<Gated> {
  const decision = deferred<boolean>();
  const run: Omit<Gated, 'app' | 'decide'> = {
    asked: [],
    failures: [],
    thrown: [],
    gates: [],
  };
  const server = http.createServer(options, (_request, response) => {
    const gate = new ResponseGate(response, {
      mayLeave: (status) => {
        run.asked.push(status);
        return answer ?? decision.promise;
      },
      failed: (error) => run.failures.push(error),
    });
    run.gates.push(gate);
    Promise.resolve(response)
      .then(handle)
      .catch((error: unknown) => {
        run.thrown.push(error as { code?: string });
      });
  });
  const app = await listening(server);
  apps.push(app);
  return { ...run, app, decide: decision.resolve };
}

async function plain(handle: Handle, options: http.ServerOptions = {}): Promise<HttpApp> {
  const server = http.createServer(options, (_request, response) => {
    void Promise.resolve(response).then(handle);
  });
  const app = await listening(server);
  apps.push(app);
  return app;
}

const REQUEST = ['Host: a', 'Connection: close'];
const withoutDate = (text: string): string => text.replace(/^Date: .*\r\n/m, '');

const big = 'x'.repeat(200_000);

/** Ways to answer; a gate must not show in any of them. */
const ANSWERS: Record<string, Handle> = {
  'end alone': (response) => response.end(),
  'end with a body': (response) => response.end('héllo'),
  'end with a buffer': (response) => response.end(Buffer.from([0, 1, 255])),
  'end with an encoding': (response) => response.end('aGk=', 'base64'),
  'set headers and status': (response) => {
    response.statusCode = 418;
    response.statusMessage = 'Teapot';
    response.setHeader('X-Two', ['a', 'b']);
    response.end('tea');
  },
  'writeHead(status, message, headers)': (response) => {
    response.writeHead(201, 'Made', { 'X-Id': 7, 'Content-Length': 4 });
    response.end('made');
  },
  'writeHead with a list': (response) => response.writeHead(200, ['X-A', '1', 'x-a', '2']).end('list'),
  'writeHead over set headers': (response) => {
    response.setHeader('x-a', 'set');
    response.setHeader('x-b', 'set');
    response.writeHead(202, { 'X-A': 'passed' });
    response.end('both');
  },
  chunks: (response) => {
    response.write('one,');
    response.write(Buffer.from('two,'));
    response.end('three');
  },
  'chunks over time': async (response) => {
    response.write('one,');
    await turns();
    response.write('two,');
    await turns();
    response.end();
  },
  'flushHeaders first': (response) => {
    response.setHeader('x-a', '1');
    response.flushHeaders();
    response.end('late');
  },
  trailers: (response) => {
    if (response.req.method !== 'HEAD') {
      response.setHeader('Trailer', 'X-Sum');
    }
    response.write('body');
    response.addTrailers({ 'X-Sum': '42' });
    response.end();
  },
  'informational answers before': (response) => {
    response.writeProcessing();
    response.writeEarlyHints({ link: '</a.css>; rel=preload' });
    response.end('final');
  },
  '204': (response) => response.writeHead(204).end(),
  '304': (response) => {
    response.statusCode = 304;
    response.setHeader('etag', '"a"');
    response.end();
  },
  'a redirect': (response) => response.writeHead(302, { location: '/b' }).end(),
  'corked writes': (response) => {
    response.cork();
    response.write('a');
    response.write('b');
    response.uncork();
    response.end('c');
  },
  'a pipe': (response) => {
    Readable.from([big, big, big]).pipe(response);
  },
  'a pipeline': (response) => pipeline(Readable.from([big, 'end']), response),
  'end twice': (response) => {
    response.end('once');
    response.end();
  },
};

describe('a gated response', () => {
  describe.each(['GET', 'HEAD'])('to %s', (method) => {
    it.each(Object.keys(ANSWERS))('leaves as it would without: %s', async (name) => {
      const handle = ANSWERS[name] as Handle;
      const lines = [`${method} / HTTP/1.1`, ...REQUEST];
      const expected = await (await plain(handle)).raw(lines);
      const { app, decide, asked } = await gated(handle);
      const answer = app.raw(lines);
      await until(() => asked.length > 0);
      await turns();
      decide(true);
      expect(withoutDate(await answer)).toBe(withoutDate(expected));
      const atOnce = await gated(handle, true);
      expect(withoutDate(await atOnce.app.raw(lines))).toBe(withoutDate(expected));
    });
  });

  it('sends nothing before it may', async () => {
    const { app, decide, asked } = await gated((response) => {
      response.writeHead(200);
      response.write('a');
      response.flushHeaders();
    });
    const socket = await app.abort('/');
    const received: Buffer[] = [];
    socket.on('data', (chunk) => received.push(chunk));
    await until(() => asked.length === 1);
    await turns(20);
    expect(received).toStrictEqual([]);
    decide(true);
    await until(() => received.length > 0);
    socket.destroy();
  });

  it('is asked with the status of its head, once', async () => {
    const { app, decide, asked } = await gated((response) => {
      response.writeHead(201);
      response.write('a');
      response.end('b');
    });
    decide(true);
    await app.send('/');
    expect(asked).toStrictEqual([201]);
  });

  it('is asked when its first byte would leave, not for the head alone', async () => {
    const work = deferred();
    const { app, asked, gates, decide } = await gated(async (response) => {
      response.writeHead(200, { 'x-a': '1' });
      await work.promise;
      response.end('done');
    });
    decide(true);
    const answer = app.send('/');
    await until(() => gates[0]?.holdsBack === true);
    await turns();
    expect(asked).toStrictEqual([]);
    work.resolve();
    expect(await answer).toMatchObject({
      status: 200,
      headers: { 'x-a': '1' },
      body: 'done',
    });
    expect(asked).toStrictEqual([200]);
  });

  it('looks as if it were on its way meanwhile', async () => {
    const seen: unknown[] = [];
    const { app, decide } = await gated((response) => {
      const look = (): void => {
        seen.push([response.headersSent, response.writableEnded]);
      };
      look();
      seen.push(!response.write('a'));
      look();
      seen.push(response.end('b') === response);
      look();
      expect(() => response.setHeader('x-a', '1')).toThrow('Cannot set headers after they are sent');
      expect(() => {
        response.removeHeader('x-a');
      }).toThrow('Cannot remove headers after they are sent');
      expect(() => response.writeHead(500)).toThrow('Cannot write headers after they are sent');
      // In Node this changes nothing any more.
      response.statusCode = 500;
      seen.push('held');
      decide(true);
    });
    expect(await app.send('/')).toMatchObject({ status: 200, body: 'ab' });
    expect(seen).toStrictEqual([[false, false], true, [true, false], true, [true, true], 'held']);
  });

  it('tells the truth again afterwards', async () => {
    const { app, decide, gates, asked } = await gated(async (response) => {
      response.write('a');
      await until(() => gates[0]?.holdsBack === false);
      expect(response.headersSent).toBe(true);
      expect(response.writableEnded).toBe(false);
      expect(response.write('b')).toBe(true);
      response.end();
      expect(response.writableEnded).toBe(true);
    });
    const answer = app.send('/');
    await until(() => asked.length === 1);
    decide(true);
    expect((await answer).body).toBe('ab');
  });

  it.each<[string, Handle]>([
    ['ERR_INVALID_ARG_TYPE', (response) => response.write(untyped(7))],
    ['ERR_STREAM_NULL_VALUES', (response) => response.write(null)],
    ['ERR_INVALID_ARG_TYPE', (response) => response.end(untyped({}))],
    ['ERR_HTTP_INVALID_STATUS_CODE', (response) => response.writeHead(9_999)],
    [
      'ERR_HTTP_INVALID_STATUS_CODE',
      (response) => {
        response.statusCode = 12;
        response.end('x');
      },
    ],
    ['ERR_INVALID_CHAR', (response) => response.writeHead(200, { 'x-a': 'a\nb' })],
    ['ERR_INVALID_HTTP_TOKEN', (response) => response.writeHead(200, { 'x a': 'b' })],
    ['ERR_INVALID_CHAR', (response) => response.writeHead(200, 'a\nb')],
    ['ERR_HTTP_HEADERS_SENT', (response) => response.writeHead(200).writeHead(201)],
  ])('throws %s where Node does (%#)', async (code, handle) => {
    const { app, thrown, decide, gates } = await gated(async (response) => {
      try {
        await handle(response);
      } finally {
        response.statusCode = 200;
        response.end('afterwards');
      }
    });
    decide(true);
    const { body } = await app.send('/');
    expect(body).toBe('afterwards');
    expect(thrown).toMatchObject([{ code }]);
    expect(gates[0]?.holdsBack).toBe(false);
  });

  it('calls back when what was written has left', async () => {
    const called: string[] = [];
    const { app, decide, asked } = await gated((response) => {
      response.write('a', () => called.push('write'));
      response.end('b', () => called.push('end'));
    });
    const answer = app.send('/');
    await until(() => asked.length === 1);
    await turns();
    expect(called).toStrictEqual([]);
    decide(true);
    await answer;
    await until(() => called.length === 2);
    expect(called).toStrictEqual(['write', 'end']);
  });

  it('wakes streams that wait, once there is room', async () => {
    const drains: boolean[] = [];
    const { app, decide, asked } = await gated((response) => {
      response.on('drain', () => {
        drains.push(response.writableNeedDrain);
        if (!response.writableEnded) {
          response.end('end');
        }
      });
      response.write(big.repeat(50));
    });
    const answer = app.send('/');
    await until(() => asked.length === 1);
    decide(true);
    expect((await answer).body).toHaveLength(big.length * 50 + 3);
    expect(drains[0]).toBe(false);
  });

  it('works with middlewares that wrap it before and after', async () => {
    const wrap = (response: ServerResponse, mark: string): void => {
      // As compression does it: the head is written by hand, once.
      const end = response.end.bind(response);
      const writeHead = response.writeHead.bind(response);
      const head = response as unknown as {
        _header: unknown;
        _implicitHeader(): void;
      };
      response.writeHead = untyped((...args: [number]) => {
        response.setHeader(`x-${mark}`, 'yes');
        return writeHead(...args);
      });
      response.end = untyped((chunk: string) => {
        if (!head._header) {
          head._implicitHeader();
        }
        return end(`${mark}(${chunk})`);
      });
    };
    const server = http.createServer((_request, response) => {
      wrap(response, 'inner');
      new ResponseGate(response, {
        mayLeave: async () => {
          await turns();
          return true;
        },
        failed: () => undefined,
      });
      wrap(response, 'outer');
      response.end('body');
    });
    const app = await listening(server);
    apps.push(app);
    expect(await app.send('/')).toMatchObject({
      status: 200,
      headers: { 'x-inner': 'yes', 'x-outer': 'yes' },
      body: 'inner(outer(body))',
    });
  });

  it('survives a client that goes away while it waits', async () => {
    const closed = deferred();
    const called: unknown[] = [];
    const { app, decide, asked, failures } = await gated((response) => {
      response.once('close', closed.resolve);
      response.write('a', (error) => called.push(error));
      response.end('b');
    });
    const socket = await app.abort('/');
    await until(() => asked.length === 1);
    socket.destroy();
    await closed.promise;
    decide(true);
    await until(() => called.length === 1);
    expect(called).toMatchObject([{ code: 'ERR_STREAM_DESTROYED' }]);
    expect(failures).toStrictEqual([]);
  });

  it('closes the connection when it cannot be written after all, and says so', async () => {
    const { app, decide, asked, failures } = await gated((response) => {
      response.setHeader('trailer', 'x-sum');
      response.setHeader('content-length', 2);
      response.end('no');
    });
    const answer = app.send('/');
    await until(() => asked.length === 1);
    decide(true);
    await expect(answer).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(failures).toMatchObject([{ code: 'ERR_HTTP_TRAILER_INVALID' }]);
  });
});

describe('a response that is replaced', () => {
  const refuse = async (handle: Handle, method = 'GET'): Promise<Awaited<ReturnType<HttpApp['send']>>> => {
    const { app, decide, asked } = await gated(handle);
    const answer = app.send('/', { method });
    await until(() => asked.length === 1);
    decide(false);
    return answer;
  };

  it.each(Object.keys(ANSWERS))('is a 503: %s', async (name) => {
    const { status, message, headers, body } = await refuse(ANSWERS[name] as Handle);
    expect({ status, message, body }).toStrictEqual({
      status: 503,
      message: 'Service Unavailable',
      body: '{"statusCode":503,"message":"Service Unavailable"}',
    });
    expect(headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'content-length': String(body.length),
      'cache-control': 'no-store',
    });
  });

  it('is a 503 at once when that is known at once', async () => {
    const { app } = await gated((response) => response.end('x'), false);
    expect(await app.send('/')).toMatchObject({ status: 503 });
  });

  it('has no body for HEAD', async () => {
    const answer = await refuse((response) => response.end(), 'HEAD');
    expect(answer).toMatchObject({ status: 503, body: '' });
    expect(answer.headers['content-length']).toBe('50');
  });

  it('keeps the headers that are not about its body', async () => {
    const { headers } = await refuse((response) => {
      response.setHeader('content-security-policy', "default-src 'self'");
      response.setHeader('etag', '"a"');
      response.setHeader('set-cookie', 'a=b');
      response.setHeader('x-a', 'set');
      response.writeHead(201, 'Made', {
        'Access-Control-Allow-Origin': '*',
        Location: '/b',
        'X-A': 'passed',
        'Content-Encoding': 'gzip',
      });
      response.end('x');
    });
    expect(headers).toMatchObject({
      'content-security-policy': "default-src 'self'",
      'access-control-allow-origin': '*',
      'x-a': 'passed',
    });
    for (const name of ['etag', 'set-cookie', 'location', 'content-encoding']) {
      expect(headers).not.toHaveProperty(name);
    }
  });

  it('keeps the headers of a head alone', async () => {
    const { headers } = await refuse((response) => {
      response.writeHead(200, { Vary: 'origin', Trailer: 'x' }).end('x');
    });
    expect(headers).toMatchObject({ vary: 'origin' });
    expect(headers).not.toHaveProperty('trailer');
  });

  it('swallows the rest, as if the client were gone, and calls back', async () => {
    const called: string[] = [];
    const closed = deferred();
    const { body } = await refuse((response) => {
      response.write('first', () => called.push('write'));
      response.once('close', () => {
        expect(response.write('more', () => called.push('more'))).toBe(false);
        response.flushHeaders();
        expect(response.writeHead(200)).toBe(response);
        expect(response.end('x', () => called.push('end'))).toBe(response);
        closed.resolve();
      });
    });
    await closed.promise;
    await until(() => called.length === 3);
    expect(body).toContain('503');
    expect(called).toStrictEqual(['write', 'more', 'end']);
  });

  it('ends a pipeline', async () => {
    const source = Readable.from([big, big, 'end']);
    const ended = deferred<unknown>();
    await refuse((response) => {
      pipeline(source, response).then(ended.resolve, ended.resolve);
    });
    await ended.promise;
    expect(source.destroyed).toBe(true);
  });

  it('calls back the end that was kept back, once the answer has left', async () => {
    const called: boolean[] = [];
    await refuse((response) => response.end('x', () => called.push(response.writableFinished)));
    await until(() => called.length === 1);
    expect(called).toStrictEqual([true]);
  });

  it('shows the status that was sent', async () => {
    const statuses: number[] = [];
    await refuse((response) => {
      response.once('finish', () => statuses.push(response.statusCode));
      response.end('x');
    });
    expect(statuses).toStrictEqual([503]);
  });
});
