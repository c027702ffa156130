import type { Clock } from '../core/clock.js';
import { systemClock } from '../core/system-clock.js';
import { clock, isRecord, object, optional, positiveInteger, readOptions, value } from '../core/options.js';
import type {
  Change,
  Counter,
  DaySetting,
  FactsKey,
  FactsRecord,
  MembersOfDay,
  MetricsStore,
  Span,
  StoredFacts,
  UniqueKey,
  WriteOptions,
} from '../metrics/metrics-store.js';
import { WriteQueue } from '../metrics/write-queue.js';
import type { RedisClient } from './redis-client.js';
import { RedisConnection } from './redis-connection.js';
import { RedisCounters } from './redis-counters.js';
import type { Increment } from './redis-increments.js';
import { RedisMembers } from './redis-members.js';
import { WriteIds } from './write-ids.js';

export interface RedisMetricsStoreOptions {
  /**
   * `Redis` or `Cluster` of ioredis, which must outlive the metrics; or a function that makes one, which the metrics then
   * close. A client that gives up early (`maxRetriesPerRequest`) tells of an outage sooner.
   */
  readonly client: RedisClient | (() => RedisClient);
  /** What every key begins with; without braces. Default: `metrics:`. */
  readonly prefix?: string;
  /** Longest wait for an answer. Default: 5,000. */
  readonly timeoutMs?: number;
  /** Default: the system's. */
  readonly clock?: Clock;
}

const QUEUE = { maxInFlight: 4, maxBatch: 500, maxWaiting: 100_000 };
const SUBJECTS_AT_ONCE = 100;

/**
 * Metrics in Redis (6.2 or later) or a Redis Cluster. What is written in one turn of the event loop goes in one call of a
 * script; in a cluster in one for each subject, and each takes effect by itself. A command that is sent again after its
 * connection broke does nothing the second time.
 *
 * @throws TrackingError `invalid_options`
 */
export function redisMetricsStore(options: RedisMetricsStoreOptions): MetricsStore {
  const title = 'the options of redisMetricsStore() are wrong';
  const { client, prefix, timeoutMs, clock = systemClock() } = readOptions(title, options, table);
  const isOwn = typeof client === 'function';
  return new RedisMetricsStore(
    new RedisConnection(isOwn ? client() : client, isOwn, clock, timeoutMs),
    prefix,
  );
}

/** What is stored is described in `redis-keys.ts`. */
class RedisMetricsStore implements MetricsStore {
  private readonly counters: RedisCounters;
  private readonly members: RedisMembers;
  private readonly ids = new WriteIds();
  private readonly queue: WriteQueue<Increment>;

  constructor(
    private readonly connection: RedisConnection,
    prefix: string,
  ) {
    this.counters = new RedisCounters(connection, prefix);
    this.members = new RedisMembers(connection, prefix);
    this.queue = new WriteQueue((batch) => this.counters.increment(batch, this.ids.next()), QUEUE);
  }

  async increment(changes: readonly Change[], options: WriteOptions): Promise<readonly number[]> {
    if (options.once === undefined) {
      return this.queue.push({ changes, options });
    }
    // Its id stands for what the call holds, so nothing may be put beside it.
    const [result] = await this.counters.increment([{ changes, options }], options.once);
    if (result === undefined || 'error' in result) {
      throw result?.error;
    }
    return result.value;
  }

  set(setting: DaySetting, options: WriteOptions): Promise<void> {
    return this.counters.set(setting, this.idOf(options), options);
  }

  totals(counters: readonly Counter[]): Promise<readonly number[]> {
    return Promise.all(counters.map((counter) => this.counters.total(counter)));
  }

  days(counters: readonly Counter[], months: Span): ReturnType<MetricsStore['days']> {
    return Promise.all(counters.map((counter) => this.counters.days(counter, months)));
  }

  hours(counters: readonly Counter[], days: Required<Span>): ReturnType<MetricsStore['hours']> {
    return Promise.all(counters.map((counter) => this.counters.hours(counter, days)));
  }

  addMembers(groups: readonly MembersOfDay[], options: WriteOptions): Promise<void> {
    return this.members.add(groups, options);
  }

  countMembers(unique: UniqueKey, days: Span): Promise<number> {
    return this.members.count(unique, days);
  }

  record(records: readonly FactsRecord[], options: WriteOptions): Promise<void> {
    return this.members.record(records, this.idOf(options), options);
  }

  facts(key: FactsKey, times: Span): Promise<readonly StoredFacts[]> {
    return this.members.facts(key, times);
  }

  async factsOf(key: string, times: Span): Promise<ReadonlyMap<string, readonly StoredFacts[]>> {
    const subjects = await this.members.subjectsWithFacts(key);
    const found = new Map<string, readonly StoredFacts[]>();
    for (let at = 0; at < subjects.length; at += SUBJECTS_AT_ONCE) {
      await Promise.all(
        subjects.slice(at, at + SUBJECTS_AT_ONCE).map(async (subject) => {
          const facts = await this.members.facts({ subject, key }, times);
          if (facts.length > 0) {
            found.set(subject, facts);
          }
        }),
      );
    }
    return found;
  }

  clear(what: Partial<Counter>): Promise<void> {
    return this.members.clear(what);
  }

  /** Redis lets keys expire by itself. */
  prune(): Promise<boolean> {
    return Promise.resolve(true);
  }

  async close(): Promise<void> {
    await this.connection.settled(this.queue.drain());
    await this.connection.close();
  }

  private idOf({ once }: WriteOptions): ReturnType<WriteIds['next']> {
    return once ?? this.ids.next();
  }
}

const table = object({
  client: value<RedisMetricsStoreOptions['client']>(
    'an ioredis client, or a function',
    (given) => typeof given === 'function' || isClient(given),
  ),
  prefix: optional(
    value<string>('a string without braces', (given) => typeof given === 'string' && !/[{}]/.test(given)),
    'metrics:',
  ),
  timeoutMs: optional(positiveInteger, 5_000),
  clock: optional(clock),
});

function isClient(given: unknown): boolean {
  return isRecord(given) && typeof given['callBuffer'] === 'function';
}
