/** `nestjs-tracking/lmdb`: a durable backlog and metrics in an embedded database; needs `lmdb`. */
export type { LmdbBacklogOptions } from './lmdb/lmdb-backlog-options.js';
export { lmdbBacklog } from './lmdb/lmdb-backlog.js';
export type { LmdbMetricsStoreOptions } from './lmdb/lmdb-metrics-store.js';
export { lmdbMetricsStore } from './lmdb/lmdb-metrics-store.js';
