/** `nestjs-tracking/testing`: doubles, matchers and contract suites for tests. */
export type { BackendContractOptions } from './testing/backend-contract.js';
export { backendContract } from './testing/backend-contract.js';
export type { ContractBacklogConfig } from './testing/backlog-bench.js';
export type { BacklogContractOptions } from './testing/backlog-contract.js';
export { backlogContract } from './testing/backlog-contract.js';
export type { CollectedRequest } from './testing/collected-request.js';
export type { Collector, CollectorOptions, Respond } from './testing/collector.js';
export { startCollector } from './testing/collector.js';
export type { CollectorAnswer } from './testing/collector-answer.js';
export type { ContractRunner } from './testing/contract-runner.js';
export type { FakeClock } from './testing/fake-clock.js';
export { fakeClock } from './testing/fake-clock.js';
export type { MatcherResult, TrackedSource, TrackingMatchers } from './testing/matchers.js';
export { trackingMatchers } from './testing/matchers.js';
export type { MemoryBackend, MemoryBackendOptions } from './testing/memory-backend.js';
export { memoryBackend } from './testing/memory-backend.js';
export type { MetricsStoreContractOptions } from './testing/metrics-store-contract.js';
export { metricsStoreContract } from './testing/metrics-store-contract.js';
