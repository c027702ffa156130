import type { NestModule } from '@nestjs/common';
import { Global, Inject, Module } from '@nestjs/common';
import { TrackingHost } from './tracking-host.js';

/**
 * What all instances of an app share, once. Global, so that its shutdown hooks run after those of the app's own modules.
 */
@Global()
@Module({ providers: [TrackingHost], exports: [TrackingHost] })
export class TrackingHostModule implements NestModule {
  constructor(@Inject(TrackingHost) private readonly host: TrackingHost) {}

  /** Global modules are configured before the others (Nest 11 and 12: `MiddlewareModule.resolveMiddleware`). */
  configure(): void {
    this.host.mountBeforeModules();
  }
}
