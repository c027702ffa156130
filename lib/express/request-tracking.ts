import { ServerResponse } from 'node:http';
import { outside } from '../core/outside.js';
import type { Scope } from '../core/scope.js';
import type { ScopedTracker } from '../core/scoped-tracker.js';
import { isThenable } from '../core/thenable.js';
import { TimeoutQueue } from '../core/timeout-queue.js';
import type { IncomingRequest } from './incoming-request.js';
import type { ReadRequestOptions, RequestOutcome, RequestSource, RequestSummary } from './request-options.js';
import type { RequestServices } from './request-scope.js';
import { notPromise, RequestScope } from './request-scope.js';

/** Follows the requests of a host for one tracker: opens their scopes, and does what is to be done at their end. */
export class RequestTracking {
  private readonly services: RequestServices;
  private lastFlush: Promise<unknown> = Promise.resolve();
  private nextFlush: Promise<unknown> | undefined;

  constructor(
    readonly tracker: ScopedTracker,
    readonly options: ReadRequestOptions,
  ) {
    const { runtime } = tracker;
    this.services = {
      runtime,
      options,
      followsEvents:
        options.hold !== undefined ||
        options.onEnd !== undefined ||
        options.waitUntil !== undefined ||
        options.flushAtEnd === 'delivered' ||
        options.awaitAccepted !== false,
      holdTimes: new TimeoutQueue(runtime.services.clock, options.hold?.maxMs ?? 0),
      holding: new Set(),
      heldBytes: 0,
    };
    runtime.onClose(() => {
      for (const scope of this.services.holding) {
        scope.releaseHeld();
      }
    });
  }

  /** The scope of a request: the one that was opened for it already, else a new one. */
  open(request: IncomingRequest, response: ServerResponse): Scope {
    const { store } = this.tracker.runtime;
    const known = store.scopeOf(request);
    if (known !== undefined) {
      return known;
    }
    this.tracker.seal();
    const scope = new RequestScope(this.services, request, request, response);
    store.link(request, scope);
    this.follow(scope, request, response);
    return scope;
  }

  /** Runs what comes next in the scope of a request. */
  enter(request: IncomingRequest, response: ServerResponse, next: () => void): void {
    const { store } = this.tracker.runtime;
    const current = store.current()?.root;
    if (current instanceof RequestScope && current.isOf(request)) {
      // It was opened before, and the app may have entered more since.
      next();
    } else {
      store.run(this.open(request, response), next);
    }
  }

  /** A scope for what is not an HTTP request. */
  openMessage(source: RequestSource): RequestScope {
    this.tracker.seal();
    return new RequestScope(this.services, undefined, source);
  }

  private follow(scope: RequestScope, request: RequestSource, response: ServerResponse): void {
    const resolve = this.askWaitUntil(request);
    const end = (aborted: boolean): void => {
      this.tracker.runtime.store.run(scope, () => {
        // No response is complete without its head.
        const outcome = scope.end(
          !aborted || response.headersSent ? response.statusCode : undefined,
          aborted,
        );
        if (outcome !== undefined) {
          this.ended(scope, outcome, resolve);
        }
      });
    };
    // Servers without sockets (serverless adapters) only say 'finish', lost connections only 'close'.
    response.once('finish', () => {
      end(isReset(response));
    });
    response.once('close', () => {
      end(true);
    });
  }

  /** Returns what tells the platform that the work after the response is done. */
  private askWaitUntil(request: RequestSource): (() => void) | undefined {
    const { waitUntil } = this.options;
    if (waitUntil === undefined) {
      return undefined;
    }
    const failed = (error: unknown): void => {
      this.failed('request.waitUntil', 'nothing waits for this request', error);
    };
    let resolve: (() => void) | undefined;
    try {
      const wait = notPromise(waitUntil(request)) as ((work: Promise<void>) => unknown) | null | undefined;
      const answer = wait?.(
        new Promise<void>((resolveEnd) => {
          resolve = resolveEnd;
        }),
      );
      if (isThenable(answer)) {
        answer.then(undefined, failed);
      }
    } catch (error) {
      failed(error);
    }
    return resolve;
  }

  /** What is done after a response, without anybody waiting. */
  private ended(scope: RequestScope, outcome: RequestOutcome, resolve: (() => void) | undefined): void {
    const { flushAtEnd } = this.options;
    // Most requests leave nothing to wait for: those cost no promise.
    if (flushAtEnd === 'delivered' || (flushAtEnd !== false && !scope.isSettled)) {
      void this.afterEvents(scope, outcome).then(resolve);
      return;
    }
    const work = this.callOnEnd(scope, outcome);
    if (work === undefined) {
      resolve?.();
    } else {
      void work.then(resolve);
    }
  }

  private async afterEvents(scope: RequestScope, outcome: RequestOutcome): Promise<void> {
    await scope.settled();
    if (this.options.flushAtEnd === 'delivered') {
      await this.flush();
    }
    await this.callOnEnd(scope, outcome);
  }

  /** Many requests that end together share few flushes: one runs, at most one more waits for all that came meanwhile. */
  private flush(): Promise<unknown> {
    this.nextFlush ??= this.lastFlush = this.lastFlush.then(() => {
      this.nextFlush = undefined;
      // They serve many requests, and run in the context of none.
      return outside(() => this.tracker.flush());
    });
    return this.nextFlush;
  }

  private callOnEnd(scope: RequestScope, outcome: RequestOutcome): Promise<void> | undefined {
    const failed = (error: unknown): void => {
      this.failed('request.onEnd', 'nothing else depends on it', error);
    };
    if (this.options.onEnd === undefined) {
      return undefined;
    }
    try {
      const summary: RequestSummary = {
        ...outcome,
        events: scope.events,
        dropped: scope.droppedEvents,
        context: this.tracker.resolveContext(),
      };
      const answer: unknown = this.options.onEnd(summary);
      return isThenable(answer) ? Promise.resolve(answer).then(() => undefined, failed) : undefined;
    } catch (error) {
      failed(error);
      return undefined;
    }
  }

  failed(path: string, consequence: string, error: unknown): void {
    this.tracker.runtime.callbackFailed(path, `${path} failed; ${consequence}`, error);
  }
}

/** A response of HTTP/2 says 'finish' even when its stream was reset. */
function isReset(response: ServerResponse): boolean {
  // What one of HTTP/1 does not have is expensive to look for, below Express's prototypes.
  if (response instanceof ServerResponse) {
    return false;
  }
  const { stream } = response as { stream?: { readonly aborted?: boolean } };
  return stream?.aborted === true;
}
