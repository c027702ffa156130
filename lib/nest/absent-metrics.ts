import { TrackingError } from '../core/errors.js';
import { Metrics } from '../metrics/metrics.js';

const METHODS: readonly (keyof Metrics)[] = [
  ...(['increment', 'incrementTotal', 'total', 'totals', 'count', 'counts', 'series', 'seriesMany'] as const),
  ...(['set', 'addUnique', 'uniques', 'record', 'facts', 'factsOf', 'clear'] as const),
];

/** What is injected where `forRoot` was given no metrics: every call says so. Nobody need inject it. */
export function absentMetrics(name: string): Metrics {
  const missing = (): Promise<never> =>
    Promise.reject(
      new TrackingError(
        'invalid_options',
        `there are no metrics in the options of TrackingModule.forRoot (${JSON.stringify(name)})`,
      ),
    );
  const methods = Object.fromEntries(METHODS.map((method) => [method, missing]));
  return Object.assign(Object.create(Metrics.prototype) as Metrics, methods, {
    close: () => Promise.resolve(),
  });
}
