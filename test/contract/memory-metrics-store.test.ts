import { describe, it } from '@jest/globals';
import { memoryMetricsStore } from '../../lib/core.js';
import { metricsStoreContract } from '../../lib/testing.js';

metricsStoreContract(memoryMetricsStore, {
  describe,
  it,
  name: 'memoryMetricsStore keeps the contract of a metrics store',
});
