import { AsyncResource } from 'node:async_hooks';
import { Alarm } from './alarm.js';
import type { Clock } from './clock.js';
import type { TrackedEvent } from './event.js';
import type { Trace } from './outcome.js';
import { UnderWay } from './under-way.js';

/** One event that a backend thinks about. */
export class Sending extends UnderWay {
  dueMs = 0;

  constructor(
    readonly event: TrackedEvent,
    /** In UTF-8. */
    readonly bytes: number,
    readonly trace: Trace | undefined,
  ) {
    super();
  }
}

/** What became of a sending. */
export type Settled =
  { readonly status: 'taken' | 'late' } | { readonly status: 'failed'; readonly error: unknown };

const TAKEN: Settled = Object.freeze({ status: 'taken' });
const LATE: Settled = Object.freeze({ status: 'late' });

/** Sendings that were answered with one promise, in the order in which they came. */
interface Group {
  readonly answer: PromiseLike<unknown>;
  /** Those that are not late. */
  sendings: Sending[];
}

/**
 * Waits for what one backend answers. Events that are stored together are answered with one promise, and it is listened to
 * once: what a promise for each would cost is more than all the rest.
 *
 * Invariants
 * - Each sending is settled once: with its answer, or when its time is up.
 * - What several share is settled in nobody's async context.
 * - A promise that never settles keeps nothing alive that is late.
 */
export class Sendings {
  private readonly outside = new AsyncResource('nestjs-tracking');
  private readonly groups = new Set<Group>();
  private latest: Group | undefined;
  private readonly alarm: Alarm;

  constructor(
    private readonly clock: Clock,
    private readonly timeoutMs: number,
    /** Must not throw. */
    private readonly settle: (sending: Sending, settled: Settled) => void,
  ) {
    this.alarm = new Alarm(clock, () => {
      this.sweep();
    });
  }

  wait(answer: PromiseLike<unknown>, sending: Sending): void {
    const group = this.latest?.answer === answer ? this.latest : this.begin(answer);
    group.sendings.push(sending);
    sending.dueMs = this.clock.monotonicMs() + this.timeoutMs;
    if (!this.alarm.isSet) {
      this.alarm.set(sending.dueMs);
    }
  }

  private begin(answer: PromiseLike<unknown>): Group {
    const group: Group = { answer, sendings: [] };
    this.groups.add(group);
    this.latest = group;
    // Whatever it is, it is called by the promise made of it, and not at once.
    Promise.resolve(answer).then(
      () => {
        this.end(group, TAKEN);
      },
      (error: unknown) => {
        this.end(group, { status: 'failed', error });
      },
    );
    return group;
  }

  private end(group: Group, settled: Settled): void {
    this.forget(group);
    if (this.groups.size === 0) {
      this.alarm.set(Infinity);
    }
    const { sendings } = group;
    if (sendings.length > 1) {
      this.outside.runInAsyncScope(() => {
        this.settleAll(sendings, settled);
      });
    } else {
      this.settleAll(sendings, settled);
    }
  }

  private settleAll(sendings: readonly Sending[], settled: Settled): void {
    for (const sending of sendings) {
      this.settle(sending, settled);
    }
  }

  private forget(group: Group): void {
    this.groups.delete(group);
    if (this.latest === group) {
      this.latest = undefined;
    }
  }

  private sweep(): void {
    const now = this.clock.monotonicMs();
    let next = Infinity;
    for (const group of this.groups) {
      const { sendings } = group;
      const inTime = sendings.findIndex(({ dueMs }) => dueMs > now);
      const late = sendings.splice(0, inTime < 0 ? Infinity : inTime);
      if (sendings[0] === undefined) {
        this.forget(group);
      } else {
        next = Math.min(next, sendings[0].dueMs);
      }
      this.settleAll(late, LATE);
    }
    // Whoever was told may have sent something.
    if (!this.alarm.isSet) {
      this.alarm.set(next);
    }
  }
}
