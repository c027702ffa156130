import type { NestModule, OnModuleInit } from '@nestjs/common';
import { Global, Inject, Module, Optional } from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { ExecutionDoor } from './execution-door.js';
import { HandlerGuard } from './handler.guard.js';
import { HttpDoor } from './http-door.js';
import { RouteHandlers } from './route-handlers.js';
import { TrackingHost } from './tracking-host.js';
import { TrackingInterceptor } from './tracking.interceptor.js';

/**
 * What all instances of an app share, once. Global, so that its shutdown hooks run after those of the app's modules.
 */
@Global()
@Module({
  providers: [
    TrackingHost,
    ExecutionDoor,
    {
      provide: RouteHandlers,
      inject: [TrackingHost, ExecutionDoor],
      useFactory: async (host: TrackingHost, door: ExecutionDoor): Promise<RouteHandlers | null> => {
        await host.ready();
        if (!door.tracksHandlers || host.enricher?.extras.middleware !== true) {
          return null;
        }
        const handlers = new RouteHandlers(host.modules);
        if (!handlers.suffice) {
          return null;
        }
        handlers.mark();
        return handlers;
      },
    },
    {
      provide: HttpDoor,
      inject: [TrackingHost, RouteHandlers],
      useFactory: async (host: TrackingHost, handlers: RouteHandlers | null): Promise<HttpDoor | null> => {
        await host.ready();
        const { enricher, adapter } = host;
        if (enricher?.extras.middleware !== true) {
          return null;
        }
        const door = new HttpDoor(enricher.requests, handlers ?? undefined);
        if (adapter !== undefined) {
          door.open(adapter);
        }
        return door;
      },
    },
    {
      provide: APP_GUARD,
      inject: [TrackingHost, ExecutionDoor, RouteHandlers],
      useFactory: async (
        host: TrackingHost,
        door: ExecutionDoor,
        handlers: RouteHandlers | null,
      ): Promise<HandlerGuard | null> => {
        await host.ready();
        return handlers === null && door.tracksHandlers ? new HandlerGuard(door) : null;
      },
    },
    {
      provide: APP_INTERCEPTOR,
      inject: [TrackingHost, ExecutionDoor],
      useFactory: async (host: TrackingHost, door: ExecutionDoor): Promise<TrackingInterceptor | null> => {
        await host.ready();
        // Nest leaves `null` out: an interceptor around every handler costs more than all the rest of this package.
        return door.needsInterceptor ? new TrackingInterceptor(door) : null;
      },
    },
  ],
  exports: [TrackingHost, ExecutionDoor],
})
export class TrackingHostModule implements NestModule, OnModuleInit {
  constructor(
    @Inject(TrackingHost) private readonly host: TrackingHost,
    @Optional() @Inject(HttpDoor) private readonly door: HttpDoor | null,
  ) {}

  /** The moment before Nest mounts the middleware of the app's modules. */
  configure(): void {
    const { adapter, modules } = this.host;
    if (adapter !== undefined) {
      const withMiddleware = [...modules.values()].some(
        ({ instance }) =>
          !(instance instanceof TrackingHostModule) &&
          typeof (instance as Partial<NestModule> | undefined)?.configure === 'function',
      );
      this.door?.reopen(adapter, withMiddleware);
    }
  }

  /** The moment after Nest has mounted its routes, before it mounts what answers where there is none. */
  onModuleInit(): void {
    const { adapter } = this.host;
    if (adapter !== undefined) {
      this.door?.close(adapter);
    }
  }
}
