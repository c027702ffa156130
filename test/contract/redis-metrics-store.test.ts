import { afterAll, beforeAll, describe, it } from '@jest/globals';
import type { Cluster, Redis } from 'ioredis';
import { redisMetricsStore } from '../../lib/redis.js';
import { metricsStoreContract } from '../../lib/testing.js';
import { RedisCluster, RedisServer } from '../support/redis-server.js';

const START_TIMEOUT_MS = 60_000;

describe('on one server', () => {
  let server: RedisServer;
  let client: Redis;
  let stores = 0;

  beforeAll(async () => {
    server = await RedisServer.start();
    client = server.client();
  }, START_TIMEOUT_MS);

  afterAll(async () => {
    client.disconnect();
    await server.stop();
  });

  describe('redisMetricsStore keeps the contract of a metrics store', () => {
    const make = () => redisMetricsStore({ client, prefix: `metrics-${stores++}*[a]:` });
    it.each(metricsStoreContract(make))('$name', ({ run }) => run());
  });

  describe('redisMetricsStore keeps it with a client that has a prefix of its own', () => {
    const make = () =>
      redisMetricsStore({ client: () => server.client({ keyPrefix: `of-app-${stores++}:` }) });
    it.each(metricsStoreContract(make))('$name', ({ run }) => run());
  });
});

describe('on a cluster of three masters', () => {
  let cluster: RedisCluster;
  let client: Cluster;
  let stores = 0;

  beforeAll(async () => {
    cluster = await RedisCluster.start();
    client = cluster.client();
  }, START_TIMEOUT_MS);

  afterAll(async () => {
    client.disconnect();
    await cluster.stop();
  });

  describe('redisMetricsStore keeps the contract of a metrics store', () => {
    const make = () => redisMetricsStore({ client, prefix: `metrics-${stores++}:` });
    it.each(metricsStoreContract(make))('$name', ({ run }) => run());
  });
});
