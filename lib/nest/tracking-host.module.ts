import type { NestModule } from '@nestjs/common';
import { Global, Inject, Module } from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR, HttpAdapterHost } from '@nestjs/core';
import { ExecutionDoor } from './execution-door.js';
import { HandlerGuard } from './handler.guard.js';
import { openHttpDoor } from './http-door.js';
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
      provide: APP_GUARD,
      inject: [TrackingHost, ExecutionDoor],
      useFactory: async (
        host: TrackingHost,
        door: ExecutionDoor,
      ): Promise<HandlerGuard | null> => {
        await host.ready();
        return door.tracksHandlers ? new HandlerGuard(door) : null;
      },
    },
    {
      provide: APP_INTERCEPTOR,
      inject: [TrackingHost, ExecutionDoor],
      useFactory: async (
        host: TrackingHost,
        door: ExecutionDoor,
      ): Promise<TrackingInterceptor | null> => {
        await host.ready();
        // Nest leaves `null` out: an interceptor around every handler costs more than all the rest of this package.
        return door.needsInterceptor ? new TrackingInterceptor(door) : null;
      },
    },
  ],
  exports: [TrackingHost, ExecutionDoor],
})
export class TrackingHostModule implements NestModule {
  constructor(
    @Inject(TrackingHost) private readonly host: TrackingHost,
    @Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost,
  ) {}

  /** The moment before Nest mounts the middleware of the app's modules. */
  configure(): void {
    const { enricher, modules } = this.host;
    if (enricher?.extras.middleware === true && this.host.servesHttp()) {
      const otherMiddleware = [...modules.values()].some(
        ({ instance }) =>
          !(instance instanceof TrackingHostModule) &&
          typeof (instance as Partial<NestModule> | undefined)?.configure ===
            'function',
      );
      openHttpDoor(
        this.adapterHost.httpAdapter,
        enricher.requests,
        otherMiddleware,
      );
    }
  }
}
