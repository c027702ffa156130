/** `nestjs-tracking/lmdb`: metrics in an embedded database; needs `lmdb`. */
export type { LmdbMetricsStoreOptions } from './lmdb/lmdb-metrics-store.js';
export { lmdbMetricsStore } from './lmdb/lmdb-metrics-store.js';
