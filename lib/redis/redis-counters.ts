import type { Block, Counter, DaySetting, Span, WriteId, WriteOptions } from '../metrics/metrics-store.js';
import { DAYS_PER_BLOCK, HOURS_PER_BLOCK, OverflowError } from '../metrics/metrics-store.js';
import type { Settled } from '../metrics/write-queue.js';
import { INCREMENT, READ_HOURS, SET_DAY } from './lua-counters.js';
import type { RedisConnection } from './redis-connection.js';
import type { Increment } from './redis-increments.js';
import { gatherAnswers, planCalls } from './redis-increments.js';
import { subjectBase } from './redis-keys.js';
import { redisMoment } from './redis-moment.js';
import { RedisScript } from './redis-script.js';
import { onceArguments } from './write-ids.js';

/** Asking for so many months that may not be there costs no more than asking which there are. */
const MAX_MONTHS_UNSEEN = 240;

const increment = new RedisScript(INCREMENT);
const setDay = new RedisScript(SET_DAY);
const readHours = new RedisScript(READ_HOURS);

/** Counters in Redis. */
export class RedisCounters {
  constructor(
    private readonly connection: RedisConnection,
    private readonly prefix: string,
  ) {}

  async increment(increments: readonly Increment[], id: WriteId): Promise<Settled<readonly number[]>[]> {
    const { connection } = this;
    const baseOf = (subject: string): string => subjectBase(this.prefix, subject);
    const calls = planCalls(increments, baseOf, connection.isCluster);
    const answers = await Promise.all(
      calls.map(({ keys, moments, operations }) =>
        connection.run(increment, keys, ...onceArguments(id), JSON.stringify([moments, operations])).then(
          (value): Settled<unknown> => ({ value }),
          (error: unknown) => ({ error }),
        ),
      ),
    );
    return gatherAnswers(increments, calls, answers);
  }

  async set(setting: DaySetting, id: WriteId, options: WriteOptions): Promise<void> {
    const { subject, metric, day, hour, value } = setting;
    const done = await this.connection.run(
      setDay,
      [subjectBase(this.prefix, subject)],
      ...onceArguments(id),
      JSON.stringify([metric, value, redisMoment(day, hour, options)]),
    );
    if (done === 0) {
      throw new OverflowError(setting);
    }
  }

  async total({ subject, metric }: Counter): Promise<number> {
    const key = `${subjectBase(this.prefix, subject)}:t`;
    return Number((await this.connection.call('HGET', key, metric)) ?? 0);
  }

  async days({ subject, metric }: Counter, months: Span): Promise<Block[]> {
    const base = subjectBase(this.prefix, subject);
    const wanted = await this.monthsWithin(base, metric, months);
    if (wanted.length === 0) {
      return [];
    }
    const found = (await this.connection.callBuffer(
      'MGET',
      ...wanted.map((month) => `${base}:d:${month}:${metric}`),
    )) as (Buffer | null)[];
    return wanted.flatMap((at, index) => {
      const bytes = found[index] ?? null;
      return bytes === null ? [] : [{ at, values: integersIn(bytes) }];
    });
  }

  async hours({ subject, metric }: Counter, { from, to }: Required<Span>): Promise<Block[]> {
    const found = (await this.connection.run(
      readHours,
      [subjectBase(this.prefix, subject)],
      ...[metric, from, to],
    )) as (number | string)[];
    const blocks: Block[] = [];
    for (let index = 0; index < found.length; index += 2) {
      blocks.push({
        at: found[index] as number,
        values: hoursIn(found[index + 1] as string),
      });
    }
    return blocks;
  }

  private async monthsWithin(
    base: string,
    metric: string,
    { from = -Infinity, to = Infinity }: Span,
  ): Promise<number[]> {
    if (to - from < MAX_MONTHS_UNSEEN) {
      return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
    }
    const months = await this.connection.call('HKEYS', `${base}:x:${metric}`);
    return (months as string[])
      .map(Number)
      .filter((month) => month >= from && month <= to)
      .sort((a, b) => a - b);
  }
}

/** Integers of 64 bits, big-endian; the values are safe integers. */
function integersIn(bytes: Buffer): Float64Array {
  const values = new Float64Array(DAYS_PER_BLOCK);
  for (let at = 0; at + 8 <= bytes.length; at += 8) {
    values[at / 8] = bytes.readInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4);
  }
  return values;
}

/** `hour,value,hour,value` */
function hoursIn(text: string): Float64Array {
  const values = new Float64Array(HOURS_PER_BLOCK);
  const numbers = text.split(',').map(Number);
  for (let index = 0; index < numbers.length; index += 2) {
    values[numbers[index] as number] = numbers[index + 1] as number;
  }
  return values;
}
