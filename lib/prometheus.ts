/** `nestjs-tracking/prometheus`: counts of a tracker and its backends, for `prom-client`. */
export type { TrackingMetricsOptions } from './prometheus/tracking-metrics.js';
export { trackingMetrics } from './prometheus/tracking-metrics.js';
