import type { Clock } from '../core/clock.js';
import { TrackingError } from '../core/errors.js';
import { Deadline } from '../core/deadline.js';
import type { RedisArgument, RedisClient } from './redis-client.js';
import type { RedisScript } from './redis-script.js';

const LATE = Symbol('late');

/** A client whose answers are waited for only so long: one that has lost its server may wait for ever. */
export class RedisConnection {
  constructor(
    readonly client: RedisClient,
    private readonly owned: boolean,
    private readonly clock: Clock,
    private readonly timeoutMs: number,
  ) {}

  /** Whether subjects lie on several servers. */
  get isCluster(): boolean {
    return this.client.isCluster === true;
  }

  call(command: string, ...args: RedisArgument[]): Promise<unknown> {
    return this.inTime(this.client.call(command, args));
  }

  callBuffer(command: string, ...args: RedisArgument[]): Promise<unknown> {
    return this.inTime(this.client.callBuffer(command, args));
  }

  run(script: RedisScript, keys: readonly string[], ...args: RedisArgument[]): Promise<unknown> {
    return this.inTime(script.run(this.client, keys, args));
  }

  /** Keys like a pattern, on all masters, page by page; some may come twice. */
  async *scan(pattern: string, pageSize: number): AsyncGenerator<string[]> {
    const keyPrefix = this.client.options?.keyPrefix ?? '';
    const nodes = this.client.nodes?.('master') ?? [this.client];
    for (const node of nodes) {
      let cursor = '0';
      do {
        const [next, keys] = (await this.inTime(
          node.call('SCAN', [...[cursor, 'MATCH', keyPrefix + pattern], ...['COUNT', pageSize]]),
        )) as [string, string[]];
        yield keys.map((key) => key.slice(keyPrefix.length));
        cursor = next;
      } while (cursor !== '0');
    }
  }

  /** Resolves when the work has settled, or the time is up. */
  async settled(work: Promise<unknown>): Promise<void> {
    await this.inTime(work).catch(() => undefined);
  }

  async close(): Promise<void> {
    if (this.owned) {
      await this.settled(this.client.quit());
      this.client.disconnect();
    }
  }

  private async inTime<T>(work: Promise<T>): Promise<T> {
    const deadline = new Deadline(this.clock, this.timeoutMs);
    const answer = await deadline.race<T | typeof LATE>(work, LATE);
    if (answer === LATE) {
      throw new TrackingError('timeout', `Redis did not answer within ${this.timeoutMs} ms`);
    }
    return answer;
  }
}
