import type { TrackedEvent } from './event.js';
import { isTrackingError } from './errors.js';
import type { DropReason } from './processor.js';
import { errorMessage, describeValue } from './describe.js';
import type { NodeServices } from './node.js';
import type { Outcome, Trace } from './outcome.js';
import type { BackendStats } from './stats.js';
import { ReasonCounter } from './stats.js';

interface Refusal {
  readonly code: 'overflow' | 'too_large' | 'closed';
  readonly message: string;
}

const ACCEPTED: Outcome = Object.freeze({ status: 'accepted' });

/** Counts what became of the events at one backend, and tells whoever should know. */
export class LeafOutcomes {
  lastError: string | undefined;
  private readonly dropped = new ReasonCounter();
  private delivered = 0;

  constructor(
    private readonly path: string,
    private readonly services: NodeServices,
  ) {}

  stats(closed: boolean): BackendStats {
    return {
      accepted: this.delivered,
      delivered: this.delivered,
      retried: 0,
      dead: 0,
      dropped: this.dropped.snapshot(),
      depth: 0,
      ...(this.lastError === undefined ? {} : { lastError: this.lastError }),
      state: closed ? 'closed' : 'ok',
    };
  }

  accepted(trace: Trace | undefined): void {
    this.delivered++;
    trace?.record(this.path, ACCEPTED);
  }

  failed(event: TrackedEvent, error: unknown, trace: Trace | undefined): void {
    this.lastError = errorMessage(error);
    const refusal = refusalOf(error);
    if (refusal !== undefined) {
      this.refused(event, refusal, trace);
      return;
    }
    this.drop('failed');
    trace?.record(this.path, { status: 'failed', reason: 'failed', error });
    this.services.reporter.report({
      code: 'backend_failed',
      message: `the backend did not take ${describeValue(event.name)}; the event was dropped there`,
      path: this.path,
      error,
      event,
    });
  }

  private refused(event: TrackedEvent, { code, message }: Refusal, trace: Trace | undefined): void {
    this.drop(code);
    trace?.record(this.path, { status: 'dropped', reason: code });
    this.services.reporter.report({
      code,
      message: `${describeValue(event.name)} was dropped: ${message}`,
      path: this.path,
      event,
    });
  }

  late(event: TrackedEvent, trace: Trace | undefined): void {
    const limit = this.services.limits.sendTimeoutMs;
    this.lastError = `send took longer than ${limit} ms`;
    this.drop('timeout');
    trace?.record(this.path, { status: 'failed', reason: 'timeout' });
    this.services.reporter.report({
      code: 'timeout',
      message: `the backend did not take ${describeValue(event.name)} within limits.sendTimeoutMs (${limit} ms)`,
      path: this.path,
      event,
    });
  }

  overflow(event: TrackedEvent, trace: Trace | undefined): void {
    this.drop('overflow');
    trace?.record(this.path, { status: 'dropped', reason: 'overflow' });
    this.services.reporter.report({
      code: 'overflow',
      message: `too many events wait for this backend (limits.maxPending, limits.pendingBytes); ${describeValue(event.name)} was dropped`,
      path: this.path,
      event,
    });
  }

  tooLate(event: TrackedEvent, trace: Trace | undefined): void {
    this.drop('closed');
    trace?.record(this.path, { status: 'dropped', reason: 'closed' });
    this.services.reporter.report({
      code: 'closed',
      message: `the backend was closed before ${describeValue(event.name)} came out of its processors; the event was dropped`,
      path: this.path,
      event,
    });
  }

  private drop(reason: DropReason): void {
    this.dropped.add(reason);
  }
}

/** A backend that says why it does not take an event has not failed. Reading what was thrown may throw. */
function refusalOf(error: unknown): Refusal | undefined {
  try {
    if (isTrackingError(error)) {
      const { code, message } = error;
      return code === 'overflow' || code === 'too_large' || code === 'closed' ? { code, message } : undefined;
    }
  } catch {
    // Whatever it is, it is no refusal of ours.
  }
  return undefined;
}
