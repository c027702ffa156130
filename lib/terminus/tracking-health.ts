import type { BackendStats, TrackerStats } from '../core/stats.js';
import type { OptionsOf } from '../core/options.js';
import { object, optional, positiveInteger, readOptions, value } from '../core/options.js';
import type { Losses, LossReason } from './losses.js';

export interface TrackingHealthOptions {
  /** The name of the tracker, as given to `TrackingModule.forRoot`. Default: `default`. */
  readonly tracker?: string;
  /** So long a loss of events makes a tracker unhealthy. Default: 60,000. */
  readonly windowMs?: number;
}

/** One backend, as a health check shows it. */
export interface BackendHealth {
  readonly state: BackendStats['state'];
  /** Why it is paused. */
  readonly stateReason?: string;
  /** Accepted events that wait. */
  readonly depth: number;
  /** Age of the oldest of them. */
  readonly oldestMs?: number;
  /** ISO 8601; absent before the first delivery. */
  readonly lastSuccess?: string;
  readonly lastError?: string;
  /** Why it lost events within the window. */
  readonly losing?: readonly LossReason[];
}

export interface TrackingHealth {
  readonly backends: Readonly<Record<string, BackendHealth>>;
  /** What makes it unhealthy. */
  readonly problems: readonly string[];
}

/**
 * A destination that is away is no reason to restart an app, which would not bring it back: unhealthy is what loses
 * events, and a tracker that takes none.
 */
export function trackingHealth({ backends }: TrackerStats, losses: Losses, windowMs: number): TrackingHealth {
  const healths = Object.entries(backends).map(([path, stats]) => {
    losses.look(path, stats);
    return [path, backendHealth(stats, losses.within(path, windowMs))] as const;
  });
  const isClosed = healths.length > 0 && healths.every(([, { state }]) => state === 'closed');
  return {
    backends: Object.fromEntries(healths),
    problems: isClosed
      ? ['the tracker is closed']
      : healths.flatMap(([path, { losing }]) =>
          losing === undefined ? [] : [`${path} lost events (${losing.join(', ')})`],
        ),
  };
}

function backendHealth(stats: BackendStats, losing: readonly LossReason[]): BackendHealth {
  const { state, stateReason, depth, oldestMs, lastError } = stats;
  const { lastDeliveredAt: at } = stats;
  return {
    state,
    ...(stateReason === undefined ? {} : { stateReason }),
    depth,
    ...(oldestMs === undefined ? {} : { oldestMs: Math.round(oldestMs) }),
    ...(at === undefined ? {} : { lastSuccess: new Date(at).toISOString() }),
    ...(lastError === undefined ? {} : { lastError }),
    ...(losing.length === 0 ? {} : { losing }),
  };
}

const table = object({
  tracker: optional(value<string>('the name of a tracker', (given) => typeof given === 'string')),
  windowMs: optional(positiveInteger, 60_000),
});

/** @throws TrackingError `invalid_options` */
export function readHealthOptions(options: TrackingHealthOptions): OptionsOf<typeof table> {
  return readOptions('the options of isHealthy() are wrong', options, table);
}
