import { TrackingError } from '../core/errors.js';
import type { Day } from './calendar.js';
import type { MetricsSettings } from './metrics-options.js';
import type {
  Change,
  DaySetting,
  FactsRecord,
  MembersOfDay,
  MetricsStore,
  WriteId,
  WriteOptions,
} from './metrics-store.js';
import { Pruning } from './retention.js';

/** The way to a store for whoever has checked what is written: after `close` there is none. */
export class MetricsWriter {
  private closing: Promise<void> | undefined;
  private readonly pruning: Pruning;
  /** Those of most writes of a day. */
  private options: WriteOptions;

  constructor(readonly settings: MetricsSettings) {
    this.pruning = new Pruning(settings.store, settings.keep);
    this.options = { keep: settings.keep, today: Number.NaN };
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
  increment(changes: readonly Change[], once?: WriteId): Promise<readonly number[]> {
    const options = this.begin(once);
    return this.store.increment(changes, options);
  }

  set(setting: DaySetting): Promise<void> {
    const options = this.begin();
    return this.store.set(setting, options);
  }

  addMembers(groups: readonly MembersOfDay[], once?: WriteId): Promise<void> {
    const options = this.begin(once);
    return this.store.addMembers(groups, options);
  }

  record(records: readonly FactsRecord[], once?: WriteId): Promise<void> {
    const options = this.begin(once);
    return this.store.record(records, options);
  }

  close(): Promise<void> {
    this.closing ??= this.settings.store.close();
    return this.closing;
  }

  private begin(once?: WriteId): WriteOptions {
    const today = this.today();
    this.pruning.step(today);
    if (this.options.today !== today) {
      this.options = { keep: this.settings.keep, today };
    }
    return once === undefined ? this.options : { ...this.options, once };
  }
}
