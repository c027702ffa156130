import { AsyncResource } from 'node:async_hooks';
import { ServerResponse } from 'node:http';
import type { Clock } from '../core/clock.js';
import { Deadlines } from '../core/deadlines.js';
import type { EventFactory } from '../core/event-factory.js';
import type { JsonObject } from '../core/json.js';
import { Deadline } from '../core/node.js';
import type { Reporter } from '../core/report.js';
import type { Scope } from '../core/scope.js';
import type { ScopeOwner } from '../core/scope-owner.js';
import type { ScopedTracker } from '../core/scoped-tracker.js';
import { isThenable } from '../core/thenable.js';
import { answeredNow } from './callback-answer.js';
import { FlushCoalescer } from './flush-coalescer.js';
import type { IncomingRequest } from './incoming-request.js';
import type { RequestHost } from './request-context.js';
import { RequestContext } from './request-context.js';
import type { FrameServices } from './request-frames.js';
import type {
  RequestOutcome,
  RequestSource,
  RequestSummary,
  ResolvedRequestOptions,
} from './request-options.js';
import { ResponseGate } from './response-gate.js';

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Follows the requests of a host for one tracker: opens their scopes, and does what is to be done at their end. */
export class RequestTracking implements RequestHost {
  readonly clock: Clock;
  readonly factory: EventFactory;
  readonly reporter: Reporter;
  readonly followsRequests: boolean;
  readonly holdTimes: Deadlines;
  readonly holding = new Set<RequestContext>();
  /** Set by a host that knows the handlers of its routes. */
  routeMatched: FrameServices['routeMatched'];
  private readonly flushes: FlushCoalescer;
  /** Flushes serve many requests: they run in the context of none. */
  private readonly outside = new AsyncResource('nestjs-tracking');

  constructor(
    readonly tracker: ScopedTracker,
    readonly options: ResolvedRequestOptions,
  ) {
    const { services } = tracker.runtime;
    this.clock = services.clock;
    this.factory = services.factory;
    this.reporter = services.reporter;
    this.followsRequests =
      options.hold !== undefined ||
      options.onEnd !== undefined ||
      options.waitUntil !== undefined ||
      options.flushAtEnd === 'delivered' ||
      options.awaitAccepted !== false;
    this.holdTimes = new Deadlines(this.clock, options.hold?.maxMs ?? 0);
    this.flushes = new FlushCoalescer(async () => {
      await this.outside.runInAsyncScope(() => this.tracker.flush());
    });
    tracker.runtime.onClose(() => {
      for (const context of this.holding) {
        context.letGo();
      }
      this.holding.clear();
    });
  }

  /** The scope of a request: the one that another door opened already, else a new one. */
  open(request: IncomingRequest, response: ServerResponse): Scope {
    const { store, base } = this.tracker.runtime;
    const known = store.scopeOf(request);
    if (known !== undefined) {
      return known;
    }
    base.sealed = true;
    const context = new RequestContext(this, request);
    const scope = store.open(context, [request]);
    if (this.followsRequests) {
      this.follow(context, scope, request, response);
    }
    return scope;
  }

  /** Runs what comes next in the scope of a request. */
  enter(request: IncomingRequest, response: ServerResponse, next: () => void): void {
    const { store } = this.tracker.runtime;
    const owner = store.current()?.owner;
    if (owner instanceof RequestContext && owner.raw === request) {
      // Another door was opened before, and the app may have entered more since.
      next();
    } else {
      store.run(this.open(request, response), next);
    }
  }

  /** A scope for what is no HTTP request. */
  openFor(owner: ScopeOwner): Scope {
    const { store, base } = this.tracker.runtime;
    base.sealed = true;
    return store.open(owner, []);
  }

  nextId(): string {
    return this.tracker.runtime.services.nextId();
  }

  keeps(outcome: RequestOutcome): boolean {
    try {
      // Whoever answers nothing wants to lose nothing.
      return answeredNow(this.options.keep?.(outcome)) ?? true;
    } catch (error) {
      this.failed('request.keep', 'the events of the request were kept', error);
      return true;
    }
  }

  withinAcceptTimeout(work: Promise<void>): Promise<boolean> {
    return new Deadline(this.clock, this.options.acceptTimeoutMs).race(
      work.then(() => true),
      false,
    );
  }

  notAccepted(late: boolean, frames: JsonObject): boolean {
    const required = this.options.awaitAccepted === 'required';
    this.reporter.report({
      code: 'not_accepted',
      message: `an event of the request ${late ? `was not accepted within request.acceptTimeoutMs (${this.options.acceptTimeoutMs} ms)` : 'was not accepted'}; ${required ? 'it was answered with 503' : 'the response left all the same'} (${JSON.stringify(frames['request'])})`,
    });
    return !required;
  }

  ended(context: RequestContext, outcome: RequestOutcome, resolve: (() => void) | undefined): void {
    const { flushAtEnd } = this.options;
    const waits = flushAtEnd !== false && context.accounting?.isSettled === false;
    // Most requests leave nothing to wait for: those cost no promise.
    if (waits || flushAtEnd === 'delivered') {
      void this.afterEvents(context, outcome).then(resolve);
    } else {
      this.tellEnd(context, outcome, resolve);
    }
  }

  private follow(
    context: RequestContext,
    scope: Scope,
    request: RequestSource & IncomingRequest,
    response: ServerResponse,
  ): void {
    const { store } = this.tracker.runtime;
    const gate = this.options.awaitAccepted === false ? undefined : this.gate(context, response);
    let open = true;
    const end = (aborted: boolean): void => {
      if (open) {
        open = false;
        // No response is complete without its head, but for one that is still kept back.
        const sent = (!aborted || response.headersSent) && gate?.holdsBack !== true;
        store.run(scope, () => {
          context.end(sent ? response.statusCode : undefined, aborted);
        });
      }
    };
    // Servers without sockets (serverless adapters) only say 'finish', lost connections only 'close'.
    response.on('finish', () => {
      end(isReset(response));
    });
    response.on('close', () => {
      end(true);
    });
    this.askWaitUntil(context, request);
  }

  private gate(context: RequestContext, response: ServerResponse) {
    return new ResponseGate(response, {
      mayLeave: (status) => context.beforeResponse(status),
      failed: (error) => {
        this.failed(
          'request.awaitAccepted',
          'a response that had waited could not be written; its connection was closed',
          error,
        );
      },
    });
  }

  private askWaitUntil(context: RequestContext, request: RequestSource): void {
    const { waitUntil } = this.options;
    if (waitUntil === undefined) {
      return;
    }
    const failed = (error: unknown): void => {
      this.failed('request.waitUntil', 'nothing waits for this request', error);
    };
    try {
      const wait = answeredNow(waitUntil(request));
      const answer: unknown = wait?.(context.untilEnd());
      if (isThenable(answer)) {
        answer.then(undefined, failed);
      }
    } catch (error) {
      failed(error);
    }
  }

  private async afterEvents(context: RequestContext, outcome: RequestOutcome): Promise<void> {
    await context.accounting?.settled();
    if (this.options.flushAtEnd === 'delivered') {
      await this.flushes.request();
    }
    await new Promise<void>((resolve) => {
      this.tellEnd(context, outcome, resolve);
    });
  }

  private tellEnd(context: RequestContext, outcome: RequestOutcome, resolve: (() => void) | undefined): void {
    const failed = (error: unknown): void => {
      this.failed('request.onEnd', 'nothing else depends on it', error);
    };
    try {
      const answer: unknown = this.options.onEnd?.(this.summary(context, outcome));
      if (isThenable(answer)) {
        void Promise.resolve(answer).catch(failed).then(resolve);
        return;
      }
    } catch (error) {
      failed(error);
    }
    resolve?.();
  }

  private summary(context: RequestContext, outcome: RequestOutcome): RequestSummary {
    const { status, aborted, error, durationMs } = outcome;
    // Spread into one literal, what may be absent would cost more than the rest of the end.
    const summary: Writable<RequestSummary> = {
      aborted,
      durationMs,
      events: context.accounting?.events ?? 0,
      dropped: context.accounting?.droppedEvents ?? 0,
      context: this.tracker.resolveContext(),
    };
    if (status !== undefined) {
      summary.status = status;
    }
    if (error !== undefined) {
      summary.error = error;
    }
    return summary;
  }

  private failed(path: string, consequence: string, error: unknown): void {
    this.reporter.report({
      code: 'callback_failed',
      message: `${path} failed; ${consequence}`,
      path,
      error,
    });
  }
}

/** A response of HTTP/2 says 'finish' even when its stream was reset. */
function isReset(response: ServerResponse): boolean {
  // What one of HTTP/1 does not have is dear to look for, below Express's prototypes.
  if (response instanceof ServerResponse) {
    return false;
  }
  const { stream } = response as { stream?: { readonly aborted?: boolean } };
  return stream?.aborted === true;
}
