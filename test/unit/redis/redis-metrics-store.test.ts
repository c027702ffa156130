import { describe, expect, it } from '@jest/globals';
import type { RedisMetricsStoreOptions } from '../../../lib/redis.js';
import { redisMetricsStore } from '../../../lib/redis.js';
import { problemsOf } from '../processors/events.js';

const client = () => undefined;
const CLIENT = 'expected client to be an ioredis client, or a function, got';

describe('the options of a Redis metrics store', () => {
  it.each<[unknown, string]>([
    [undefined, `${CLIENT} undefined`],
    [null, 'expected options to be an object, got null'],
    [{}, `${CLIENT} undefined`],
    [{ client: null }, `${CLIENT} null`],
    [{ client: { call: 1 } }, `${CLIENT} an object with call`],
    [{ client, prefix: 'a{b' }, 'expected prefix to be a string without braces, got "a{b"'],
    [{ client, prefix: 7 }, 'expected prefix to be a string without braces, got 7'],
    [{ client, timeoutMs: 0 }, 'expected timeoutMs to be a positive integer, got 0'],
    [{ client, clock: 5 }, 'expected clock to be a clock, got 5'],
    [{ client, host: 'a' }, 'host is not an option; known are client, prefix, timeoutMs, clock'],
  ])('%j are refused', (options, problem) => {
    expect(problemsOf(() => redisMetricsStore(options as RedisMetricsStoreOptions))).toStrictEqual([
      'the options of redisMetricsStore() are wrong:',
      problem,
    ]);
  });
});
