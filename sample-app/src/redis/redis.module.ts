import { Global, Module } from '@nestjs/common';
import { RedisConnection } from './redis.connection.js';

/**
 * Nest runs the shutdown hooks of global modules last, and among these the first imported is the last: imported before
 * `TrackingModule`, the connection outlives the tracker that writes through it.
 */
@Global()
@Module({ providers: [RedisConnection], exports: [RedisConnection] })
export class RedisModule {}
