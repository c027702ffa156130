import type {
  BeforeApplicationShutdown,
  OnApplicationBootstrap,
  OnApplicationShutdown,
} from '@nestjs/common';
import { Inject, Injectable, Logger } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import { HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import type { Clock } from '../core/clock.js';
import { draftTracker } from '../core/create-tracker.js';
import { describeValue } from '../core/describe.js';
import { TrackingError } from '../core/errors.js';
import { isRecord, Problems } from '../core/options.js';
import type { ScopedTracker } from '../core/scoped-tracker.js';
import type { Tracker } from '../core/tracker.js';
import { RequestTracking } from '../express/request-tracking.js';
import type { ReadRequestOptions } from '../express/request-options.js';
import type { Metrics } from '../metrics/metrics.js';
import { atBoot, createInstances } from './class-instances.js';
import type { HttpAdapter } from './http.middleware.js';
import { mountAgain, mountFirst } from './http.middleware.js';
import type { Closable } from './shutdown.js';
import { Shutdown } from './shutdown.js';
import type { TrackingExtras, TrackingFeatureOptions, TrackingModuleOptions } from './tracking.options.js';
import { moduleOptions, readExtras } from './tracking.options.js';
import { DEFAULT_NAME } from './tracking.tokens.js';

/** Where each `forRoot` says what must be known before its options are; also to other copies of this package. */
export const TRACKING_EXTRAS = Symbol.for('nestjs-tracking:extras');

/** What stands there. */
export interface DeclaredInstance extends Required<TrackingExtras> {
  /** Of this copy of the package. */
  readonly host: typeof TrackingHost;
}

/** One `forRoot` of an app. */
export interface TrackingInstance extends Closable {
  readonly extras: Required<TrackingExtras>;
  readonly requests: RequestTracking;
}

/** Knows all instances of one app: which of them follows its requests, and how they shut down together. */
@Injectable()
export class TrackingHost
  implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown
{
  private readonly instances = new Map<string, TrackingInstance>();
  private readonly waiting: (() => void)[] = [];
  private mounted: HttpAdapter | undefined;
  private readonly shutdown = new Shutdown();

  constructor(
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
    @Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost,
  ) {}

  /** Starts the tracker of one `forRoot`. */
  async start(
    options: TrackingModuleOptions,
    extras: Required<TrackingExtras>,
    moduleRef: ModuleRef,
  ): Promise<ScopedTracker> {
    const { name } = extras;
    if (this.declared().filter((declared) => declared.name === name).length > 1) {
      throw new TrackingError(
        'invalid_options',
        `TrackingModule.forRoot is imported twice under the name ${JSON.stringify(name)}; give one of them another name`,
      );
    }
    const problems = new Problems();
    readExtras(extras, '', problems);
    const logger = new Logger('TrackingModule');
    const draft = draftTracker(options, {
      name,
      options: moduleOptions,
      problems,
      write: (line) => {
        logger.warn(line);
      },
    });
    const { clock, request, metrics, shutdownTimeoutMs } = draft.options as {
      readonly clock: Clock | undefined;
      readonly request: ReadRequestOptions;
      readonly metrics: Metrics | undefined;
      readonly shutdownTimeoutMs: number;
    };
    if (options.request !== undefined && name !== this.requestInstanceName()) {
      problems.addLine(
        'request',
        `only the instance named ${JSON.stringify(DEFAULT_NAME)}, or the only one, follows requests, not ${JSON.stringify(name)}`,
      );
    }
    if (request.awaitAccepted !== false && !extras.interceptor) {
      problems.addLine(
        'request.awaitAccepted',
        'needs the interceptor, which `interceptor: false` leaves out',
      );
    }
    await createInstances(draft.reader.classes, moduleRef, this.modules, clock);
    const tracker = draft.finish();
    const requests = new RequestTracking(tracker, request);
    this.instances.set(name, { extras, tracker, metrics, requests, shutdownTimeoutMs });
    if (name === this.requestInstanceName() && extras.middleware) {
      this.mountWhenThere(requests);
    }
    for (const resolve of this.waiting.splice(0)) {
      resolve();
    }
    return tracker;
  }

  /** The instance that opens the scopes of requests: the default one, or the only one. Asked at each request. */
  get requestInstance(): TrackingInstance | undefined {
    const name = this.instances.size === 1 ? this.requestInstanceName() : DEFAULT_NAME;
    return name === undefined ? undefined : this.instances.get(name);
  }

  /** Whether `@Track` acts; also where no instance follows requests. */
  get performsTrack(): boolean {
    return this.requestInstance?.extras.interceptor !== false;
  }

  /** Derives the tracker of one `forFeature`. */
  async startFeature(
    { name = DEFAULT_NAME, ...options }: TrackingFeatureOptions,
    moduleRef: ModuleRef,
  ): Promise<Tracker> {
    await atBoot(
      this.ready(),
      'TrackingModule.forRoot; do its options need the tracker of a TrackingModule.forFeature?',
    );
    const parent = this.instances.get(name);
    if (parent === undefined) {
      throw new TrackingError('invalid_options', this.missing(name));
    }
    const draft = parent.tracker.draftChild(options, new Problems());
    await createInstances(draft.reader.classes, moduleRef, this.modules);
    return draft.finish();
  }

  /** From now on nobody can mark the events of everybody. Not yet: the hooks of the app run after this one. */
  onApplicationBootstrap(): void {
    this.warnWithoutRequestInstance();
    if (this.adapter !== undefined) {
      this.adapterHost.listen$.subscribe(() => {
        for (const { tracker } of this.instances.values()) {
          tracker.seal();
        }
      });
    }
  }

  beforeApplicationShutdown(): void {
    this.shutdown.begin([...this.instances.values()], this.othersWithHooks());
  }

  async onApplicationShutdown(): Promise<void> {
    await this.shutdown.finish([...this.instances.values()]);
  }

  /** In front of the middleware of Nest's modules. */
  mountBeforeModules(): void {
    const instance = this.requestInstance;
    if (instance?.extras.middleware === true && this.mounted !== undefined) {
      mountAgain(this.mounted, instance.requests);
    }
  }

  /** Nest's testing module learns its adapter only when the app is created. */
  private mountWhenThere(requests: RequestTracking): void {
    this.adapterHost.init$.subscribe(() => {
      const { adapter } = this;
      if (adapter !== undefined && this.mounted !== adapter) {
        this.mounted = adapter;
        mountFirst(adapter, requests);
      }
    });
  }

  /** Absent in microservices and standalone apps. */
  private get adapter(): HttpAdapter | undefined {
    // Nest's types do not say that there may be none, or one that does nothing.
    const adapter: unknown = this.adapterHost.httpAdapter;
    return isRecord(adapter) &&
      typeof adapter['getType'] === 'function' &&
      typeof adapter['use'] === 'function'
      ? this.adapterHost.httpAdapter
      : undefined;
  }

  /** Resolves when every `forRoot` of the app has started. */
  private async ready(): Promise<void> {
    while (this.instances.size < this.declared().length) {
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  /** What each `forRoot` said about itself; known before any of them has started. */
  private declared(ofThisCopy = true): readonly DeclaredInstance[] {
    return [...this.modules.values()]
      .map((module) => module.providers.get(TRACKING_EXTRAS)?.instance)
      .filter((extras): extras is DeclaredInstance => isRecord(extras))
      .filter(({ host }) => (host === TrackingHost) === ofThisCopy);
  }

  private requestInstanceName(): string | undefined {
    const names = this.declared().map(({ name }) => name);
    return names.length === 1 ? names[0] : names.find((name) => name === DEFAULT_NAME);
  }

  private missing(name: string): string {
    if (this.declared(false).length > 0) {
      return 'TrackingModule.forFeature finds no TrackingModule.forRoot of its own copy of nestjs-tracking: the app has two copies of the package, and forRoot is of the other one; install one';
    }
    const known = [...this.instances.keys()];
    return known.length === 0
      ? 'TrackingModule.forFeature needs TrackingModule.forRoot in the app: there is none'
      : `TrackingModule.forFeature({ name: ${describeValue(name)} }): there is no TrackingModule.forRoot of that name; known are ${known.join(', ')}`;
  }

  /** Nothing else would tell: events just have no request. */
  private warnWithoutRequestInstance(): void {
    if (this.instances.size > 0 && this.requestInstance === undefined) {
      const names = [...this.instances.keys()].map((name) => describeValue(name));
      new Logger('TrackingModule').warn(
        `none of the instances ${names.join(', ')} is named ${describeValue(DEFAULT_NAME)}: events carry no request, user, session or handler; leave out the name of the one that shall follow requests`,
      );
    }
  }

  /** Everything else in the app that does something at its end. */
  private othersWithHooks(): object[] {
    const found = new Set<object>();
    for (const { providers, controllers, injectables, middlewares } of this.modules.values()) {
      for (const { instance } of [
        ...providers.values(),
        ...controllers.values(),
        ...injectables.values(),
        ...middlewares.values(),
      ]) {
        const hook: unknown = (instance as Partial<OnApplicationShutdown> | undefined)?.onApplicationShutdown;
        if (typeof hook === 'function' && instance !== this) {
          found.add(instance as object);
        }
      }
    }
    return [...found];
  }
}
