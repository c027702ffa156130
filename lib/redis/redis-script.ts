import { createHash } from 'node:crypto';
import type { RedisArgument, RedisClient } from './redis-client.js';

/** A script that a server is told once, by a short name from then on. */
export class RedisScript {
  private readonly sha: string;

  constructor(private readonly source: string) {
    this.sha = createHash('sha1').update(source).digest('hex');
  }

  async run(client: RedisClient, keys: readonly string[], args: readonly RedisArgument[]): Promise<unknown> {
    const rest = [keys.length, ...keys, ...args];
    try {
      return await client.call('EVALSHA', [this.sha, ...rest]);
    } catch (error) {
      if (!isUnknownScript(error)) {
        throw error;
      }
      return client.call('EVAL', [this.source, ...rest]);
    }
  }
}

/** A server forgets its scripts when it starts anew. */
function isUnknownScript(error: unknown): boolean {
  return (
    typeof error === 'object' &&
    error !== null &&
    String((error as { message?: unknown }).message).startsWith('NOSCRIPT')
  );
}
