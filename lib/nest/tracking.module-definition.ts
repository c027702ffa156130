import type { DynamicModule, Provider } from '@nestjs/common';
import { ConfigurableModuleBuilder } from '@nestjs/common';
import { APP_INTERCEPTOR, ModuleRef } from '@nestjs/core';
import { Tracker } from '../core/tracker.js';
import { Metrics } from '../metrics/metrics.js';
import { absentMetrics } from './absent-metrics.js';
import { TrackingInterceptor } from './scope.interceptor.js';
import type { DeclaredInstance } from './tracking-host.js';
import { TRACKING_EXTRAS, TrackingHost } from './tracking-host.js';
import { TrackingHostModule } from './tracking-host.module.js';
import type { TrackingExtras, TrackingModuleOptions } from './tracking.options.js';
import { DEFAULT_NAME, getMetricsToken, getTrackerToken, rootTrackerToken } from './tracking.tokens.js';

const DEFAULT_EXTRAS: Required<TrackingExtras> = {
  isGlobal: true,
  name: DEFAULT_NAME,
  middleware: true,
  interceptor: true,
};

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<TrackingModuleOptions>({ moduleName: 'Tracking' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createTrackingOptions')
    .setExtras<TrackingExtras>(DEFAULT_EXTRAS, (definition, extras) =>
      withTracker(definition, { ...given(extras), host: TrackingHost }),
    )
    .build();

/** The builder fills in what is missing, not what is there and undefined. */
function given({
  isGlobal = DEFAULT_EXTRAS.isGlobal,
  name = DEFAULT_EXTRAS.name,
  middleware = DEFAULT_EXTRAS.middleware,
  interceptor = DEFAULT_EXTRAS.interceptor,
}: TrackingExtras): Required<TrackingExtras> {
  return { isGlobal, name, middleware, interceptor };
}

function withTracker(definition: DynamicModule, extras: DeclaredInstance): DynamicModule {
  const { name } = extras;
  const root = rootTrackerToken(name);
  const providers: Provider[] = [
    { provide: TRACKING_EXTRAS, useValue: extras },
    {
      provide: root,
      inject: [TrackingHost, MODULE_OPTIONS_TOKEN, ModuleRef],
      useFactory: (
        host: TrackingHost,
        options: TrackingModuleOptions,
        moduleRef: ModuleRef,
      ): Promise<Tracker> => host.start(options, given(extras), moduleRef),
    },
    { provide: getTrackerToken(name), useExisting: root },
    {
      provide: getMetricsToken(name),
      inject: [MODULE_OPTIONS_TOKEN],
      // A factory that returned no options at all is reported by the tracker's boot.
      useFactory: (options: TrackingModuleOptions | null): Metrics => options?.metrics ?? absentMetrics(name),
    },
    ...byType(name),
  ];
  const exported = [
    getTrackerToken(name),
    getMetricsToken(name),
    ...byType(name).map(({ provide }) => provide),
  ];
  return {
    ...definition,
    global: extras.isGlobal,
    imports: [...(definition.imports ?? []), TrackingHostModule],
    providers: [...(definition.providers ?? []), ...providers, ...interceptor(extras)],
    exports: exported,
  };
}

/** The default instance is injected by its type alone. */
function byType(name: string) {
  return name === DEFAULT_NAME
    ? [
        { provide: Tracker, useExisting: getTrackerToken() },
        { provide: Metrics, useExisting: getMetricsToken() },
      ]
    : [];
}

/** Without the middleware the interceptor opens the scopes, whether or not they show handlers. */
function interceptor({ middleware, interceptor: isWanted }: Required<TrackingExtras>): Provider[] {
  return isWanted || !middleware ? [{ provide: APP_INTERCEPTOR, useClass: TrackingInterceptor }] : [];
}
