/** `nestjs-tracking/redis`: metrics on Redis and Redis Cluster; needs `ioredis`. */
export type { RedisArgument, RedisClient } from './redis/redis-client.js';
export type { RedisMetricsStoreOptions } from './redis/redis-metrics-store.js';
export { redisMetricsStore } from './redis/redis-metrics-store.js';
