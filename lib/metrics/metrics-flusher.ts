import { outside } from '../core/outside.js';
import { randomUUID } from 'node:crypto';
import type { TimeBudget } from '../core/backend.js';
import type { Clock, TimerHandle } from '../core/clock.js';
import { isTrackingError, TrackingError } from '../core/errors.js';
import { Deadline } from '../core/deadline.js';
import { errorMessage } from '../core/describe.js';
import { EffectsBatch } from './effects-batch.js';
import type { MetricsBackendSettings } from './metrics-backend-options.js';
import type { Effect } from './rule-effects.js';
import { WaitingEffects } from './waiting-effects.js';

const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 30_000;
/** Longest time for one attempt: a store may never answer. Its repetition changes nothing twice. */
const ATTEMPT_TIMEOUT_MS = 10_000;
const LATE = Symbol('late');

interface Waiter {
  /** How many accepted events must be settled. */
  readonly until: number;
  readonly resolve: () => void;
}

/**
 * Writes what waits, batch by batch.
 *
 * Invariants
 * - One batch is under way at a time, and is tried until it is written or given up at close.
 * - `accepted - delivered - dead` is what waits and what is under way.
 */
export class MetricsFlusher {
  accepted = 0;
  delivered = 0;
  dead = 0;
  retried = 0;
  lastError: string | undefined;
  state: 'ok' | 'retrying' = 'ok';
  private waiting = new WaitingEffects();
  private batch: EffectsBatch | undefined;
  private batchSize = 0;
  private sinceMs: number | undefined;
  private batchSinceMs: number | undefined;
  private delay: TimerHandle;
  private delayed = false;
  private endPause: (() => void) | undefined;
  private closing = false;
  private abandoned = false;
  private waiters: Waiter[] = [];
  private readonly writer = randomUUID();
  private writes = 0;
  /** The batch is not part of the request whose event was the last of it. */

  constructor(
    private readonly settings: MetricsBackendSettings,
    public clock: Clock,
    private readonly report: (message: string, error: unknown) => void,
  ) {}

  /** Takes the effects of an event, unless there is no room for them. */
  take(effects: readonly Effect[]): boolean {
    const { maxWaiting, maxEvents, maxDelayMs } = this.settings;
    const room = maxWaiting - this.batchSize - this.waiting.size;
    if (effects.length > room && this.waiting.growth(effects) > room) {
      return false;
    }
    this.waiting.add(effects);
    this.accepted++;
    this.sinceMs ??= this.clock.monotonicMs();
    if (this.waiting.events >= maxEvents) {
      this.start();
    } else if (!this.delayed) {
      this.delayed = true;
      this.delay = this.clock.setTimeout(() => {
        this.delayed = false;
        this.start();
      }, maxDelayMs);
    }
    return true;
  }

  oldestMs(): number | undefined {
    const since = this.batchSinceMs ?? this.sinceMs;
    return since === undefined ? undefined : Math.max(0, this.clock.monotonicMs() - since);
  }

  async flush({ timeoutMs }: TimeBudget): Promise<void> {
    const settled = new Promise<void>((resolve) => {
      this.waiters.push({ until: this.accepted, resolve });
    });
    this.start();
    this.wakeWaiters();
    await new Deadline(this.clock, timeoutMs).race<unknown>(settled, LATE);
  }

  /** A last attempt without any delay; what is not written within the time is given up. */
  async close(budget: TimeBudget): Promise<void> {
    this.closing = true;
    this.endPause?.();
    await this.flush(budget);
    this.abandon();
  }

  private start(): void {
    if (this.batch !== undefined || this.waiting.events === 0) {
      return;
    }
    this.clock.clearTimeout(this.delay);
    this.delayed = false;
    const { waiting } = this;
    this.batchSinceMs = this.sinceMs;
    this.sinceMs = undefined;
    this.batchSize = waiting.size;
    this.waiting = new WaitingEffects();
    this.batch = new EffectsBatch(waiting, () => ({
      writer: this.writer,
      nth: this.writes++,
    }));
    const { batch } = this;
    outside(() => {
      void this.deliver(batch);
    });
  }

  private async deliver(batch: EffectsBatch): Promise<void> {
    let attempt = 0;
    while (!(await this.attempt(batch))) {
      this.retried += batch.events;
      await this.backOff(attempt++);
    }
    this.finish(batch);
  }

  /** Answers whether the batch is done with. */
  private async attempt(batch: EffectsBatch): Promise<boolean> {
    if (this.abandoned) {
      return true;
    }
    try {
      const deadline = new Deadline(this.clock, ATTEMPT_TIMEOUT_MS);
      const answer = await deadline.race<unknown>(batch.write(this.settings.writer), LATE);
      if (answer === LATE) {
        throw new TrackingError('timeout', `the store did not answer within ${ATTEMPT_TIMEOUT_MS} ms`);
      }
      return true;
    } catch (error) {
      this.failed(batch, error);
      return this.abandoned;
    }
  }

  private failed(batch: EffectsBatch, error: unknown): void {
    this.lastError = errorMessage(error);
    if (isTrackingError(error) && error.code === 'closed') {
      this.abandon(error);
    } else if (this.state === 'ok') {
      this.state = 'retrying';
      this.report(`the metrics store failed; ${batch.events} events wait for it`, error);
    }
  }

  /** Doubles from 500 ms to 30 s. At close there is no later. */
  private backOff(attempt: number): Promise<void> {
    const waitMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** attempt);
    return new Promise((resolve) => {
      const end = (): void => {
        this.clock.clearTimeout(timer);
        this.endPause = undefined;
        resolve();
      };
      const timer = this.clock.setTimeout(end, this.closing ? FIRST_RETRY_MS : waitMs);
      this.endPause = end;
    });
  }

  private finish(batch: EffectsBatch): void {
    if (this.abandoned) {
      return;
    }
    const refused = Math.min(batch.events, batch.refused);
    this.dead += refused;
    this.delivered += batch.events - refused;
    if (refused > 0) {
      this.lastError = errorMessage(batch.refusal);
      this.report(`${refused} events could not be counted`, batch.refusal);
    }
    this.state = 'ok';
    this.batch = undefined;
    this.batchSize = 0;
    this.batchSinceMs = undefined;
    // What waits has waited long enough when its delay ended meanwhile.
    if (!this.delayed || this.waiters.length > 0 || this.waiting.events >= this.settings.maxEvents) {
      this.start();
    }
    this.wakeWaiters();
  }

  /** Counts what is left as dead. */
  private abandon(error?: unknown): void {
    const left = this.accepted - this.delivered - this.dead;
    this.clock.clearTimeout(this.delay);
    this.endPause?.();
    this.abandoned = true;
    this.batch = undefined;
    this.waiting = new WaitingEffects();
    this.batchSize = 0;
    this.batchSinceMs = undefined;
    this.sinceMs = undefined;
    if (left > 0) {
      this.dead += left;
      this.report(
        `${left} events were not counted before the end`,
        error ?? new Error(this.lastError ?? 'the time was up'),
      );
    }
    this.wakeWaiters();
  }

  private wakeWaiters(): void {
    const settled = this.delivered + this.dead;
    this.waiters = this.waiters.filter(({ until, resolve }) => {
      if (until <= settled) {
        resolve();
      }
      return until > settled;
    });
  }
}
