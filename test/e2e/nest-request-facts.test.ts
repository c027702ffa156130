import type { INestApplication, MiddlewareConsumer, NestModule } from '@nestjs/common';
import { Controller, Get, Module, Param, UseGuards, VersioningType } from '@nestjs/common';
import express from 'express';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { JsonObject, Tracker } from 'nestjs-tracking';
import { getTrackerToken, InjectTracker } from 'nestjs-tracking';
import { ADAPTERS, closeApps, nestApp } from '../support/nest-app.js';

class Emitting {
  constructor(@InjectTracker() protected readonly tracker: Tracker) {}
}

class EmittingGuard extends Emitting {
  canActivate(): boolean {
    this.tracker.emit('guard');
    return true;
  }
}

@Controller('things')
@UseGuards(EmittingGuard)
class Things extends Emitting {
  @Get(':id')
  show(@Param('id') id: string): string {
    this.tracker.emit('handler');
    return id;
  }
}

@Module({})
class WithMiddleware extends Emitting implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer
      .apply((_request: unknown, _response: unknown, next: () => void) => {
        this.tracker.emit('middleware');
        next();
      })
      .forRoutes('*path');
  }
}

afterEach(closeApps);

const requestOf = (event: { context: JsonObject }) => event.context['request'] as JsonObject;

describe.each(ADAPTERS)('the facts of a request on %s', (adapter) => {
  const facts = async (
    path: string,
    init: RequestInit = {},
    configure: (app: INestApplication) => unknown = () => undefined,
    request: object = {},
  ) => {
    const app = await nestApp(adapter).tracking({ request }).controllers(Things).with(configure).start();
    expect(await app.visit(path, init)).toBe(200);
    const { port } = new URL(app.url);
    return { facts: requestOf(await app.event('handler')), port, app };
  };

  it('are its method, path, route, host, agent and referer, and an id of ours', async () => {
    const { facts: request, port } = await facts('/things/7?token=secret', {
      headers: {
        'user-agent': 'curl',
        referer: 'https://shop.example/cart?token=secret#secret',
        'x-request-id': 'theirs',
        'x-forwarded-for': '6.6.6.6',
      },
    });
    expect(request).toStrictEqual({
      id: expect.stringMatching(/^[\da-f]{8}-[\da-f]{4}-7/),
      method: 'GET',
      path: '/things/7',
      route: '/things/:id',
      host: `127.0.0.1:${port}`,
      userAgent: 'curl',
      referer: 'https://shop.example/cart',
    });
  });

  it('are cut at 512 characters', async () => {
    const long = 'x'.repeat(600);
    const app = await nestApp(adapter).controllers(Things).module(WithMiddleware).start();
    await app.visit(`/${long}`, {
      headers: { 'user-agent': long, referer: `https://a/${long}` },
    });
    const request = requestOf(await app.event('middleware'));
    for (const key of ['path', 'userAgent', 'referer']) {
      expect(request[key]).toHaveLength(512);
    }
  });

  it('name the route with the global prefix and the version', async () => {
    @Controller({ path: 'shops/:shop/things', version: '2' })
    class Versioned extends Emitting {
      @Get(':id')
      show(): string {
        this.tracker.emit('handler');
        return 'ok';
      }
    }
    const app = await nestApp(adapter)
      .controllers(Versioned)
      .with((nest) => {
        nest.setGlobalPrefix('api');
        nest.enableVersioning({ type: VersioningType.URI });
      })
      .start();
    expect(await app.visit('/api/v2/shops/1/things/2?q=1')).toBe(200);
    expect(requestOf(await app.event('handler'))).toMatchObject({
      path: '/api/v2/shops/1/things/2',
      route: '/api/v2/shops/:shop/things/:id',
    });
  });

  it('learn the route as soon as there is one', async () => {
    const app = await nestApp(adapter).controllers(Things).module(WithMiddleware).start();
    await app.visit('/things/7');
    expect(requestOf(await app.event('guard'))['route']).toBe('/things/:id');
  });

  it('have the address of the client only if asked to', async () => {
    const { facts: request } = await facts('/things/7', {}, undefined, {
      ip: true,
    });
    expect(request['ip']).toMatch(/127\.0\.0\.1$/);
  });

  it('take the id that requestId answers, when it answers one', async () => {
    const requestId = ({ headers }: { headers: Record<string, string> }) => headers['x-request-id'];
    const { facts: given, app } = await facts(
      '/things/7',
      { headers: { 'x-request-id': 'theirs' } },
      undefined,
      { requestId },
    );
    expect(given['id']).toBe('theirs');
    app.memory.clear();
    await app.visit('/things/7');
    expect(requestOf(await app.event('handler'))['id']).toMatch(/^[\da-f]{8}-/);
  });

  it('are added to by enrich, which sees the request of the framework', async () => {
    const { facts: request } = await facts('/things/7', { headers: { 'x-tenant': 'acme' } }, undefined, {
      enrich: (source: { headers: Record<string, string>; query: object }) => ({
        tenant: source.headers['x-tenant'],
        query: typeof source.query,
      }),
    });
    expect(request).toMatchObject({
      path: '/things/7',
      tenant: 'acme',
      query: 'object',
    });
  });

  it('stay what they are when enrich fails, which is told once a request', async () => {
    const { facts: request, app } = await facts('/things/7', {}, undefined, {
      enrich: () => {
        throw new Error('no tenant');
      },
    });
    expect(request).toMatchObject({ method: 'GET', path: '/things/7' });
    expect(app.memory.events.length).toBeGreaterThan(1);
    expect(app.reports).toMatchObject([{ code: 'callback_failed', path: 'request.enrich' }]);
  });
});

describe('an Express app that is mounted on Nest', () => {
  it('has the scope, its whole route, and the address that a trusted proxy tells', async () => {
    const app = await nestApp('express')
      .tracking({ request: { ip: true } })
      .controllers(Things)
      .with((nest) => {
        const server = nest.getHttpAdapter().getInstance() as express.Express;
        server.set('trust proxy', true);
        const mounted = express();
        mounted.get('/items/:item', (_request, response) => {
          nest.get<Tracker>(getTrackerToken()).emit('mounted');
          response.send('ok');
        });
        nest.use('/mounted', mounted);
      })
      .start();
    await app.visit('/mounted/items/7?x=1', {
      headers: { 'x-forwarded-for': '9.9.9.9' },
    });
    expect(requestOf(await app.event('mounted'))).toMatchObject({
      path: '/mounted/items/7',
      route: '/mounted/items/:item',
      ip: '9.9.9.9',
    });
  });
});
