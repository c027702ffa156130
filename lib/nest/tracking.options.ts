import type { ExecutionContext } from '@nestjs/common';
import type { TrackerOptions } from '../core/create-tracker.js';
import { boolean, isRecord, milliseconds, nonEmptyString, object, optional, value } from '../core/options.js';
import type { ProcessorSpec } from '../core/processor.js';
import type { Identity, RequestOptions, RequestSource } from '../express/request-options.js';
import { readRequestOptions } from '../express/request-options.js';
import type { Metrics } from '../metrics/metrics.js';

/** What is recorded about requests, and what happens at their end. */
export interface TrackingRequestOptions extends Omit<RequestOptions, 'user' | 'session'> {
  /**
   * Asked at each emit until it is known. Default: the id of `source.user` (`id`, `sub` or `userId`) alone.
   *
   * @param source the framework's request; the client of a gateway, the context of an RPC message
   * @param execution once a handler was reached
   */
  user?(source: RequestSource, execution?: ExecutionContext): Identity;
  /**
   * Asked at each emit until it is known. Default: a hash of `source.session.id`, else of `source.sessionID`; nothing while
   * a session is new and unsaved.
   */
  session?(source: RequestSource, execution?: ExecutionContext): Identity;
}

/** What an app writes in `TrackingModule.forRoot`. */
export interface TrackingModuleOptions extends TrackerOptions {
  readonly request?: TrackingRequestOptions;
  /** What `Metrics`, or `@InjectMetrics()`, injects. Closed by the module, after the tracker. */
  readonly metrics?: Metrics;
  /**
   * How long a shutdown may take, from `beforeApplicationShutdown` on, for all instances together. The longest of the
   * instances counts. Default 8,000: below the usual grace of 30 s.
   */
  readonly shutdownTimeoutMs?: number;
}

/** Options beside those of the core. */
export const moduleOptions = {
  request: readRequestOptions,
  metrics: optional(
    value<Metrics>(
      'what createMetrics() returns',
      (given) => isRecord(given) && typeof given['increment'] === 'function',
    ),
  ),
  shutdownTimeoutMs: optional(milliseconds, 8_000),
};

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

export const readExtras = object({
  isGlobal: boolean,
  name: nonEmptyString,
  middleware: boolean,
  interceptor: boolean,
});

/** What `useClass` and `useExisting` of `forRootAsync` name. */
export interface TrackingOptionsFactory {
  createTrackingOptions(): TrackingModuleOptions | Promise<TrackingModuleOptions>;
}

export interface TrackingFeatureOptions {
  /** A frame under everything that this module emits. */
  readonly context?: object;
  /** Run on this module's events, before the tracker's own. */
  readonly processors?: readonly ProcessorSpec[];
  /** The instance of `forRoot` that the tracker is a child of, injected under the same name. Default: `default`. */
  readonly name?: string;
}
