import { TrackingError } from '../core/errors.js';
import type { Metrics } from '../metrics/metrics.js';

/** What is injected where `forRoot` was given no metrics: it says so to whoever uses it. */
export function absentMetrics(name: string): Metrics {
  const missing = (): Promise<never> =>
    Promise.reject(
      new TrackingError(
        'invalid_options',
        `there are no metrics in the options of TrackingModule.forRoot (${JSON.stringify(name)})`,
      ),
    );
  return {
    increment: missing,
    incrementTotal: missing,
    total: missing,
    totals: missing,
    count: missing,
    counts: missing,
    series: missing,
    seriesMany: missing,
    set: missing,
    addUnique: missing,
    uniques: missing,
    record: missing,
    facts: missing,
    factsOf: missing,
    clear: missing,
    close: () => Promise.resolve(),
  };
}
