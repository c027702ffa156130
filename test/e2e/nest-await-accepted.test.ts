import type { ArgumentsHost, CanActivate, ExceptionFilter } from '@nestjs/common';
import {
  Catch,
  Controller,
  ForbiddenException,
  Get,
  Head,
  Header,
  HttpCode,
  Injectable,
  Post,
  Redirect,
  Res,
  Sse,
  StreamableFile,
  UseFilters,
  UseGuards,
} from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Observable } from 'rxjs';
import { of } from 'rxjs';
import type { Tracker, TrackingRequestOptions } from 'nestjs-tracking';
import { InjectTracker, Track } from 'nestjs-tracking';
import type { Backend } from 'nestjs-tracking/core';
import type { FakeClock } from 'nestjs-tracking/testing';
import { fakeClock } from 'nestjs-tracking/testing';
import { turns, until } from '../support/http-app.js';
import type { NestHttpApp, NestHttpOptions } from '../support/nest-http-app.js';
import { closeNestApps, PLATFORMS, startNest } from '../support/nest-http-app.js';
import type { Deferred } from '../support/recording.js';
import { deferred } from '../support/recording.js';

/** Events at slow backends, that a test may have left there. */
const waiting: Deferred[] = [];
afterEach(async () => {
  for (const event of waiting.splice(0)) {
    event.resolve();
  }
  await closeNestApps();
});

@Injectable()
class Refusing implements CanActivate {
  constructor(@InjectTracker() private readonly tracker: Tracker) {}

  canActivate(): boolean {
    this.tracker.emit('guard');
    return false;
  }
}

@Catch(ForbiddenException)
class Teapot implements ExceptionFilter {
  constructor(@InjectTracker() private readonly tracker: Tracker) {}

  catch(_error: unknown, host: ArgumentsHost): void {
    this.tracker.emit('filter');
    const response = host.switchToHttp().getResponse<{ status(code: number): { send(): unknown } }>();
    response.status(418).send();
  }
}

const big = 'x'.repeat(300_000);

@Controller()
@Track('answered')
class Answers {
  constructor(@InjectTracker() private readonly tracker: Tracker) {}

  @Get('text')
  text(): string {
    return 'text';
  }

  @Post('json')
  json(): object {
    return { id: 7 };
  }

  @Get('buffer')
  @Header('content-type', 'application/octet-stream')
  buffer(): StreamableFile {
    return new StreamableFile(Buffer.from('buffer'));
  }

  @Get('stream')
  stream(): StreamableFile {
    return new StreamableFile(Readable.from([Buffer.from(big), Buffer.from('end')]));
  }

  @Get('described')
  described(@Res({ passthrough: true }) response: { header(name: string, value: string): unknown }): string {
    response.header('content-encoding', 'identity');
    response.header('content-disposition', 'attachment; filename="a.txt"');
    response.header('etag', '"1"');
    response.header('last-modified', 'Thu, 01 Jan 2026 00:00:00 GMT');
    response.header('cache-control', 'public, max-age=600');
    response.header('access-control-allow-origin', 'https://shop.example');
    return 'short';
  }

  @Get('empty')
  @HttpCode(204)
  empty(): void {
    // No content.
  }

  @Get('unchanged')
  @HttpCode(304)
  unchanged(): void {
    // Not modified.
  }

  @Get('moved')
  @Redirect('/text', 307)
  moved(): void {
    // The decorator does it.
  }

  @Head('head')
  head(): string {
    return 'head';
  }

  @Sse('events')
  events(): Observable<MessageEvent> {
    this.tracker.emit('answered');
    return of({ data: 'one' } as MessageEvent);
  }

  @Get('raw')
  raw(@Res() reply: ServerResponse & { raw?: ServerResponse; hijack?(): void }): void {
    reply.hijack?.();
    const response = reply.raw ?? reply;
    this.tracker.emit('answered');
    response.writeHead(200, 'Fine', { 'X-Raw': 'yes' });
    response.write('a');
    response.end('b');
  }

  @Get('refused')
  @UseGuards(Refusing)
  @UseFilters(Teapot)
  refused(): string {
    return 'refused';
  }

  @Get('nothing')
  @Track('unused', { on: 'failure' })
  nothing(): string {
    return 'nothing';
  }

  @Get('burst')
  @Track('unused', { on: 'failure' })
  burst(): string {
    for (let i = 0; i < 3; i++) {
      this.tracker.emit('burst', { i });
    }
    return 'burst';
  }
}

interface Slow extends NestHttpApp {
  readonly clock: FakeClock;
  /** Events at the backend; the test takes or refuses them. */
  readonly sent: Deferred[];
}

const ROUTES = [
  ['GET', '/text', 200, 'text'],
  ['POST', '/json', 201, '{"id":7}'],
  ['GET', '/buffer', 200, 'buffer'],
  ['GET', '/stream', 200, `${big}end`],
  ['GET', '/empty', 204, ''],
  ['GET', '/unchanged', 304, ''],
  ['GET', '/moved', 307, undefined],
  ['HEAD', '/head', 200, ''],
  ['GET', '/described', 200, 'short'],
] as const;
const ways: readonly (readonly [string, string])[] = ROUTES.map(([method, path]) => [method, path]);

const NOT_ACCEPTED = { statusCode: 503, errorCode: 'TRACKING_NOT_ACCEPTED' };

describe.each(PLATFORMS)('on %s, a response that waits', (platform) => {
  const start = async (request: TrackingRequestOptions, more: NestHttpOptions = {}): Promise<Slow> => {
    const clock = fakeClock();
    const sent: Deferred[] = [];
    const slow: Backend = {
      send: () => {
        const event = deferred();
        sent.push(event);
        waiting.push(event);
        return event.promise;
      },
    };
    const app = await startNest(platform, {
      controllers: [Answers],
      backends: { slow },
      clock,
      request,
      ...more,
    });
    return { ...app, clock, sent };
  };

  it.each(ROUTES)(
    'leaves as it is once its events are accepted: %s %s',
    async (method, path, status, body) => {
      const app = await start({ awaitAccepted: true });
      let isHere = false;
      const answer = app.send(path, { method }).then((received) => {
        isHere = true;
        return received;
      });
      await until(() => app.sent.length > 0);
      await turns(20);
      expect(isHere).toBe(false);
      for (const event of app.sent) {
        event.resolve();
      }
      const received = await answer;
      expect(received.status).toBe(status);
      expect(received.body).toBe(body ?? received.body);
      expect(app.reports).toStrictEqual([]);
    },
  );

  it.each(ways)('is a 503 in its place when they are not: %s %s', async (method, path) => {
    const app = await start({ awaitAccepted: 'required' });
    const answer = app.send(path, { method });
    await until(() => app.sent.length > 0);
    for (const event of app.sent) {
      event.reject(new Error('full'));
    }
    const { status, headers, body } = await answer;
    expect(status).toBe(503);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    for (const name of [
      'location',
      'content-encoding',
      'content-disposition',
      'last-modified',
      'cache-control',
    ]) {
      expect(headers).not.toHaveProperty(name);
    }
    // Express makes one of the body that it sends.
    expect(headers.etag).not.toBe('"1"');
    expect(headers['access-control-allow-origin']).toBe(
      path === '/described' ? 'https://shop.example' : undefined,
    );
    const isHead = method === 'HEAD';
    expect(isHead ? body : headers['content-length']).toBe(isHead ? '' : String(body.length));
    expect(isHead ? NOT_ACCEPTED : JSON.parse(body)).toMatchObject(NOT_ACCEPTED);
    expect(app.reports.map(({ code }) => code)).toContain('not_accepted');
  });

  it.each([
    ['that its handler writes itself', '/raw', 'ab'],
    ['of events of the server', '/events', 'data: one'],
  ])('is not one %s: that is on its way', async (_which, path, body) => {
    const app = await start({ awaitAccepted: 'required', acceptTimeoutMs: 500 });
    const { status, body: received } = await app.send(path);
    expect(status).toBe(200);
    expect(received).toContain(body);
    // Its own event, and that of @Track.
    expect(app.sent).toHaveLength(2);
    expect(app.reports).toStrictEqual([]);
  });

  it('does not wait for what a guard emits that refuses, nor for what a filter emits then', async () => {
    const app = await start({ awaitAccepted: 'required' });
    expect((await app.send('/refused')).status).toBe(418);
    expect(app.sent).toHaveLength(2);
  });

  it('does not wait where nothing was emitted', async () => {
    const app = await start({ awaitAccepted: 'required' });
    expect((await app.send('/nothing')).status).toBe(200);
    expect((await app.send('/nowhere')).status).toBe(404);
  });

  it('leaves all the same by default, and says what was not accepted', async () => {
    const app = await start({ awaitAccepted: true });
    const answer = app.send('/text');
    await until(() => app.sent.length === 1);
    app.sent[0]?.reject(new Error('full'));
    expect((await answer).status).toBe(200);
    expect(app.reports).toMatchObject([
      { code: 'backend_failed', path: 'slow' },
      {
        code: 'not_accepted',
        message: expect.stringMatching(/was not accepted; the response left all the same .*"path":"\/text"/),
      },
    ]);
  });

  it.each<[boolean | 'required', number]>([
    [true, 200],
    ['required', 503],
  ])('waits for acceptTimeoutMs at most (%p)', async (awaitAccepted, status) => {
    const app = await start({ awaitAccepted, acceptTimeoutMs: 700 });
    let isHere = false;
    const answer = app.send('/text').then((received) => {
      isHere = true;
      return received;
    });
    await until(() => app.sent.length === 1);
    await turns(20);
    await app.clock.advance(699);
    await turns(20);
    expect(isHere).toBe(false);
    await app.clock.advance(1);
    expect((await answer).status).toBe(status);
    expect(app.reports).toMatchObject([
      {
        code: 'not_accepted',
        message: expect.stringContaining('was not accepted within request.acceptTimeoutMs (700 ms)'),
      },
    ]);
  });

  it('waits for 2,000 ms by default', async () => {
    const app = await start({ awaitAccepted: 'required' });
    const answer = app.send('/text');
    await until(() => app.sent.length === 1);
    await app.clock.advance(2_000);
    expect((await answer).status).toBe(503);
  });

  it('is no failure when the app itself does not want an event', async () => {
    const app = await start({ awaitAccepted: 'required' }, { processors: [() => []] });
    expect((await app.send('/text')).status).toBe(200);
    expect(app.reports).toStrictEqual([]);
  });

  it.each<[string, NestHttpOptions]>([
    ['a filter fails', { processors: [failing] }],
    ['an event is too large', { limits: { maxBytes: 100 } }],
  ])('is a 503 when %s', async (_what, options) => {
    const app = await start({ awaitAccepted: 'required' }, options);
    expect((await app.send('/text')).status).toBe(503);
  });

  it('is a 503 when there is no room within the block timeout', async () => {
    const app = await start(
      { awaitAccepted: 'required', acceptTimeoutMs: 9_000 },
      { limits: { maxPending: 1, blockTimeoutMs: 1_000 } },
    );
    const answer = app.send('/burst');
    await until(() => app.sent.length === 1);
    await turns(20);
    await app.clock.advance(1_000);
    app.sent[0]?.resolve();
    expect((await answer).status).toBe(503);
    expect(app.tracker.stats().backends['slow']?.dropped).toStrictEqual({
      overflow: 2,
    });
  });

  it('has events that wait for room instead of being dropped', async () => {
    const app = await start({ awaitAccepted: 'required' }, { limits: { maxPending: 1 } });
    const answer = app.send('/burst');
    for (let i = 0; i < 3; i++) {
      await until(() => app.sent.length === i + 1);
      app.sent[i]?.resolve();
    }
    expect((await answer).status).toBe(200);
    expect(app.tracker.stats().backends['slow']).toMatchObject({
      delivered: 3,
      dropped: {},
    });
  });

  it('has the outcome in its held events before it leaves', async () => {
    const app = await startNest(platform, {
      controllers: [Answers],
      request: { awaitAccepted: true, hold: true },
    });
    await app.send('/json', { method: 'POST' });
    expect(app.memory.events).toMatchObject([
      {
        name: 'answered',
        context: {
          request: { status: 201, durationMs: expect.any(Number) },
        },
      },
    ]);
  });

  it('asks keep once, before it leaves', async () => {
    const asked: unknown[] = [];
    let ends = 0;
    const app = await startNest(platform, {
      controllers: [Answers],
      request: {
        awaitAccepted: 'required',
        keep: ({ status, aborted }) => {
          asked.push([status, aborted, ends]);
          return false;
        },
        onEnd: () => {
          ends++;
        },
      },
    });
    expect((await app.send('/text')).status).toBe(200);
    await until(() => ends === 1);
    expect(asked).toStrictEqual([[200, false, 0]]);
    expect(app.tracker.stats().dropped).toStrictEqual({ outcome: 1 });
  });

  it('is summed up with the status that was sent', async () => {
    const statuses: unknown[] = [];
    const app = await start({
      awaitAccepted: 'required',
      acceptTimeoutMs: 1,
      flushAtEnd: false,
      onEnd: ({ status, aborted }) => {
        statuses.push([status, aborted]);
      },
    });
    const answer = app.send('/text');
    await until(() => app.sent.length === 1);
    await app.clock.advance(1);
    await answer;
    await until(() => statuses.length > 0);
    expect(statuses).toStrictEqual([[503, false]]);
  });

  it('has no status when its client goes away before it leaves', async () => {
    const ends: unknown[] = [];
    const app = await start({
      awaitAccepted: true,
      flushAtEnd: false,
      onEnd: (summary) => {
        ends.push(summary);
      },
    });
    const socket = await app.abort('/text');
    await until(() => app.sent.length === 1);
    await turns(20);
    socket.destroy();
    await until(() => ends.length > 0);
    expect(ends).toMatchObject([{ aborted: true, events: 1 }]);
    expect(ends[0]).not.toHaveProperty('status');
    app.sent[0]?.resolve();
    await turns(20);
    expect(app.reports).toStrictEqual([]);
  });
});

function failing(): never {
  throw new Error('no filter');
}
failing.failClosed = true;
