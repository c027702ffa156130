/*
 * What the counters are measured against: a Map, LMDB and Redis used by hand for a total and a day, and the ancestor's
 * way on Redis (see `py-fasttrack`: day, week, month and total one after the other; a series asks each month for every
 * day).
 */
import { open } from 'lmdb';

const DAY_MS = 86_400_000;
export const FIRST_DAY = Date.UTC(2016, 0, 1);
const iso = (ms) => new Date(ms).toISOString().slice(0, 10);

export function mapFloor() {
  const totals = new Map();
  return {
    increment: (subjects) => {
      for (const subject of subjects) {
        for (const key of [subject, `${subject}:2026-01-15`]) {
          totals.set(key, (totals.get(key) ?? 0) + 1);
        }
      }
    },
  };
}

export function lmdbFloor(folder) {
  const db = open({ path: folder, encoding: 'msgpack' });
  return {
    increment: (subjects) =>
      db.transaction(() => {
        for (const subject of subjects) {
          for (const key of [subject, `${subject}:2026-01-15`]) {
            db.put(key, (db.get(key) ?? 0) + 1);
          }
        }
      }),
    close: () => db.close(),
  };
}

export function pipelineFloor(client) {
  return {
    increment: (subjects) => {
      const pipeline = client.pipeline();
      for (const subject of subjects) {
        pipeline.incrby(`floor:${subject}`, 1);
        pipeline.hincrby(`floor:${subject}:days`, '2026-01-15', 1);
      }
      return pipeline.exec();
    },
  };
}

export function ancestor(client) {
  const month = (ms) => iso(ms).slice(2, 7);
  const monday = (ms) => iso(ms - ((new Date(ms).getUTCDay() + 6) % 7) * DAY_MS).slice(2);
  const add = async (uid, ms) => {
    const perMonth = `user:${uid}:analy:${month(ms)}`;
    const perYear = `user:${uid}:analy:${iso(ms).slice(2, 4)}`;
    await client.hincrby(perMonth, `donations:${iso(ms).slice(2)}`, 1);
    await client.hincrby(perYear, `donations:${monday(ms)}`, 1);
    await client.hincrby(perYear, `donations:${month(ms)}`, 1);
    await client.incrby(`analy:${uid}:count:donations`, 1);
  };
  return {
    increment: async (subjects) => {
      for (const subject of subjects) {
        await add(subject, Date.UTC(2026, 0, 15));
      }
    },
    fill: async (uid, days) => {
      for (let day = 0; day < days; day++) {
        await add(uid, FIRST_DAY + day * DAY_MS);
      }
    },
    series: async (uid, days) => {
      const fields = [];
      const keys = new Set();
      for (let day = 0; day < days; day++) {
        const ms = FIRST_DAY + day * DAY_MS;
        fields.push(`donations:${iso(ms).slice(2)}`);
        keys.add(`user:${uid}:analy:${month(ms)}`);
      }
      const values = new Map(fields.map((field) => [field, 0]));
      for (const key of keys) {
        const found = await client.hmget(key, ...fields);
        found.forEach((value, index) => {
          if (value !== null) {
            values.set(fields[index], Number(value));
          }
        });
      }
      return values;
    },
  };
}
