import type {
  Counter,
  FactsKey,
  FactsRecord,
  MembersOfDay,
  Span,
  StoredFacts,
  UniqueKey,
  WriteId,
  WriteOptions,
} from '../metrics/metrics-store.js';
import { ADD_MEMBERS, CLEAR, COUNT_MEMBERS, RECORD } from './lua-members.js';
import type { RedisConnection } from './redis-connection.js';
import { escapePattern, factsIndexKey, metricBase, subjectBase } from './redis-keys.js';
import { factsBefore, lifeOf } from './redis-lives.js';
import { RedisScript } from './redis-script.js';
import { onceArguments } from './write-ids.js';

const PAGE = 500;
/** Beyond what any day can be. */
const FAR = 10 ** 9;
/** Digits before the moment and the JSON of stored facts. */
const NUMBER_LENGTH = 16;

const addMembers = new RedisScript(ADD_MEMBERS);
const countMembers = new RedisScript(COUNT_MEMBERS);
const record = new RedisScript(RECORD);
const clear = new RedisScript(CLEAR);

/** Members and facts in Redis, and the end of everything. */
export class RedisMembers {
  constructor(
    private readonly connection: RedisConnection,
    private readonly prefix: string,
  ) {}

  /** May be repeated: a member is counted once. */
  async add(groups: readonly MembersOfDay[], { keep, today }: WriteOptions): Promise<void> {
    const lanes = this.lanes(groups, (group) => this.baseOf(group));
    await Promise.all(
      lanes.map(({ keys, items }) =>
        this.connection.run(
          addMembers,
          keys,
          JSON.stringify(
            items.map(({ number, item: { metric, day, hashes } }) => [
              ...[number, metric, day, lifeOf(day, keep.days, today)],
              ...hashes.map(String),
            ]),
          ),
        ),
      ),
    );
  }

  async count(unique: UniqueKey, days: Span): Promise<number> {
    return Number(
      await this.connection.run(
        countMembers,
        [this.baseOf(unique)],
        ...[unique.metric, days.from ?? -FAR, days.to ?? FAR],
      ),
    );
  }

  /**
   * The index comes first: a subject in it without facts does no harm. If the subject had none before, somebody may have
   * cleared it, and the index, in the meantime.
   */
  async record(records: readonly FactsRecord[], id: WriteId, options: WriteOptions): Promise<void> {
    await this.addToIndex(records);
    const before = factsBefore(options);
    const lanes = this.lanes(records, ({ subject }) => subjectBase(this.prefix, subject));
    await Promise.all(
      lanes.map(async ({ keys, items }) => {
        const first = await this.connection.run(
          record,
          keys,
          ...onceArguments(id),
          JSON.stringify(
            items.map(({ number, item: { key, atMs, json } }) => [...[number, key, atMs, json, before]]),
          ),
        );
        await this.addToIndex((first as number[]).map((nth) => (items[nth] as { item: FactsRecord }).item));
      }),
    );
  }

  async facts({ subject, key }: FactsKey, times: Span): Promise<StoredFacts[]> {
    const found = (await this.connection.call(
      'ZRANGEBYSCORE',
      `${subjectBase(this.prefix, subject)}:f:${key}`,
      times.from ?? '-inf',
      times.to ?? '+inf',
    )) as string[];
    return found.map((text) => {
      const space = text.indexOf(' ');
      return {
        atMs: Number(text.slice(NUMBER_LENGTH, space)),
        json: text.slice(space + 1),
      };
    });
  }

  async subjectsWithFacts(key: string): Promise<string[]> {
    const index = factsIndexKey(this.prefix, key);
    return (await this.connection.call('SMEMBERS', index)) as string[];
  }

  async clear({ subject, metric }: Partial<Counter>): Promise<void> {
    if (subject !== undefined) {
      await this.clearSubject(subject, metric);
      return;
    }
    for (const kind of ['s', 'm']) {
      for (const end of ['t', 'r']) {
        await this.clearBases(`{${kind}:*}:${end}`, metric);
      }
    }
    const indexes =
      metric === undefined
        ? this.connection.scan(`${escapePattern(this.prefix)}{f:*}`, PAGE)
        : [[factsIndexKey(this.prefix, metric)]];
    for await (const keys of indexes) {
      await Promise.all(keys.map((key) => this.connection.call('UNLINK', key)));
    }
  }

  /** The index first, see `record`. */
  private async clearSubject(subject: string, metric: string | undefined): Promise<void> {
    const base = subjectBase(this.prefix, subject);
    const registry = await this.connection.call('SMEMBERS', `${base}:r`);
    const keys = (registry as string[])
      .filter((name) => name.startsWith('f'))
      .map((name) => name.slice(1))
      .filter((key) => metric === undefined || key === metric);
    await Promise.all(
      keys.map((key) => this.connection.call('SREM', factsIndexKey(this.prefix, key), subject)),
    );
    await this.clearBase(base, metric);
  }

  private async clearBases(pattern: string, metric: string | undefined): Promise<void> {
    const all = escapePattern(this.prefix) + pattern;
    for await (const keys of this.connection.scan(all, PAGE)) {
      await Promise.all(keys.map((key) => this.clearBase(key.slice(0, -':t'.length), metric)));
    }
  }

  private async clearBase(base: string, metric: string | undefined): Promise<void> {
    await this.connection.run(clear, [base], ...(metric === undefined ? [] : [metric]));
  }

  private async addToIndex(records: readonly FactsRecord[]): Promise<void> {
    const subjects = new Map<string, Set<string>>();
    for (const { key, subject } of records) {
      subjects.set(key, (subjects.get(key) ?? new Set()).add(subject));
    }
    await Promise.all(
      Array.from(subjects, ([key, names]) =>
        this.connection.call('SADD', factsIndexKey(this.prefix, key), ...names),
      ),
    );
  }

  private baseOf({ metric, subject }: UniqueKey): string {
    return subject === undefined ? metricBase(this.prefix, metric) : subjectBase(this.prefix, subject);
  }

  /** One call for all, or, where bases lie on several servers, one for each. */
  private lanes<Item>(items: readonly Item[], baseOf: (item: Item) => string): Lane<Item>[] {
    const lanes = new Map<string, Lane<Item>>();
    for (const item of items) {
      const base = baseOf(item);
      const name = this.connection.isCluster ? base : '';
      const lane = lanes.get(name) ?? { keys: [], items: [] };
      lanes.set(name, lane);
      if (!lane.keys.includes(base)) {
        lane.keys.push(base);
      }
      lane.items.push({ number: lane.keys.indexOf(base) + 1, item });
    }
    return [...lanes.values()];
  }
}

interface Lane<Item> {
  readonly keys: string[];
  /** Each with the number of its base among the keys, from 1. */
  readonly items: { readonly number: number; readonly item: Item }[];
}
