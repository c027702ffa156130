import { describe, it } from '@jest/globals';
import { memoryBacklog } from '../../lib/delivery/memory-backlog.js';
import { backlogContract } from '../../lib/testing/backlog-contract.js';

backlogContract(
  ({ maxDeadLetters, ...bounds }) =>
    memoryBacklog({
      ...bounds,
      ...(maxDeadLetters === undefined ? {} : { deadLetters: { maxEvents: maxDeadLetters } }),
    }),
  { describe, it, name: 'memoryBacklog keeps the contract of a backlog' },
);
