import { TrackingError } from '../core/errors.js';
import type { Day } from './calendar.js';
import type { MetricsSettings } from './metrics-options.js';
import type {
  Change,
  DaySetting,
  FactsRecord,
  MembersOfDay,
  MetricsStore,
  WriteOptions,
} from './metrics-store.js';
import { Pruning } from './retention.js';

/** The way to a store for whoever has checked what is written: after `close` there is none. */
export class MetricsWriter {
  private closing: Promise<void> | undefined;
  private readonly pruning: Pruning;
  private readonly options: WriteOptions;

  constructor(readonly settings: MetricsSettings) {
    this.pruning = new Pruning(settings.store, settings.keep);
    this.options = { keep: settings.keep };
  }

  /** @throws TrackingError `closed` */
  get store(): MetricsStore {
    if (this.closing !== undefined) {
      throw new TrackingError('closed', 'the metrics are closed');
    }
    return this.settings.store;
  }

  today(): Day {
    return this.settings.zone.hourAt(this.settings.clock.now()).day;
  }

  /** @param once see `WriteOptions` */
  increment(
    changes: readonly Change[],
    once?: string,
  ): Promise<readonly number[]> {
    return this.write((store) => store.increment(changes, this.with(once)));
  }

  set(setting: DaySetting): Promise<void> {
    return this.write((store) => store.set(setting, this.options));
  }

  addMembers(groups: readonly MembersOfDay[], once?: string): Promise<void> {
    return this.write((store) => store.addMembers(groups, this.with(once)));
  }

  record(records: readonly FactsRecord[], once?: string): Promise<void> {
    return this.write((store) => store.record(records, this.with(once)));
  }

  close(): Promise<void> {
    this.closing ??= this.settings.store.close();
    return this.closing;
  }

  private with(once: string | undefined): WriteOptions {
    return once === undefined ? this.options : { ...this.options, once };
  }

  private write<T>(run: (store: MetricsStore) => Promise<T>): Promise<T> {
    const written = run(this.store);
    this.pruning.step(this.today());
    return written;
  }
}
