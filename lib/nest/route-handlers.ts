import type { Type } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { MetadataScanner } from '@nestjs/core';
import 'reflect-metadata';
import { isRecord } from '../core/options.js';
import type { RequestFrames } from '../express/request-frames.js';
import type { RequestSource } from '../express/request-options.js';
import type { Method, RouteHandler } from './route-execution.js';
import { RouteExecution } from './route-execution.js';

/** Where Nest's decorators leave the path of a handler, and the hosts that a controller serves alone. */
const PATH = 'path';
const HOST = 'host';
/** What `@RouteConfig` writes, and Nest's adapter puts into `config` of Fastify's route. */
const FASTIFY_CONFIG = '__fastify_route_config__';
/** On a handler, on the function that Nest makes of it, and in the `config` of Fastify's route: the handler. */
const HANDLER = Symbol.for('nestjs-tracking.handler');

/**
 * Knows which handler a route leads to, from a mark that Nest copies from a handler to its route. To learn it from a
 * guard would be simpler, but Nest awaits three promises around any guard, which cost more than all the rest of an event.
 */
export class RouteHandlers {
  private readonly handlers = new Map<unknown, RouteHandler>();
  /**
   * Whether routes tell it all. They do not where one method serves two controllers (that of a common base class), and
   * where a route that was matched may not be taken, because it serves another host.
   */
  readonly suffice: boolean = true;

  constructor(modules: ModulesContainer) {
    for (const type of controllersOf(modules)) {
      this.suffice &&= Reflect.getMetadata(HOST, type) === undefined;
      for (const [name, method] of handlersOf(type)) {
        this.suffice &&= !this.handlers.has(method);
        const frame = { kind: 'http', class: type.name, method: name } as const;
        this.handlers.set(method, {
          type,
          method,
          frame: Object.freeze(frame),
        });
      }
    }
  }

  /** Before Nest makes the routes. */
  mark(): void {
    for (const method of this.handlers.keys()) {
      const place = method as object;
      Reflect.defineMetadata(HANDLER, method, place);
      const config: unknown = Reflect.getMetadata(FASTIFY_CONFIG, place);
      Reflect.defineMetadata(
        FASTIFY_CONFIG,
        { ...(isRecord(config) ? config : {}), [HANDLER]: method },
        place,
      );
    }
  }

  /** Tells the frames the handler of Express's route that was matched. */
  reachExpress(frames: RequestFrames, route: RequestSource['route']): void {
    const handle = route?.stack?.[0]?.handle;
    if (typeof handle === 'function') {
      this.reach(frames, Reflect.getOwnMetadata(HANDLER, handle));
    }
  }

  /** Tells the frames the handler of Fastify's route. */
  reachFastify(frames: RequestFrames, reply: unknown): void {
    const config = frames.source.routeOptions?.config;
    if (config !== undefined) {
      this.reach(frames, config[HANDLER], reply);
    }
  }

  private reach(frames: RequestFrames, mark: unknown, reply?: unknown): void {
    const handler = this.handlers.get(mark);
    if (handler !== undefined) {
      frames.handler = handler.frame;
      frames.execution = new RouteExecution(handler, frames.source, reply);
    }
  }
}

/** Each class once: it may stand in several modules. */
function controllersOf(modules: ModulesContainer): Set<Type> {
  return new Set(
    [...modules.values()]
      .flatMap(({ controllers }) => [...controllers.values()])
      .map(({ metatype }) => metatype)
      .filter((metatype): metatype is Type => typeof metatype === 'function'),
  );
}

function handlersOf({ prototype }: Type): [name: string, method: Method][] {
  const methods = prototype as Record<string, Method>;
  return new MetadataScanner()
    .getAllMethodNames(methods)
    .map((name): [string, Method] => [name, methods[name] as Method])
    .filter(([, method]) => Reflect.hasMetadata(PATH, method));
}
