import type {
  DynamicModule,
  INestApplication,
  INestApplicationContext,
  ModuleMetadata,
  NestApplicationOptions,
  Type,
} from '@nestjs/common';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type {
  TrackingError,
  TrackingEvent,
  TrackingExtras,
  TrackingModuleOptions,
  TrackingReport,
} from 'nestjs-tracking';
import { isTrackingError, TrackingModule } from 'nestjs-tracking';
import type { MemoryBackend } from 'nestjs-tracking/testing';
import { memoryBackend } from 'nestjs-tracking/testing';
import { untyped } from './recording.js';

/** For `describe.each`: whatever is promised holds on both. */
export const ADAPTERS = ['express', 'fastify'] as const;
export type AdapterName = (typeof ADAPTERS)[number];

type Configure = (app: INestApplication) => unknown;
/** A provider is a class or whatever else `providers` takes. */
type Part<Key extends keyof ModuleMetadata> = NonNullable<ModuleMetadata[Key]>[number];

@Module({})
class AppModule {}

/** An app that serves. */
export interface RunningApp {
  readonly app: INestApplication;
  readonly url: string;
  /** The one backend, unless others are given. */
  readonly memory: MemoryBackend;
  /** What `onError` heard. */
  readonly reports: TrackingReport[];
  /** `fetch` below `url`. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Fetches, reads the answer to its end, and answers the status. */
  visit(path: string, init?: RequestInit): Promise<number>;
  /** The latest event of a name, as soon as there is one. */
  event(name: string): Promise<TrackingEvent>;
  codes(): string[];
  close(): Promise<void>;
}

/**
 * Boots a real app with tracking on a real port:
 *
 *     const { visit, event } = await nestApp('fastify').controllers(Orders).start();
 */
export class NestAppBuilder {
  readonly memory = memoryBackend();
  private readonly reports: TrackingReport[] = [];
  private readonly metadata = {
    imports: [] as Part<'imports'>[],
    controllers: [] as Part<'controllers'>[],
    providers: [] as Part<'providers'>[],
  };
  private readonly steps: Configure[] = [];
  private readonly roots: DynamicModule[] = [];
  private tracked = true;
  private moduleClass: Type = AppModule;

  constructor(private readonly adapter: AdapterName) {}

  /** `forRoot` with these options; a memory backend and the list of reports are there if no others are given. */
  tracking(options: Partial<TrackingModuleOptions> & TrackingExtras = {}): this {
    return this.trackingModule((defaults) => TrackingModule.forRoot({ ...defaults, ...options }));
  }

  /** In place of `tracking`, or for another instance: a module that the test makes from the default options. */
  trackingModule(make: (defaults: TrackingModuleOptions) => DynamicModule): this {
    this.roots.push(
      make({
        backends: { memory: this.memory },
        onError: (report) => {
          this.reports.push(report);
        },
      }),
    );
    return this;
  }

  /** No `forRoot` but those among the imports. */
  untracked(): this {
    this.tracked = false;
    return this;
  }

  imports(...imports: Part<'imports'>[]): this {
    this.metadata.imports.push(...imports);
    return this;
  }

  controllers(...controllers: Part<'controllers'>[]): this {
    this.metadata.controllers.push(...controllers);
    return this;
  }

  providers(...providers: Part<'providers'>[]): this {
    this.metadata.providers.push(...providers);
    return this;
  }

  /** The class of the root module: one with a `configure` of its own. */
  module(moduleClass: Type): this {
    this.moduleClass = moduleClass;
    return this;
  }

  /** Runs before the app begins to listen. */
  with(configure: Configure): this {
    this.steps.push(configure);
    return this;
  }

  /** The app before it is initialised. */
  async create(): Promise<INestApplication> {
    if (this.tracked && this.roots.length === 0) {
      this.tracking();
    }
    const app = await NestFactory.create(
      {
        module: this.moduleClass,
        ...this.metadata,
        // Feature modules come first on purpose: `forRoot` need not be there before them.
        imports: [...this.metadata.imports, ...this.roots],
      },
      this.adapter === 'express' ? new ExpressAdapter() : new FastifyAdapter(),
      quiet(),
    );
    for (const step of this.steps) {
      await step(app);
    }
    return app;
  }

  async start(): Promise<RunningApp> {
    const app = await this.create();
    await app.listen(0, '127.0.0.1');
    const server = app.getHttpServer() as Server;
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}`;
    const { memory, reports } = this;
    const running: RunningApp = {
      app,
      url,
      memory,
      reports,
      fetch: (path, init) => fetch(`${url}${path}`, init),
      visit: async (path, init) => {
        const response = await fetch(`${url}${path}`, init);
        await response.text();
        return response.status;
      },
      event: async (name) => {
        await memory.waitFor(name);
        return memory.events.findLast((event) => event.name === name)!;
      },
      codes: () => reports.map(({ code }) => code),
      close: async () => {
        started.delete(running);
        await app.close();
      },
    };
    started.add(running);
    return running;
  }
}

export function nestApp(adapter: AdapterName): NestAppBuilder {
  return new NestAppBuilder(adapter);
}

const started = new Set<RunningApp>();

/** For `afterEach`: closes what a test left running. */
export async function closeApps(): Promise<void> {
  await Promise.all([...started].map((app) => app.close()));
}

/** Nest's options, which are a class, for apps that throw what stops their boot and log nothing. */
function quiet(options: object = {}): NestApplicationOptions {
  return untyped({ logger: false, abortOnError: false, ...options });
}

/** Boots without a server. */
export function bootContext(imports: Part<'imports'>[], options?: object): Promise<INestApplicationContext> {
  return NestFactory.createApplicationContext({ module: AppModule, imports }, quiet(options));
}

/** What stops a boot. */
export async function bootError(...imports: Part<'imports'>[]): Promise<TrackingError> {
  const error: unknown = await bootContext(imports).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isTrackingError(error)) {
    throw new Error('the boot did not end with a TrackingError', {
      cause: error,
    });
  }
  return error;
}
