import type { Backend, BackendHost, TimeBudget } from '../core/backend.js';
import { DRAINS_ON_CLOSE } from '../core/backend.js';
import { TrackingError } from '../core/errors.js';
import type { TrackingEvent } from '../core/event.js';
import { errorMessage, describeValue } from '../core/describe.js';
import type { BackendStats } from '../core/stats.js';
import { ReasonCounter } from '../core/stats.js';
import { systemClock } from '../core/system-clock.js';
import type { MetricsBackendOptions, MetricsBackendSettings } from './metrics-backend-options.js';
import { readMetricsBackendOptions } from './metrics-backend-options.js';
import { MetricsFlusher } from './metrics-flusher.js';
import { RecentIds } from './recent-ids.js';
import { RuleBook } from './rule-book.js';

const DEFAULT_BUDGET: TimeBudget = { timeoutMs: 8_000 };

/**
 * A backend that counts events by rules. What they change is put together in memory and written after
 * `batch.maxEvents` events or `batch.maxDelayMs`; while the store fails it waits, bounded, and is tried again.
 *
 * @throws TrackingError `invalid_options`
 *
 * @example
 * metricsBackend({
 *   metrics,
 *   rules: [
 *     { event: 'donation.received', metric: 'donations', subject: (event) => event.data['runId'] },
 *   ],
 * });
 */
export function metricsBackend(options: MetricsBackendOptions): Backend {
  return new MetricsBackend(readMetricsBackendOptions(options));
}

/**
 * Invariants
 * - `send` never waits for the store.
 * - accepted = delivered + dead + depth: an event is delivered when all that it changes is written, or it changes
 *   nothing; dead when the store refused it for good, or could not be reached at close.
 * - An event whose effects do not all find room changes nothing, and is dropped as `overflow`.
 */
class MetricsBackend implements Backend {
  readonly [DRAINS_ON_CLOSE] = true;
  private readonly book: RuleBook;
  private readonly recent: RecentIds;
  private readonly dropped = new ReasonCounter();
  private readonly flusher: MetricsFlusher;
  private host: BackendHost | undefined;
  private closed = false;
  /** Events that changed nothing. */
  private idle = 0;
  private lastError: string | undefined;

  constructor(private readonly settings: MetricsBackendSettings) {
    this.book = new RuleBook(settings.rules, settings.writer.settings.zone);
    this.recent = new RecentIds(settings.rememberIds);
    this.flusher = new MetricsFlusher(settings, systemClock(), (message, error) => {
      this.report(message, error);
    });
  }

  attach(host: BackendHost): void {
    this.host = host;
    this.flusher.clock = host.clock;
  }

  send(event: TrackingEvent): void {
    if (this.closed) {
      this.dropped.add('closed');
      throw new TrackingError('closed', 'the metrics backend is closed');
    }
    if (this.recent.has(event.id)) {
      this.idle++;
      return;
    }
    const effects = this.book.effectsOf(event, (rule, error) => {
      this.report(`rules[${rule}] failed for ${describeValue(event.name)}`, error);
    });
    if (effects.length > 0) {
      this.take(event, effects);
    } else {
      this.idle++;
    }
    this.recent.add(event.id);
  }

  flush(budget: TimeBudget = DEFAULT_BUDGET): Promise<void> {
    return this.flusher.flush(budget);
  }

  async close(budget: TimeBudget = DEFAULT_BUDGET): Promise<void> {
    this.closed = true;
    await this.flusher.close(budget);
  }

  stats(): BackendStats {
    const { accepted, delivered, retried, dead } = this.flusher;
    const lastError = this.flusher.lastError ?? this.lastError;
    const oldestMs = this.flusher.oldestMs();
    return {
      accepted: accepted + this.idle,
      delivered: delivered + this.idle,
      retried,
      dead,
      dropped: this.dropped.snapshot(),
      depth: accepted - delivered - dead,
      ...(oldestMs === undefined ? {} : { oldestMs }),
      ...(lastError === undefined ? {} : { lastError }),
      state: this.closed ? 'closed' : this.flusher.state,
    };
  }

  private take(event: TrackingEvent, effects: Parameters<MetricsFlusher['take']>[0]): void {
    const name = describeValue(event.name);
    try {
      if (this.flusher.take(effects)) {
        return;
      }
    } catch (error) {
      this.dropped.add('overflow');
      throw new TrackingError('overflow', `${name} was not counted: ${errorMessage(error)}`, {
        cause: error,
      });
    }
    this.dropped.add('overflow');
    throw new TrackingError(
      'overflow',
      `maxWaiting (${this.settings.maxWaiting}) counters, members and facts wait for the store; ${name} was not counted`,
    );
  }

  private report(message: string, error: unknown): void {
    this.lastError = errorMessage(error);
    this.host?.report({ code: 'backend_failed', message, error });
  }
}
