import { Global, Module } from '@nestjs/common';
import { RedisConnection } from './redis.connection.js';

/**
 * Global, so that the connection outlives the tracker that writes through it: Nest runs the shutdown hooks of global
 * modules last, and of these the first imported at the very end.
 */
@Global()
@Module({ providers: [RedisConnection], exports: [RedisConnection] })
export class RedisModule {}
