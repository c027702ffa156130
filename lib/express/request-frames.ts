import type { EventFactory } from '../core/event-factory.js';
import type { JsonObject } from '../core/json.js';
import { EMPTY_OBJECT } from '../core/json.js';
import type { Reporter } from '../core/report.js';
import { answeredNow } from './callback-answer.js';
import type { IncomingRequest } from './incoming-request.js';
import { cut, requestFacts, routeOf } from './request-facts.js';
import type { RequestSource, ResolvedRequestOptions } from './request-options.js';

/** What the frames of every request are made with. */
export interface FrameServices {
  readonly options: ResolvedRequestOptions;
  readonly factory: EventFactory;
  readonly reporter: Reporter;
  nextId(): string;
  /** Told when another route was matched: the host may know its handler. Must not throw. */
  routeMatched?: ((frames: RequestFrames, route: RequestSource['route']) => void) | undefined;
}

/** Where in the app's code an event happened. */
export interface HandlerFrame {
  readonly kind: 'http' | 'graphql' | 'ws' | 'rpc';
  /** The name of the controller, resolver or gateway. */
  readonly class: string;
  readonly method: string;
}

/**
 * The frames at the bottom of a scope: `request`, `user`, `session` and `handler`. Made when the first event asks for
 * them; what is not known yet is asked again at the next.
 */
export class RequestFrames {
  /** An execution of the host, handed to `user` and `session`. */
  execution: unknown;
  private merged = EMPTY_OBJECT;
  private facts: JsonObject | undefined;
  /** The route of Express that the facts tell of: another one may match later. */
  private matched: RequestSource['route'];
  private request: JsonObject | undefined;
  private user: JsonObject | undefined;
  private session: JsonObject | undefined;
  private handlerFrame: HandlerFrame | undefined;
  private outcome: JsonObject | undefined;
  private changed = false;
  private asking = false;
  private reported = false;

  /**
   * @param raw Node's request; absent on transports without one
   * @param source what `user` and `session` are asked with
   */
  constructor(
    private readonly services: FrameServices,
    private readonly raw: IncomingRequest | undefined,
    public source: RequestSource,
  ) {}

  /** @param frame frozen */
  set handler(frame: HandlerFrame) {
    this.handlerFrame = frame;
    this.changed = true;
  }

  /** No route took the request: not even the one that was matched last. */
  notTaken(): void {
    this.matched = this.source.route;
    this.handlerFrame = undefined;
    this.execution = undefined;
    this.changed = true;
  }

  /** Adds to `request` how it ended. */
  ended(outcome: JsonObject): void {
    this.outcome = outcome;
    this.request = undefined;
  }

  get(): JsonObject {
    // A `user` function that emits an event itself is not asked again for it.
    if (!this.asking) {
      this.asking = true;
      try {
        this.ask();
      } catch (error) {
        this.failed('request', error);
      } finally {
        this.asking = false;
      }
    }
    return this.merged;
  }

  private ask(): void {
    this.askRequest();
    this.user ??= this.identity('user');
    this.session ??= this.identity('session');
    if (this.changed) {
      this.changed = false;
      this.merged = this.merge();
    }
  }

  private merge(): JsonObject {
    const merged: Record<string, JsonObject> = {};
    if (this.request !== undefined) {
      merged['request'] = this.request;
    }
    if (this.user !== undefined) {
      merged['user'] = this.user;
    }
    if (this.session !== undefined) {
      merged['session'] = this.session;
    }
    if (this.handlerFrame !== undefined) {
      merged['handler'] = this.handlerFrame as HandlerFrame & JsonObject;
    }
    return Object.freeze(merged);
  }

  private askRequest(): void {
    if (this.raw === undefined) {
      return;
    }
    const { route } = this.source;
    const another = this.matched !== route;
    if (another) {
      this.matched = route;
      this.services.routeMatched?.(this, route);
    }
    if (this.facts === undefined) {
      this.facts = this.collect(this.raw, route);
      this.request = undefined;
    } else if (another || this.facts['route'] === undefined) {
      const pattern = routeOf(this.source, route);
      if (pattern !== undefined) {
        this.facts = { ...this.facts, route: cut(pattern) };
        this.request = undefined;
      }
    }
    if (this.request === undefined) {
      this.request = Object.freeze(
        this.outcome === undefined ? this.facts : { ...this.facts, ...this.outcome },
      );
      this.changed = true;
    }
  }

  private collect(raw: IncomingRequest, route: RequestSource['route']): JsonObject {
    const { options, factory } = this.services;
    const facts = requestFacts(this.id(), raw, this.source, options.ip, route);
    if (options.enrich === undefined) {
      return facts;
    }
    try {
      const more = answeredNow(options.enrich(this.source)) ?? EMPTY_OBJECT;
      return {
        ...facts,
        ...factory.clean(more, 'what request.enrich answered'),
      };
    } catch (error) {
      this.failed('request.enrich', error);
      return facts;
    }
  }

  private id(): string {
    const { services } = this;
    try {
      const id: unknown = answeredNow(services.options.requestId?.(this.source));
      if (typeof id === 'string' && id !== '') {
        return cut(id);
      }
    } catch (error) {
      this.failed('request.requestId', error);
    }
    return services.nextId();
  }

  private identity(what: 'user' | 'session'): JsonObject | undefined {
    try {
      const answer = this.services.options[what](this.source, this.execution);
      if (answer === undefined || answer === null) {
        return undefined;
      }
      const frame = this.asFrame(answer, what);
      this.changed = true;
      return frame;
    } catch (error) {
      this.failed(`request.${what}`, error);
      return undefined;
    }
  }

  private asFrame(answer: unknown, what: string): JsonObject {
    switch (typeof answer) {
      case 'string':
      case 'number':
        return Object.freeze({ id: answer });
      case 'bigint':
        return Object.freeze({ id: answer.toString() });
      case 'object':
        if ('id' in answeredNow(answer as object)) {
          return this.services.factory.clean(answer, `context.${what}`);
        }
    }
    throw new TypeError('expected an id, an object with an id, or nothing while it is not known');
  }

  /** Told once per request: `user` may fail at every emit until somebody signs in. */
  private failed(path: string, error: unknown): void {
    if (!this.reported) {
      this.reported = true;
      this.services.reporter.report({
        code: 'callback_failed',
        message: `${path} failed; the event goes without what it would have answered`,
        path,
        error,
      });
    }
  }
}
