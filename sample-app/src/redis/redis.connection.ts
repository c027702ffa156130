import type { OnApplicationShutdown } from '@nestjs/common';
import { Injectable, Logger } from '@nestjs/common';
import { Redis } from 'ioredis';
import { Settings } from '../settings/settings.js';

/** The app's own connection to Redis, where REDIS_URL says which. */
@Injectable()
export class RedisConnection implements OnApplicationShutdown {
  readonly client: Redis | undefined;
  private readonly logger = new Logger(RedisConnection.name);
  private isDown = false;

  constructor({ redisUrl }: Settings) {
    if (redisUrl !== undefined) {
      // A command that fails early lets its caller answer: what is counted waits and is tried again anyway.
      this.client = new Redis(redisUrl, { maxRetriesPerRequest: 1 });
      this.client.on('error', (error: Error) => {
        this.tellOnce(error);
      });
      this.client.on('ready', () => {
        this.isDown = false;
      });
    }
  }

  /** The tracker has closed, see `RedisModule`: whatever had to be written has been, and nobody waits for an answer. */
  onApplicationShutdown(): void {
    this.client?.disconnect();
  }

  /** Not at every attempt to connect again. */
  private tellOnce({ message }: Error): void {
    if (!this.isDown) {
      this.isDown = true;
      this.logger.warn(`Redis cannot be reached (${message}); what is counted waits for it`);
    }
  }
}
