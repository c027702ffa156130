import type { ArgumentsHost, CanActivate, ExecutionContext, INestApplication } from '@nestjs/common';
import {
  Catch,
  Controller,
  Get,
  HttpException,
  Module,
  Param,
  Post,
  Scope,
  SetMetadata,
  VersioningType,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, BaseExceptionFilter, HttpAdapterHost } from '@nestjs/core';
import { RouteConfig } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import type { FastifyInstance } from 'fastify';
import type { Server } from 'node:http';
import { request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { JsonValue, Tracker } from 'nestjs-tracking';
import { InjectTracker, TrackingModule } from 'nestjs-tracking';
import { memoryBackend } from 'nestjs-tracking/testing';
import type { AdapterName, RunningApp } from '../support/nest-app.js';
import { ADAPTERS, closeApps, nestApp } from '../support/nest-app.js';

class Emitting {
  constructor(@InjectTracker() protected readonly tracker: Tracker) {}
}

@Controller('things')
class Things extends Emitting {
  @Get(':id')
  show(@Param('id') id: string): string {
    this.tracker.emit('handler');
    return id;
  }

  @Post()
  create(): void {
    this.tracker.emit('handler');
  }
}

/** Sees what no route took. */
@Catch(HttpException)
class EmittingFilter extends BaseExceptionFilter {
  constructor(
    @InjectTracker() private readonly tracker: Tracker,
    host: HttpAdapterHost,
  ) {
    super(host.httpAdapter);
  }

  override catch(error: unknown, host: ArgumentsHost): void {
    this.tracker.emit('filter');
    super.catch(error, host);
  }
}
Reflect.defineMetadata('design:paramtypes', [Object, HttpAdapterHost], EmittingFilter);

const filtered = { provide: APP_FILTER, useClass: EmittingFilter };

afterEach(closeApps);

const booted = (adapter: AdapterName) => nestApp(adapter).providers(filtered).controllers(Things);

/** The handlers that the events of a name tell of. */
const handlersOf = ({ memory }: Pick<RunningApp, 'memory'>, name: string): (JsonValue | undefined)[] =>
  memory.events.filter((event) => event.name === name).map(({ context }) => context['handler']);

const http = (type: string, method: string) => ({
  kind: 'http',
  class: type,
  method,
});

describe.each(ADAPTERS)('the handler in the context on %s', (adapter) => {
  it('is not known to guards yet, also not to one that lets the request pass', async () => {
    class First extends Emitting implements CanActivate {
      canActivate(): boolean {
        this.tracker.emit('guard');
        return true;
      }
    }
    @Module({ providers: [{ provide: APP_GUARD, useClass: First }] })
    class Guards {}
    const app = await nestApp(adapter).imports(Guards).controllers(Things).start();
    await app.visit('/things/7');
    expect(handlersOf(app, 'guard')).toStrictEqual([undefined]);
    expect(handlersOf(app, 'handler')).toStrictEqual([http('Things', 'show')]);
  });

  it('is there for each method and path, with a prefix and a body', async () => {
    const app = await booted(adapter)
      .with((nest: INestApplication) => nest.setGlobalPrefix('api'))
      .start();
    await app.visit('/api/things/7');
    await app.visit('/api/things', {
      method: 'POST',
      body: '{"a":1}',
      headers: { 'content-type': 'application/json' },
    });
    expect(handlersOf(app, 'handler')).toStrictEqual([http('Things', 'show'), http('Things', 'create')]);
  });

  it('is none where no route matches', async () => {
    const app = await booted(adapter).start();
    expect(await app.visit('/nothing')).toBe(404);
    expect(await app.visit('/things/7/8')).toBe(404);
    expect(handlersOf(app, 'filter')).toStrictEqual([undefined, undefined]);
  });

  it('is that of a controller that is made for each request', async () => {
    @Controller({ path: 'scoped', scope: Scope.REQUEST })
    class Scoped extends Emitting {
      @Get()
      list(): void {
        this.tracker.emit('handler');
      }
    }
    const app = await nestApp(adapter).controllers(Scoped).start();
    await app.visit('/scoped');
    expect(handlersOf(app, 'handler')).toStrictEqual([http('Scoped', 'list')]);
  });

  it('names the controller that was asked where two have one method of a common class', async () => {
    class Crud extends Emitting {
      @Get()
      list(): void {
        this.tracker.emit('handler');
      }
    }
    @Controller('cats')
    class Cats extends Crud {}
    @Controller('dogs')
    class Dogs extends Crud {}
    const app = await nestApp(adapter).controllers(Cats, Dogs).start();
    await app.visit('/dogs');
    await app.visit('/cats');
    expect(handlersOf(app, 'handler')).toStrictEqual([http('Dogs', 'list'), http('Cats', 'list')]);
  });

  it.each([
    ['1', [http('Old', 'list')], []],
    ['2', [http('New', 'find')], []],
    ['3', [], [undefined]],
  ])('is the one of the version that was asked for: %s', async (version, handlers, refused) => {
    @Controller({ path: 'items', version: '1' })
    class Old extends Emitting {
      @Get()
      list(): void {
        this.tracker.emit('handler');
      }
    }
    @Controller({ path: 'items', version: '2' })
    class New extends Emitting {
      @Get()
      find(): void {
        this.tracker.emit('handler');
      }
    }
    const app = await nestApp(adapter)
      .providers(filtered)
      .controllers(Old, New)
      .with((nest: INestApplication) =>
        nest.enableVersioning({
          type: VersioningType.HEADER,
          header: 'x-version',
        }),
      )
      .start();
    await app.visit('/items', { headers: { 'x-version': version } });
    expect(handlersOf(app, 'handler')).toStrictEqual(handlers);
    expect(handlersOf(app, 'filter')).toStrictEqual(refused);
  });

  it('is none where the route serves another host', async () => {
    @Controller({ path: 'hosted', host: 'admin.example' })
    class Hosted extends Emitting {
      @Get()
      list(): void {
        this.tracker.emit('handler');
      }
    }
    const app = await nestApp(adapter).providers(filtered).controllers(Hosted).start();
    expect(await visitAs(app, 'other.example', '/hosted')).toBe(404);
    expect(await visitAs(app, 'admin.example', '/hosted')).toBe(200);
    expect(handlersOf(app, 'filter')).toStrictEqual([undefined]);
    expect(handlersOf(app, 'handler')).toStrictEqual([http('Hosted', 'list')]);
  });

  it('is there in an app of the testing module', async () => {
    const memory = memoryBackend();
    const module = await Test.createTestingModule({
      imports: [TrackingModule.forRoot({ backends: { memory } })],
      controllers: [Things],
    }).compile();
    const made = await nestApp(adapter).create();
    const app = module.createNestApplication(made.getHttpAdapter(), {
      logger: false,
    });
    await app.listen(0, '127.0.0.1');
    const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
    await fetch(`http://127.0.0.1:${port}/things/7`);
    await app.close();
    expect(handlersOf({ memory }, 'handler')).toStrictEqual([http('Things', 'show')]);
  });
});

describe.each(ADAPTERS)('the execution that `user` is given on %s', (adapter) => {
  it('is that of the handler, and not there in a guard', async () => {
    const seen: unknown[] = [];
    class First extends Emitting implements CanActivate {
      canActivate(): boolean {
        this.tracker.emit('guard');
        return true;
      }
    }
    @Controller()
    class Shop extends Emitting {
      @Get('shop')
      @SetMetadata('roles', ['buyer'])
      open(): string {
        this.tracker.emit('handler');
        return 'open';
      }
    }
    const app = await nestApp(adapter)
      .providers({ provide: APP_GUARD, useClass: First })
      .tracking({
        request: {
          user: (source, execution?: ExecutionContext) => {
            if (execution === undefined) {
              seen.push(undefined);
              return undefined;
            }
            seen.push({
              type: execution.getType(),
              class: execution.getClass(),
              roles: Reflect.getMetadata('roles', execution.getHandler()) as unknown,
              request: execution.switchToHttp().getRequest<unknown>() === source,
            });
            return 'ann';
          },
        },
      })
      .controllers(Shop)
      .start();
    await app.visit('/shop');
    expect(seen).toStrictEqual([undefined, { type: 'http', class: Shop, roles: ['buyer'], request: true }]);
    expect((await app.event('guard')).context).not.toHaveProperty('user');
    expect((await app.event('handler')).context).toMatchObject({ user: { id: 'ann' } });
  });
});

describe("the config of Fastify's routes", () => {
  it('keeps what the app put there', async () => {
    @Controller()
    class Configured extends Emitting {
      @Get('configured')
      @RouteConfig({ limit: 7 })
      show(): void {
        this.tracker.emit('handler');
      }
    }
    let config: unknown;
    const app = await nestApp('fastify')
      .controllers(Configured)
      .with((nest: INestApplication) => {
        const fastify = nest.getHttpAdapter().getInstance() as FastifyInstance;
        fastify.addHook('preHandler', (request, _reply, done) => {
          ({ config } = request.routeOptions);
          done();
        });
      })
      .start();
    await app.visit('/configured');
    expect(config).toMatchObject({ limit: 7, url: '/configured' });
    expect(handlersOf(app, 'handler')).toStrictEqual([http('Configured', 'show')]);
  });
});

/** `fetch` sets the host itself. */
function visitAs({ url }: RunningApp, host: string, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    httpRequest(`${url}${path}`, { headers: { host } }, (response) => {
      response.resume().on('end', () => {
        resolve(response.statusCode);
      });
    })
      .on('error', reject)
      .end();
  });
}
