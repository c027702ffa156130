/** `nestjs-tracking/testing`: doubles, matchers and contract suites for tests. */
export type { BackendContractOptions } from './testing/backend-contract.js';
export { backendContract } from './testing/backend-contract.js';
export type { BacklogContractOptions, ContractBacklogConfig } from './testing/backlog-contract.js';
export { backlogContract } from './testing/backlog-contract.js';
export type {
  CollectedRequest,
  Collector,
  CollectorAnswer,
  CollectorOptions,
  Respond,
} from './testing/collector.js';
export { startCollector } from './testing/collector.js';
export type { ContractTest } from './testing/contract-suite.js';
export type { FakeClock } from './testing/fake-clock.js';
export { fakeClock } from './testing/fake-clock.js';
export type { MatcherResult, TrackedSource, TrackingMatchers } from './testing/matchers.js';
export { trackingMatchers } from './testing/matchers.js';
export type { MemoryBackend, MemoryBackendOptions } from './testing/memory-backend.js';
export { memoryBackend } from './testing/memory-backend.js';
export type { MetricsStoreContractOptions } from './testing/metrics-store-contract.js';
export { metricsStoreContract } from './testing/metrics-store-contract.js';
