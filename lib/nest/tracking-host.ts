import type {
  BeforeApplicationShutdown,
  OnApplicationBootstrap,
  OnApplicationShutdown,
} from '@nestjs/common';
import { Inject, Injectable, Logger } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import { HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { hostTracker } from '../core/create-tracker.js';
import { TrackingError } from '../core/errors.js';
import type { ScopedTracker } from '../core/scoped-tracker.js';
import type { Tracker } from '../core/tracker.js';
import { describeValue } from '../core/describe.js';
import { isRecord, Problems } from '../core/options.js';
import { resolveRequestOptions } from '../express/request-options.js';
import { RequestTracking } from '../express/request-tracking.js';
import { atBoot } from './boot-time.js';
import type { HttpAdapter } from './http-door.js';
import { createInstances } from './injected-classes.js';
import type { Closable } from './shutdown.js';
import { Shutdown } from './shutdown.js';
import { DEFAULT_NAME } from './tracker.tokens.js';
import type { TrackingExtras, TrackingFeatureOptions, TrackingModuleOptions } from './tracking.options.js';
import {
  checkExtras,
  checkModuleOptions,
  DEFAULT_SHUTDOWN_TIMEOUT_MS,
  MODULE_OPTIONS,
} from './tracking.options.js';

/** Where each `forRoot` says what must be known before its options are. */
export const TRACKING_EXTRAS = Symbol('nestjs-tracking:extras');

/** One `forRoot` of an app. */
export interface TrackingInstance extends Closable {
  readonly extras: Required<TrackingExtras>;
  readonly requests: RequestTracking;
}

/** Knows all instances of one app: who enriches its requests, and how they shut down together. */
@Injectable()
export class TrackingHost
  implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown
{
  private readonly instances = new Map<string, TrackingInstance>();
  private readonly waiting: (() => void)[] = [];
  private foundEnricher: TrackingInstance | undefined;
  private readonly shutdown = new Shutdown();

  constructor(
    @Inject(ModulesContainer) readonly modules: ModulesContainer,
    @Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost,
  ) {}

  /** Starts the tracker of one `forRoot`. */
  async start(
    options: TrackingModuleOptions,
    extras: Required<TrackingExtras>,
    moduleRef: ModuleRef,
  ): Promise<ScopedTracker> {
    const { name } = extras;
    const names = this.announced().map((announced) => announced.name);
    if (names.filter((known) => known === name).length > 1) {
      throw new TrackingError(
        'invalid_options',
        `TrackingModule.forRoot is imported twice under the name ${JSON.stringify(name)}; give one of them another name`,
      );
    }
    const problems = new Problems();
    checkExtras(extras, problems);
    if (isRecord(options)) {
      checkModuleOptions(options, problems);
      if (options.request !== undefined && name !== this.enricherName()) {
        problems.addLine(
          'request',
          `only the instance named ${JSON.stringify(DEFAULT_NAME)}, or the only one, follows requests, not ${JSON.stringify(name)}`,
        );
      }
    }
    const logger = new Logger('TrackingModule');
    const tracker = hostTracker(await createInstances(options, problems, moduleRef, this.modules), {
      name,
      moreOptions: MODULE_OPTIONS,
      problems,
      write: (line) => {
        logger.warn(line);
      },
    });
    this.instances.set(name, {
      extras,
      tracker,
      metrics: options.metrics,
      requests: new RequestTracking(tracker, resolveRequestOptions(options.request)),
      shutdownTimeoutMs: options.shutdownTimeoutMs ?? DEFAULT_SHUTDOWN_TIMEOUT_MS,
    });
    this.announce();
    return tracker;
  }

  /** The instance that opens the scopes of requests: the default one, or the only one. Asked at each request. */
  get enricher(): TrackingInstance | undefined {
    return (this.foundEnricher ??= this.findEnricher());
  }

  /** Resolves when every `forRoot` of the app has started. */
  async ready(): Promise<void> {
    while (this.instances.size < this.announced().length) {
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  /** Derives the tracker of one `forFeature`. */
  async startFeature({ name, ...options }: TrackingFeatureOptions, moduleRef: ModuleRef): Promise<Tracker> {
    await atBoot(
      this.ready(),
      'TrackingModule.forRoot; do its options need the tracker of a TrackingModule.forFeature?',
    );
    const parent = (name === undefined ? undefined : this.instances.get(name)) ?? this.enricher;
    if (parent === undefined) {
      throw new TrackingError(
        'invalid_options',
        `TrackingModule.forFeature needs TrackingModule.forRoot in the app: ${this.instances.size === 0 ? 'there is none' : `none is the default among ${[...this.instances.keys()].join(', ')}`}`,
      );
    }
    const problems = new Problems();
    const child = await createInstances(options, problems, moduleRef, this.modules);
    return parent.tracker.child(child, problems);
  }

  /** From now on nobody can mark the events of everybody. Not yet: the hooks of the app run after this one. */
  onApplicationBootstrap(): void {
    this.warnWithoutEnricher();
    if (this.servesHttp()) {
      this.adapterHost.listen$.subscribe(() => {
        for (const { tracker } of this.instances.values()) {
          tracker.runtime.base.sealed = true;
        }
      });
    }
  }

  /** Nothing else would tell: events just have no request. */
  private warnWithoutEnricher(): void {
    if (this.instances.size > 0 && this.enricherName() === undefined) {
      const names = [...this.instances.keys()].map((name) => describeValue(name));
      new Logger('TrackingModule').warn(
        `none of the instances ${names.join(', ')} is named ${describeValue(DEFAULT_NAME)}: events carry no request, user, session or handler; leave out the name of the one that shall follow requests`,
      );
    }
  }

  beforeApplicationShutdown(): void {
    this.shutdown.begin([...this.instances.values()]);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.shutdown.finish([...this.instances.values()]);
  }

  /** Absent in microservices and standalone apps. */
  get adapter(): HttpAdapter | undefined {
    // Nest's types do not say that there may be none.
    const adapter: unknown = this.adapterHost.httpAdapter;
    return isRecord(adapter) && typeof adapter['getType'] === 'function'
      ? this.adapterHost.httpAdapter
      : undefined;
  }

  servesHttp(): boolean {
    return this.adapter !== undefined;
  }

  /** What each `forRoot` said about itself; known before any of them has started. */
  private announced(): readonly Required<TrackingExtras>[] {
    return [...this.modules.values()].flatMap((module) => {
      const extras: unknown = module.providers.get(TRACKING_EXTRAS)?.instance;
      return isRecord(extras) ? [extras as unknown as Required<TrackingExtras>] : [];
    });
  }

  private findEnricher(): TrackingInstance | undefined {
    const name = this.enricherName();
    return name === undefined ? undefined : this.instances.get(name);
  }

  private enricherName(): string | undefined {
    const names = this.announced().map(({ name }) => name);
    return names.length === 1 ? names[0] : names.find((name) => name === DEFAULT_NAME);
  }

  private announce(): void {
    for (const resolve of this.waiting.splice(0)) {
      resolve();
    }
  }
}
