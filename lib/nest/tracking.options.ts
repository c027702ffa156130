import type { ExecutionContext } from '@nestjs/common';
import type { ProcessorSpec } from '../core/processor.js';
import type { TrackerOptions } from '../core/tracker-options.js';
import type { Problems } from '../core/options.js';
import { isRecord } from '../core/options.js';
import type { Identity, RequestOptions, RequestSource } from '../express/request-options.js';
import { checkRequestOptions } from '../express/request-options.js';
import type { Metrics } from '../metrics/metrics.js';

/** What is recorded about requests, and what happens at their end. */
export interface TrackingRequestOptions extends Omit<RequestOptions, 'user' | 'session'> {
  /**
   * Asked at each emit until it answers. Default: the id of `source.user` (`id`, `sub` or `userId`) alone.
   *
   * @param source the framework's request; the client of a gateway, the context of an RPC message
   * @param execution once a handler was reached
   */
  user?(source: RequestSource, execution?: ExecutionContext): Identity;
  /** Asked at each emit until it answers. Default: `source.session.id`, else `source.sessionID`. */
  session?(source: RequestSource, execution?: ExecutionContext): Identity;
}

/** What an app writes in `TrackingModule.forRoot`. */
export interface TrackingModuleOptions extends TrackerOptions {
  readonly request?: TrackingRequestOptions;
  /** What `@InjectMetrics()` injects. Closed by the module, after the tracker. */
  readonly metrics?: Metrics;
  /**
   * How long a shutdown may take, from `beforeApplicationShutdown` on, for all instances together. The longest of the
   * instances counts. Default 8,000: below the usual grace of 30 s.
   */
  readonly shutdownTimeoutMs?: number;
}

/** What must be known before the options are, beside them in `forRoot` and `forRootAsync`. */
export interface TrackingExtras {
  /** Whether every module sees the tracker without importing this one. Default: true. */
  readonly isGlobal?: boolean;
  /** For several trackers in one app. Default: `default`. */
  readonly name?: string;
  /** Whether scopes open before guards. Default: true; else the interceptor opens them. */
  readonly middleware?: boolean;
  /** Whether handlers are known to events, and `@Track` works. Default: true. */
  readonly interceptor?: boolean;
}

/** What `useClass` and `useExisting` of `forRootAsync` name. */
export interface TrackingOptionsFactory {
  createTrackingOptions(): TrackingModuleOptions | Promise<TrackingModuleOptions>;
}

export interface TrackingFeatureOptions {
  /** A frame under everything that this module emits. */
  readonly context?: object;
  /** Run on this module's events, before the tracker's own. */
  readonly processors?: readonly ProcessorSpec[];
  /** The name under which the tracker is injected; that of an instance of `forRoot` makes it a child of that one. */
  readonly name?: string;
}

export const DEFAULT_SHUTDOWN_TIMEOUT_MS = 8_000;

/** Options beside those of the core. */
export const MODULE_OPTIONS: readonly string[] = ['request', 'metrics', 'shutdownTimeoutMs'];

export function checkExtras(
  { name, isGlobal, middleware, interceptor }: Required<TrackingExtras>,
  problems: Problems,
): void {
  if (typeof name !== 'string' || name === '') {
    problems.add('name', 'a text that is not empty', name);
  }
  for (const [key, value] of Object.entries({
    isGlobal,
    middleware,
    interceptor,
  })) {
    problems.boolean(key, value);
  }
}

export function checkModuleOptions(options: Partial<TrackingModuleOptions>, problems: Problems): void {
  checkRequestOptions(options.request, 'request', problems);
  problems.optional<unknown>(options.metrics, (value) => {
    if (!isRecord(value) || typeof value['increment'] !== 'function') {
      problems.add('metrics', 'what createMetrics() answers', value);
    }
  });
  problems.optional(options.shutdownTimeoutMs, (value) => {
    problems.milliseconds('shutdownTimeoutMs', value);
  });
}
