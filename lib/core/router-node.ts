import type { BackendNode } from './backend-node.js';
import { describeValue } from './describe.js';
import type { TrackedEvent } from './event.js';
import { eventBytes } from './event.js';
import type { DispatchOutcomes } from './outcome.js';
import { PendingWork } from './pending-work.js';
import type { DropReason, ProcessingStep } from './processor.js';
import { isDropped } from './processor.js';
import type { ReportCode } from './report.js';
import { ignore, isThenable } from './thenable.js';
import { TIMED_OUT, TimeoutQueue } from './timeout-queue.js';
import type { TrackerServices } from './tracker-services.js';

/** One event on its way through the processors of a node. */
interface Journey {
  readonly steps: readonly ProcessingStep[];
  readonly outcomes: DispatchOutcomes | undefined;
}

type UnderWay = Promise<void> | undefined;

/**
 * A node that routes: its processors in series, then its children in the order of their keys.
 *
 * Invariants
 * - A processor that fails changes nothing: the event goes on as it was, or is dropped if the processor is a filter.
 * - What goes on is always a frozen event of this package, whatever a processor returned.
 * - Processors that return at once cost no promise. One that was asynchronous before is called only when there is room
 *   to wait for it, so that a service that hangs is not asked ever more questions.
 * - `dispatch` neither throws nor rejects.
 */
export class RouterNode {
  readonly children = new Map<string, RouterNode | BackendNode>();
  private readonly pending: PendingWork;
  private readonly timeouts: TimeoutQueue;

  constructor(
    readonly path: string,
    readonly steps: readonly ProcessingStep[],
    private readonly services: TrackerServices,
  ) {
    const { clock, limits } = services;
    this.pending = new PendingWork(clock, limits);
    this.timeouts = new TimeoutQueue(clock, limits.processorTimeoutMs);
  }

  /** Takes an event; returns what is under way then, if anything is. */
  dispatch(event: TrackedEvent, outcomes?: DispatchOutcomes, steps = this.steps): UnderWay {
    return steps.length === 0 ? this.fanOut(event, outcomes) : this.process(event, { steps, outcomes }, 0);
  }

  private fanOut(event: TrackedEvent, outcomes: DispatchOutcomes | undefined): UnderWay {
    if (this.path === '') {
      this.services.counts.accepted++;
    }
    let first: UnderWay;
    let others: Promise<void>[] | undefined;
    for (const child of this.children.values()) {
      const underWay = child.dispatch(event, outcomes);
      if (first === undefined) {
        first = underWay;
      } else if (underWay !== undefined) {
        (others ??= [first]).push(underWay);
      }
    }
    return others === undefined ? first : all(others);
  }

  private process(event: TrackedEvent, journey: Journey, from: number): UnderWay {
    const { steps, outcomes } = journey;
    let current = event;
    for (let index = from; index < steps.length; index++) {
      const step = steps[index] as ProcessingStep;
      const isPending = step.isAsync === true;
      if (isPending && !this.pending.tryEnter(eventBytes(current))) {
        return this.whenRoom(current, journey, index);
      }
      let next: readonly TrackedEvent[];
      try {
        const answer = step.run(current);
        if (isThenable(answer)) {
          step.isAsync = true;
          const promise = Promise.resolve(answer);
          return isPending
            ? this.processLater(current, journey, index, promise)
            : this.whenRoom(current, journey, index, promise);
        }
        next = this.accept(answer, step, current, outcomes);
      } catch (error) {
        next = this.failed(step, current, error, outcomes);
      }
      if (isPending) {
        this.pending.leave(eventBytes(current));
      }
      const [only] = next;
      if (next.length !== 1 || only === undefined) {
        return all(next.map((one) => this.process(one, journey, index + 1)));
      }
      current = only;
    }
    return this.fanOut(current, outcomes);
  }

  /** @param answer what the step returned, where it was asked already */
  private whenRoom(
    event: TrackedEvent,
    journey: Journey,
    index: number,
    answer?: Promise<unknown>,
  ): UnderWay {
    const bytes = eventBytes(event);
    if (answer !== undefined) {
      // It may reject long before there is room to wait for it.
      ignore(answer);
    }
    if (this.pending.tryEnter(bytes)) {
      return this.processLater(event, journey, index, answer);
    }
    if (journey.outcomes?.waitForRoom !== true) {
      this.overflow(event, journey.outcomes);
      return undefined;
    }
    return this.pending.enterWhenRoom(bytes).then((hasRoom) => {
      if (!hasRoom) {
        this.overflow(event, journey.outcomes);
        return undefined;
      }
      return this.processLater(event, journey, index, answer);
    });
  }

  /** Room is taken. Goes on with what the step returns, once it has. */
  private async processLater(
    event: TrackedEvent,
    journey: Journey,
    index: number,
    answer: Promise<unknown> | undefined,
  ): Promise<void> {
    const step = journey.steps[index] as ProcessingStep;
    let next: readonly TrackedEvent[];
    try {
      const settled = await this.timeouts.race(answer ?? Promise.resolve(step.run(event)));
      next =
        settled === TIMED_OUT
          ? this.timedOut(step, event, journey.outcomes)
          : this.accept(settled, step, event, journey.outcomes);
    } catch (error) {
      next = this.failed(step, event, error, journey.outcomes);
    } finally {
      this.pending.leave(eventBytes(event));
    }
    await all(next.map((one) => this.process(one, journey, index + 1)));
  }

  /** Reads what a step returned: the events that go on, none when it ended here. */
  private accept(
    answer: unknown,
    step: ProcessingStep,
    event: TrackedEvent,
    outcomes: DispatchOutcomes | undefined,
  ): readonly TrackedEvent[] {
    if (answer === undefined || answer === event) {
      return [event];
    }
    if (isDropped(answer)) {
      return this.drop(answer.reason, outcomes);
    }
    const { events, refused } = this.services.factory.processed(answer, event, step.name, this.path);
    for (const reason of refused) {
      this.drop(reason, outcomes);
    }
    return events;
  }

  private failed(
    step: ProcessingStep,
    event: TrackedEvent,
    error: unknown,
    outcomes: DispatchOutcomes | undefined,
  ): readonly TrackedEvent[] {
    const message = `${step.name} failed on ${describeValue(event.name)}; ${consequence(step)}`;
    this.report('processor_failed', message, event, error);
    return this.unlessFilter(step, event, 'filter_failed', outcomes);
  }

  private timedOut(
    step: ProcessingStep,
    event: TrackedEvent,
    outcomes: DispatchOutcomes | undefined,
  ): readonly TrackedEvent[] {
    const limit = `limits.processorTimeoutMs (${this.services.limits.processorTimeoutMs} ms)`;
    this.report('timeout', `${step.name} took longer than ${limit}; ${consequence(step)}`, event);
    return this.unlessFilter(step, event, 'timeout', outcomes);
  }

  private unlessFilter(
    step: ProcessingStep,
    event: TrackedEvent,
    reason: DropReason,
    outcomes: DispatchOutcomes | undefined,
  ): readonly TrackedEvent[] {
    this.services.counts.processorErrors++;
    return step.failClosed ? this.drop(reason, outcomes) : [event];
  }

  private overflow(event: TrackedEvent, outcomes: DispatchOutcomes | undefined): void {
    const limits = 'limits.maxPending, limits.pendingBytes';
    this.report('overflow', `too many events wait for processors (${limits}); the event was dropped`, event);
    this.drop('overflow', outcomes);
  }

  private drop(reason: string, outcomes: DispatchOutcomes | undefined): readonly TrackedEvent[] {
    this.services.counts.dropped.add(reason);
    if (this.path !== '') {
      outcomes?.record(this.path, { status: 'dropped', reason });
    } else if (outcomes !== undefined) {
      outcomes.dropped = reason;
    }
    return [];
  }

  private report(code: ReportCode, message: string, event: TrackedEvent, error?: unknown): void {
    this.services.reporter.report({
      code,
      message,
      path: this.path,
      ...(error === undefined ? {} : { error }),
      event,
    });
  }
}

/** Everything that is under way, as one, or nothing. */
function all(parts: readonly UnderWay[]): UnderWay {
  const underWay = parts.filter((part) => part !== undefined);
  return underWay.length < 2 ? underWay[0] : Promise.all(underWay).then(() => undefined);
}

function consequence(step: ProcessingStep): string {
  return step.failClosed ? 'it is a filter, so the event was dropped' : 'the event went on unchanged';
}
