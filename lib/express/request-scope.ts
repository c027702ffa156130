import type { ServerResponse } from 'node:http';
import { Deadline } from '../core/deadline.js';
import type { TrackedEvent } from '../core/event.js';
import { eventBytes } from '../core/event.js';
import type { JsonObject } from '../core/json.js';
import { Frame, MergedContext } from '../core/merged-context.js';
import { isRecord } from '../core/options.js';
import { DispatchOutcomes, isRefusal } from '../core/outcome.js';
import type { DropReason } from '../core/processor.js';
import type { Emitter, EventFollower } from '../core/scope.js';
import { Scope } from '../core/scope.js';
import { ignore, isThenable } from '../core/thenable.js';
import type { TimeoutQueue } from '../core/timeout-queue.js';
import type { TrackerRuntime } from '../core/tracker-runtime.js';
import type { IncomingRequest } from './incoming-request.js';
import { cut, requestFacts, routeOf } from './request-facts.js';
import type { ReadRequestOptions, RequestOutcome, RequestSource } from './request-options.js';
import { idOf, saysWhatItIs } from './request-options.js';

/** Where in the app's code an event happened. */
export interface HandlerFrame {
  readonly kind: 'http' | 'graphql' | 'ws' | 'rpc';
  /** The name of the controller, resolver or gateway. */
  readonly class: string;
  readonly method: string;
}

/** What all requests share that are followed for one tracker. */
export interface RequestServices {
  readonly runtime: TrackerRuntime;
  readonly options: ReadRequestOptions;
  /** Whether anything waits for the events of a request, or for its end. */
  readonly followsEvents: boolean;
  /** When the events that a request holds leave at the latest. */
  readonly holdTimes: TimeoutQueue;
  /** Requests that hold events now, and how much. */
  readonly holding: Set<RequestScope>;
  heldBytes: number;
}

interface HeldEvent {
  readonly event: TrackedEvent;
  readonly emitter: Emitter;
}

const NOTHING: RequestSource = Object.freeze({});

/**
 * One request: its frames, its events, its end. Or one message of another transport, which has no facts and no outcome.
 *
 * Invariants
 * - `user`, `session` and the route are asked when an event wants to know them, until they are known; a last time at the
 *   end. After that only the frames are kept: request, response, error and execution are released.
 * - The outcome is taken once for the events that were held: before the response is written if that waits for them, else at
 *   the end. `keep` is asked then, once, and decides over later events too.
 * - What happens at the end never delays the response.
 * - `lateMs` after the end it has retired: what still runs in it counts as outside any scope.
 */
export class RequestScope extends Scope implements EventFollower {
  override readonly follower: EventFollower | undefined;
  /** What the handler threw, if the host saw it. */
  error: unknown;
  /** Events emitted by the tracker that follows the request, and how many of them were dropped. */
  events = 0;
  droppedEvents = 0;

  private readonly isRequest: boolean;
  private source: RequestSource;
  private execution: unknown;
  private frame: Frame | undefined;
  private facts: JsonObject | undefined;
  private user: JsonObject | undefined;
  private session: JsonObject | undefined;
  private handler: HandlerFrame | undefined;
  private outcome: JsonObject | undefined;
  private hasChanged = false;
  private isAsking = false;
  private hasReported = false;

  private readonly startMs: number;
  private endMs: number | undefined;
  private held: HeldEvent[] = [];
  private stopHolding: (() => void) | undefined;
  private isKept: boolean | undefined;
  /** Whether an event that should have been accepted was not. */
  private isRefused = false;
  private readonly underWay = new Set<Promise<void>>();

  /**
   * @param raw Node's request; absent on transports without one
   * @param source what `user` and `session` are asked with
   */
  constructor(
    private readonly services: RequestServices,
    private raw: IncomingRequest | undefined,
    source: RequestSource,
    private response?: ServerResponse,
  ) {
    super();
    this.follower = services.followsEvents ? this : undefined;
    this.isRequest = raw !== undefined;
    this.source = source;
    this.startMs = this.nowMs();
  }

  /** The framework's own request, where it is not Node's: guards and plugins set `user` and `session` on it. */
  setSource(source: RequestSource): void {
    if (this.endMs === undefined) {
      this.source = source;
    }
  }

  /** @param execution handed to `user` and `session` */
  setHandler(handler: HandlerFrame | undefined, execution: unknown): void {
    if (this.endMs === undefined) {
      this.execution = execution;
      this.handler = handler && Object.freeze(handler);
      this.hasChanged = true;
    }
  }

  /** Whether it is the scope of a request. */
  isOf(request: object): boolean {
    return this.raw === request;
  }

  override hasRetired(): boolean {
    if (this.endMs === undefined || this.nowMs() - this.endMs < this.services.options.lateMs) {
      return false;
    }
    this.frame = undefined;
    return true;
  }

  protected override bottom(): Frame | undefined {
    // A `user` function that emits an event itself is not asked again for it.
    if (!this.isAsking && this.endMs === undefined) {
      this.isAsking = true;
      try {
        this.ask();
      } catch (error) {
        this.failed('request', error);
      } finally {
        this.isAsking = false;
      }
    }
    return this.frame;
  }

  get runtime(): TrackerRuntime {
    return this.services.runtime;
  }

  take(event: TrackedEvent, emitter: Emitter): void {
    const { hold } = this.services.options;
    this.events++;
    if (hold === undefined || this.isKept === true || !this.isRequest) {
      this.dispatch(event, emitter);
    } else if (this.isKept === false) {
      this.drop(emitter);
    } else {
      this.hold(event, emitter, hold.maxEvents);
    }
  }

  dispatched(outcomes: DispatchOutcomes, underWay: Promise<void> | undefined): void {
    this.events++;
    this.note(outcomes, underWay);
  }

  dropped(reason: DropReason): void {
    this.events++;
    this.droppedEvents++;
    this.isRefused ||= isRefusal(reason);
  }

  /** Whether its events are accepted, or are not. */
  get isSettled(): boolean {
    return this.underWay.size === 0;
  }

  async settled(): Promise<void> {
    await Promise.all(this.underWay);
  }

  /**
   * The handler is done, and its response about to be written: takes the outcome, and waits for the events.
   *
   * @returns whether the response may leave as it is
   */
  async accepted(status: number): Promise<boolean> {
    this.conclude(this.outcomeOf(status, false));
    const { acceptTimeoutMs, awaitAccepted } = this.services.options;
    const deadline = new Deadline(this.services.runtime.services.clock, acceptTimeoutMs);
    const isLate = !(await deadline.race(
      this.settled().then(() => true),
      false,
    ));
    if (!isLate && !this.isRefused) {
      return true;
    }
    const why = isLate ? ` within request.acceptTimeoutMs (${acceptTimeoutMs} ms)` : '';
    const then = awaitAccepted === 'required' ? 'it was answered with 503' : 'the response left all the same';
    this.services.runtime.report(
      'not_accepted',
      `an event of the request was not accepted${why}; ${then} (${JSON.stringify(this.facts)})`,
    );
    return awaitAccepted !== 'required';
  }

  /**
   * The response was handed over, or its connection was lost.
   *
   * @param status absent when no head was sent
   * @returns the outcome; nothing when it had ended before
   */
  end(status: number | undefined, aborted: boolean): RequestOutcome | undefined {
    if (this.endMs !== undefined) {
      return undefined;
    }
    const outcome = this.outcomeOf(status, aborted);
    this.conclude(outcome);
    this.release();
    return outcome;
  }

  /** Asks a last time, and lets go of everything but the frames. */
  release(): void {
    this.bottom();
    this.endMs = this.nowMs();
    this.raw = undefined;
    this.response = undefined;
    this.source = NOTHING;
    this.execution = undefined;
    this.error = undefined;
  }

  /** The tracker closes, or holding took too long: what is held leaves without an outcome. */
  releaseHeld(): void {
    for (const { event, emitter } of this.takeHeld()) {
      this.dispatch(event, emitter);
    }
  }

  private hold(event: TrackedEvent, emitter: Emitter, maxEvents: number): void {
    const { services } = this;
    const bytes = eventBytes(event);
    if (services.heldBytes + bytes > services.runtime.services.limits.pendingBytes) {
      this.releaseHeld();
      this.dispatch(event, emitter);
      return;
    }
    services.heldBytes += bytes;
    services.holding.add(this);
    this.held.push({ event, emitter });
    if (this.held.length > maxEvents) {
      const [oldest] = this.held.splice(0, 1) as [HeldEvent];
      services.heldBytes -= eventBytes(oldest.event);
      this.dispatch(oldest.event, oldest.emitter);
    }
    this.stopHolding ??= services.holdTimes.start(() => {
      this.releaseHeld();
    });
  }

  /** Returns the events in the order of their emission, and forgets them. */
  private takeHeld(): readonly HeldEvent[] {
    this.stopHolding?.();
    this.stopHolding = undefined;
    this.services.holding.delete(this);
    const { held } = this;
    this.held = [];
    this.services.heldBytes -= held.reduce((sum, { event }) => sum + eventBytes(event), 0);
    return held;
  }

  private conclude(outcome: RequestOutcome): void {
    if (this.services.options.hold === undefined || this.isKept !== undefined) {
      return;
    }
    this.isKept = this.keeps(outcome);
    const { status, durationMs } = outcome;
    const facts = status === undefined ? { durationMs } : { status, durationMs };
    this.outcome = facts;
    this.hasChanged = true;
    for (const { event, emitter } of this.takeHeld()) {
      if (this.isKept) {
        this.dispatchWith(facts, event, emitter);
      } else {
        this.drop(emitter);
      }
    }
  }

  /** Asks the app whether the events are kept. An app that returns nothing wants to lose nothing. */
  private keeps(outcome: RequestOutcome): boolean {
    try {
      return (notPromise(this.services.options.keep?.(outcome)) as boolean | undefined) ?? true;
    } catch (error) {
      const message = 'request.keep failed; the events of the request were kept';
      this.services.runtime.callbackFailed('request.keep', message, error);
      return true;
    }
  }

  private dispatchWith(facts: JsonObject, event: TrackedEvent, emitter: Emitter): void {
    const { request = {} } = event.context;
    // What the app put there itself stays, if it is no place for an outcome.
    const context = isRecord(request)
      ? { ...event.context, request: { ...request, ...facts } }
      : event.context;
    const merged = new MergedContext([new Frame(JSON.stringify(context))]);
    const released = this.services.runtime.services.factory.inContext(event, merged);
    if (typeof released === 'string') {
      this.drop(emitter, released);
    } else {
      this.dispatch(released, emitter);
    }
  }

  private dispatch(event: TrackedEvent, emitter: Emitter): void {
    const outcomes = new DispatchOutcomes(this.services.options.awaitAccepted !== false);
    this.note(outcomes, emitter.dispatch(event, outcomes));
  }

  private drop(emitter: Emitter, reason: DropReason = 'outcome'): void {
    emitter.drop(reason);
    this.droppedEvents++;
    this.isRefused ||= isRefusal(reason);
  }

  private note(outcomes: DispatchOutcomes, underWay: Promise<void> | undefined): void {
    const settled = (): void => {
      if (outcomes.dropped !== undefined) {
        this.droppedEvents++;
      }
      this.isRefused ||= outcomes.isRefused;
    };
    if (underWay === undefined) {
      settled();
      return;
    }
    const noted = underWay.then(() => {
      this.underWay.delete(noted);
      settled();
    });
    this.underWay.add(noted);
  }

  private outcomeOf(status: number | undefined, aborted: boolean): RequestOutcome {
    const durationMs = Math.round((this.nowMs() - this.startMs) * 10) / 10;
    return {
      ...(status === undefined ? {} : { status }),
      aborted,
      durationMs,
      ...(this.error === undefined ? {} : { error: this.error }),
    };
  }

  private nowMs(): number {
    return this.services.runtime.services.clock.monotonicMs();
  }

  private ask(): void {
    if (this.raw !== undefined) {
      this.askFacts(this.raw);
    }
    this.user ??= this.identity('user');
    this.session ??= this.identity('session');
    if (this.hasChanged) {
      this.hasChanged = false;
      const { facts, outcome, user, session, handler } = this;
      const request = facts === undefined && outcome === undefined ? undefined : { ...facts, ...outcome };
      const frames = { request, user, session, handler };
      this.frame = new Frame(JSON.stringify(frames), frames);
    }
  }

  /** The route is known only once a router matched one, and another one may match later. */
  private askFacts(raw: IncomingRequest): void {
    const { enrich } = this.services.options;
    if (enrich === false) {
      return;
    }
    if (this.facts === undefined) {
      this.facts = this.readFacts(raw);
      this.hasChanged = true;
      return;
    }
    const route = routeOf(raw, this.source);
    if (route !== undefined && this.isOtherRoute(route)) {
      this.facts = { ...this.facts, route };
      this.hasChanged = true;
    }
  }

  /** An error handler no longer sees in which router the route was matched: what was known then is not taken back. */
  private isOtherRoute(route: string): boolean {
    const known = this.facts?.['route'];
    return typeof known !== 'string' || (known !== route && !known.endsWith(route));
  }

  private readFacts(raw: IncomingRequest): JsonObject {
    const { options, runtime } = this.services;
    const facts = requestFacts(this.requestId(), raw, this.source, options.ip);
    if (typeof options.enrich !== 'function') {
      return facts;
    }
    try {
      const more = notPromise(options.enrich(this.source)) ?? {};
      return { ...facts, ...runtime.services.factory.frame(more, 'what request.enrich returned').data };
    } catch (error) {
      this.failed('request.enrich', error);
      return facts;
    }
  }

  private requestId(): string {
    const { options, runtime } = this.services;
    try {
      const id = notPromise(options.requestId?.(this.source));
      if (typeof id === 'string' && id !== '') {
        return cut(id);
      }
    } catch (error) {
      this.failed('request.requestId', error);
    }
    return runtime.services.factory.nextId();
  }

  private identity(what: 'user' | 'session'): JsonObject | undefined {
    try {
      const frame = this.identityFrame(
        this.services.options[what](this.source, this.execution, this.response),
        what,
      );
      this.hasChanged ||= frame !== undefined;
      return frame;
    } catch (error) {
      this.failed(`request.${what}`, error);
      return undefined;
    }
  }

  private identityFrame(answer: unknown, what: string): JsonObject | undefined {
    if (answer === undefined || answer === null || answer === '') {
      return undefined;
    }
    const id = idOf(notPromise(answer));
    if (id !== undefined) {
      return { id };
    }
    if (typeof answer === 'object' && 'id' in answer) {
      const own = idOf(answer.id);
      const { factory } = this.services.runtime.services;
      return own === undefined
        ? undefined
        : {
            ...factory.frame('toJSON' in answer ? answer : { ...answer, id: own }, `context.${what}`).data,
            id: own,
          };
    }
    if (typeof answer === 'number' || saysWhatItIs(answer)) {
      return undefined;
    }
    throw new TypeError('expected an id, an object with an id, or nothing while it is not known');
  }

  /** Reported once per request: `user` may fail at every emit until somebody signs in. */
  private failed(path: string, error: unknown): void {
    if (!this.hasReported) {
      this.hasReported = true;
      const message = `${path} failed; the event goes without what it would have returned`;
      this.services.runtime.callbackFailed(path, message, error);
    }
  }
}

/**
 * What a function of the app returned, unless that is a promise: nobody waits for it, and its rejection must not end the
 * process.
 *
 * @throws TypeError for a promise
 */
export function notPromise<T>(answer: T): T {
  if (isThenable(answer)) {
    ignore(answer);
    throw new TypeError('expected a value at once, got a promise');
  }
  return answer;
}
