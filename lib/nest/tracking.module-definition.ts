import type { DynamicModule, Provider } from '@nestjs/common';
import { ConfigurableModuleBuilder } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { Tracker } from '../core/tracker.js';
import { Metrics } from '../metrics/metrics.js';
import { absentMetrics } from './absent-metrics.js';
import { getMetricsToken } from './metrics.tokens.js';
import { DEFAULT_NAME, getTrackerToken, rootTrackerToken } from './tracker.tokens.js';
import { TRACKING_EXTRAS, TrackingHost } from './tracking-host.js';
import { TrackingHostModule } from './tracking-host.module.js';
import type { TrackingExtras, TrackingModuleOptions } from './tracking.options.js';

const DEFAULT_EXTRAS: Required<TrackingExtras> = {
  isGlobal: true,
  name: DEFAULT_NAME,
  middleware: true,
  interceptor: true,
};

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<TrackingModuleOptions>({
    moduleName: 'Tracking',
  })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createTrackingOptions')
    .setExtras<TrackingExtras>(DEFAULT_EXTRAS, (definition, extras) => withTracker(definition, given(extras)))
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

function withTracker(definition: DynamicModule, extras: Required<TrackingExtras>): DynamicModule {
  const root = rootTrackerToken(extras.name);
  const providers: Provider[] = [
    { provide: TRACKING_EXTRAS, useValue: extras },
    {
      provide: root,
      inject: [TrackingHost, MODULE_OPTIONS_TOKEN, ModuleRef],
      useFactory: (
        host: TrackingHost,
        options: TrackingModuleOptions,
        moduleRef: ModuleRef,
      ): Promise<Tracker> => host.start(options, extras, moduleRef),
    },
    { provide: getTrackerToken(extras.name), useExisting: root },
    {
      provide: getMetricsToken(extras.name),
      inject: [MODULE_OPTIONS_TOKEN],
      // A factory that answered no options at all is told by the tracker's boot.
      useFactory: (options: TrackingModuleOptions | null): Metrics =>
        options?.metrics ?? absentMetrics(extras.name),
    },
    ...byType(extras.name),
  ];
  return {
    ...definition,
    global: extras.isGlobal,
    imports: [...(definition.imports ?? []), TrackingHostModule],
    providers: [...(definition.providers ?? []), ...providers],
    exports: [
      getTrackerToken(extras.name),
      getMetricsToken(extras.name),
      ...byType(extras.name).map(({ provide }) => provide),
    ],
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
