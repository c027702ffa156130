import { isRecord, Problems } from '../core/options.js';
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
} from '../metrics/metrics-store.js';
import { WriteQueue } from '../metrics/write-queue.js';
import { addChanges, readBlocks, readTotal, setDay } from './lmdb-counters.js';
import type { DraftWork } from './lmdb-database.js';
import { LmdbDatabase } from './lmdb-database.js';
import { addMembers, countMembers, readFacts, recordFacts, subjectsWithFacts } from './lmdb-members.js';
import type { KeepFrom } from './lmdb-removal.js';
import { clear, Sweep } from './lmdb-removal.js';

export interface LmdbMetricsStoreOptions {
  /** A folder, made when it is missing; the metrics are in its file `metrics.mdb`. Several processes may share it. */
  readonly path: string;
}

const FILE = 'metrics.mdb';
const QUEUE = { maxInFlight: 1, maxBatch: 1_000, maxWaiting: 100_000 };
const KEYS_PER_STEP = 1_000;

/**
 * Metrics in an embedded database. What was counted outlives the process as soon as the call resolves, and a power cut
 * as soon as it is flushed, which follows at once.
 *
 * @throws TrackingError `invalid_options`, also when the file is damaged or on a network file system
 */
export function lmdbMetricsStore(options: LmdbMetricsStoreOptions): MetricsStore {
  return new LmdbMetricsStore(LmdbDatabase.open(readPath(options), FILE));
}

/**
 * Stored, see `lmdb-keys.ts` for the keys
 * - `t`: a total, a double. `d`: 31 values, the days of a month. `h`: 24 values, the hours of a day; both packed, see
 *   `packed-values.ts`.
 * - `u`, `m`: the bytes of `DistinctMembers`. `f`: JSON. `i`: nothing; there is one for each subject and key of `f`.
 */
class LmdbMetricsStore implements MetricsStore {
  private readonly queue: WriteQueue<DraftWork<unknown>>;
  private readonly sweep = new Sweep(KEYS_PER_STEP);

  constructor(private readonly db: LmdbDatabase) {
    this.queue = new WriteQueue((batch) => db.write(batch), QUEUE);
  }

  increment(changes: readonly Change[]): Promise<readonly number[]> {
    return this.write((draft) => addChanges(draft, changes));
  }

  set(setting: DaySetting): Promise<void> {
    return this.write((draft) => {
      setDay(draft, setting);
    });
  }

  async totals(counters: readonly Counter[]): Promise<readonly number[]> {
    const db = await this.read();
    return counters.map((counter) => readTotal(db, counter));
  }

  async days(counters: readonly Counter[], months: Span): ReturnType<MetricsStore['days']> {
    const db = await this.read();
    return counters.map((counter) => readBlocks(db, 'd', counter, months));
  }

  async hours(counters: readonly Counter[], days: Required<Span>): ReturnType<MetricsStore['hours']> {
    const db = await this.read();
    return counters.map((counter) => readBlocks(db, 'h', counter, days));
  }

  addMembers(groups: readonly MembersOfDay[]): Promise<void> {
    return this.write((draft) => {
      addMembers(draft, groups);
    });
  }

  async countMembers(unique: UniqueKey, days: Span): Promise<number> {
    return countMembers(await this.read(), unique, days);
  }

  record(records: readonly FactsRecord[]): Promise<void> {
    return this.write((draft) => {
      recordFacts(draft, records);
    });
  }

  async facts(key: FactsKey, times: Span): Promise<readonly StoredFacts[]> {
    return readFacts(await this.read(), key, times);
  }

  async factsOf(key: string, times: Span): Promise<ReadonlyMap<string, readonly StoredFacts[]>> {
    const db = await this.read();
    const found = new Map<string, readonly StoredFacts[]>();
    for (const subject of subjectsWithFacts(db, key)) {
      const facts = readFacts(db, { subject, key }, times);
      if (facts.length > 0) {
        found.set(subject, facts);
      }
    }
    return found;
  }

  clear(what: Partial<Counter>): Promise<void> {
    return this.write((draft) => {
      clear(draft, what);
    });
  }

  async prune(before: KeepFrom): Promise<boolean> {
    const { expired, done } = this.sweep.step(await this.read(), before);
    if (expired.length > 0) {
      await this.write((draft) => {
        for (const key of expired) {
          draft.remove(key);
        }
      });
    }
    return done;
  }

  async close(): Promise<void> {
    await this.queue.drain();
    await this.db.close();
  }

  private write<T>(work: DraftWork<T>): Promise<T> {
    return this.queue.push<T>(work);
  }

  /** A promise, so that what fails rejects. */
  private read(): Promise<LmdbDatabase> {
    return Promise.resolve(this.db.refresh());
  }
}

function readPath(options: unknown): string {
  const problems = new Problems();
  const path = isRecord(options) ? options['path'] : undefined;
  if (!isRecord(options)) {
    problems.add('options', 'an object', options);
  } else {
    problems.onlyKeys('', options, ['path']);
    if (typeof path !== 'string' || path === '') {
      problems.add('path', 'the path of a folder', path);
    }
  }
  problems.throwIfAny('the options of lmdbMetricsStore() are wrong');
  return path as string;
}
