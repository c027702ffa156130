import type { TrackedEvent } from './event.js';
import { eventBytes } from './event.js';
import type { NodeServices } from './node.js';
import type { Trace } from './outcome.js';
import { Deadlines, TIMED_OUT } from './deadlines.js';
import { PendingWork } from './pending-work.js';
import { readAnswer } from './processor-answer.js';
import type { ProcessingStep } from './processing-step.js';
import type { DropReason } from './processor.js';
import { isDropped } from './processor.js';
import { describeValue } from './describe.js';
import { isThenable } from './thenable.js';
import { together, UnderWay } from './under-way.js';

/** What is done with an event that came through. */
export type Onward = (event: TrackedEvent, trace: Trace | undefined) => UnderWay | undefined;

/**
 * Runs processors in series.
 *
 * Invariants
 * - A processor that fails changes nothing: the event goes on as it was, or is dropped if the processor is a filter.
 * - What goes on is always a frozen event of this package, whatever a processor answered.
 * - Processors that answer at once cost no promise.
 */
export class ProcessorChain {
  private readonly pending: PendingWork;
  private readonly times: Deadlines;

  constructor(
    private readonly path: string,
    private readonly services: NodeServices,
    private readonly onward: Onward,
  ) {
    const { clock, limits } = services;
    this.pending = new PendingWork(clock, limits);
    this.times = new Deadlines(clock, limits.processorTimeoutMs);
  }

  run(
    event: TrackedEvent,
    steps: readonly ProcessingStep[],
    from: number,
    trace: Trace | undefined,
  ): UnderWay | undefined {
    let current = event;
    for (let index = from; ; index++) {
      const step = steps[index];
      if (step === undefined) {
        return this.onward(current, trace);
      }
      let next: TrackedEvent | readonly TrackedEvent[] | undefined;
      try {
        const answer = step.run(current);
        if (isThenable(answer)) {
          return UnderWay.of(
            this.runLater(this.settle(answer, step, current, trace), steps, index + 1, trace),
          );
        }
        next = this.accept(answer, current, trace);
      } catch (error) {
        next = this.failed(step, current, error, trace);
      }
      if (next === undefined) {
        return undefined;
      }
      if (isMany(next)) {
        return this.runEach(next, steps, index + 1, trace);
      }
      current = next;
    }
  }

  /** Goes on with what a processor answered, once it has. */
  private async runLater(
    settled: Promise<TrackedEvent | readonly TrackedEvent[] | undefined>,
    steps: readonly ProcessingStep[],
    from: number,
    trace: Trace | undefined,
  ): Promise<void> {
    const next = await settled;
    if (next === undefined) {
      return;
    }
    const underWay = isMany(next)
      ? this.runEach(next, steps, from, trace)
      : this.run(next, steps, from, trace);
    await underWay?.promise;
  }

  private runEach(
    events: readonly TrackedEvent[],
    steps: readonly ProcessingStep[],
    from: number,
    trace: Trace | undefined,
  ): UnderWay | undefined {
    return together(events.map((event) => this.run(event, steps, from, trace)));
  }

  private async settle(
    answer: PromiseLike<unknown>,
    step: ProcessingStep,
    event: TrackedEvent,
    trace: Trace | undefined,
  ): Promise<TrackedEvent | readonly TrackedEvent[] | undefined> {
    const bytes = eventBytes(event);
    // It may reject long before there is room to wait for it.
    const work = Promise.resolve(answer);
    work.catch(() => undefined);
    if (this.pending.hasRoom(bytes)) {
      this.pending.enter(bytes);
    } else if (trace?.waits !== true || !(await this.pending.enterWhenRoom(bytes))) {
      this.overflow(event, trace);
      return undefined;
    }
    try {
      const settled = await this.times.inTime(work);
      return settled === TIMED_OUT ? this.late(step, event, trace) : this.accept(settled, event, trace);
    } catch (error) {
      return this.failed(step, event, error, trace);
    } finally {
      this.pending.leave(bytes);
    }
  }

  /** Reads an answer: the event or events that go on, or nothing when it ended here. */
  private accept(
    answer: unknown,
    event: TrackedEvent,
    trace: Trace | undefined,
  ): TrackedEvent | readonly TrackedEvent[] | undefined {
    if (answer === undefined || answer === event) {
      return event;
    }
    if (isDropped(answer)) {
      this.drop(answer.reason, trace);
      return undefined;
    }
    const { events, refused } = readAnswer(answer, event, this.services.factory);
    for (const reason of refused) {
      this.drop(reason, trace);
    }
    return events.length > 1 ? events : events[0];
  }

  private failed(
    step: ProcessingStep,
    event: TrackedEvent,
    error: unknown,
    trace: Trace | undefined,
  ): TrackedEvent | undefined {
    this.services.reporter.report({
      code: 'processor_failed',
      message: `${step.name} failed on ${describeValue(event.name)}; ${consequence(step)}`,
      path: this.path,
      error,
      event,
    });
    return this.unlessFilter(step, event, 'filter_failed', trace);
  }

  private late(
    step: ProcessingStep,
    event: TrackedEvent,
    trace: Trace | undefined,
  ): TrackedEvent | undefined {
    const { processorTimeoutMs } = this.services.limits;
    this.services.reporter.report({
      code: 'timeout',
      message: `${step.name} took longer than limits.processorTimeoutMs (${processorTimeoutMs} ms); ${consequence(step)}`,
      path: this.path,
      event,
    });
    return this.unlessFilter(step, event, 'timeout', trace);
  }

  private unlessFilter(
    step: ProcessingStep,
    event: TrackedEvent,
    reason: DropReason,
    trace: Trace | undefined,
  ): TrackedEvent | undefined {
    this.services.counts.processorErrors++;
    if (step.failClosed) {
      this.drop(reason, trace);
      return undefined;
    }
    return event;
  }

  private overflow(event: TrackedEvent, trace: Trace | undefined): void {
    this.services.reporter.report({
      code: 'overflow',
      message:
        'too many events wait for processors (limits.maxPending, limits.pendingBytes); the event was dropped',
      path: this.path,
      event,
    });
    this.drop('overflow', trace);
  }

  private drop(reason: string, trace: Trace | undefined): void {
    this.services.counts.dropped.add(reason);
    if (this.path !== '') {
      trace?.record(this.path, { status: 'dropped', reason });
    } else if (trace !== undefined) {
      trace.dropped = reason;
    }
  }
}

function isMany(value: TrackedEvent | readonly TrackedEvent[]): value is readonly TrackedEvent[] {
  return Array.isArray(value);
}

function consequence(step: ProcessingStep): string {
  return step.failClosed ? 'it is a filter, so the event was dropped' : 'the event went on unchanged';
}
