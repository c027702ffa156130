import type { Counter } from '../metrics/metrics-store.js';
import { DAY_MS } from '../metrics/time-zone.js';
import type { LmdbDatabase, Range } from './lmdb-database.js';
import type { LmdbDraft } from './lmdb-draft.js';
import type { KeyKind } from './lmdb-keys.js';
import { keyOf, nameIn, numberIn, rangeOf } from './lmdb-keys.js';
import { monthOf } from '../metrics/calendar.js';

/** Kinds whose names are a subject and a metric (or key). */
const BY_SUBJECT: readonly KeyKind[] = ['t', 'd', 'h', 'u', 'f'];

/** Forgets a subject, a metric, both, or everything but the version. */
export function clear(draft: LmdbDraft, { subject, metric }: Partial<Counter>): void {
  for (const kind of BY_SUBJECT) {
    const names = subject === undefined ? [] : [subject];
    for (const key of draft.keys(rangeOf(keyOf(kind, names)))) {
      if (metric === undefined || nameIn(key, 1) === metric) {
        draft.remove(key);
      }
    }
  }
  if (subject === undefined) {
    const names = metric === undefined ? [] : [metric];
    removeAll(draft, rangeOf(keyOf('m', names)));
  }
  for (const key of draft.keys(rangeOf(keyOf('i', metric === undefined ? [] : [metric])))) {
    if (subject === undefined || nameIn(key, 1) === subject) {
      draft.remove(key);
    }
  }
}

function removeAll(draft: LmdbDraft, range: Range): void {
  for (const key of draft.keys(range)) {
    draft.remove(key);
  }
}

export interface KeepFrom {
  readonly hours?: number | undefined;
  readonly days?: number | undefined;
}

/** Looks at keys from where it stopped the last time: every key is looked at once a round. */
export class Sweep {
  private next: Buffer | undefined;

  constructor(private readonly keysPerStep: number) {}

  /** The keys of one step that are no longer kept; `done` at the end of a round. */
  step(db: LmdbDatabase, before: KeepFrom): { readonly expired: readonly Buffer[]; readonly done: boolean } {
    const start = this.next ?? keyOf('d');
    const end = rangeOf(keyOf('u')).end;
    const expired: Buffer[] = [];
    let seen = 0;
    for (const key of db.keys({ start, end, limit: this.keysPerStep + 1 })) {
      if (++seen > this.keysPerStep) {
        this.next = key;
        return { expired, done: false };
      }
      if (isExpired(key, before)) {
        expired.push(key);
      }
    }
    this.next = undefined;
    return { expired, done: true };
  }
}

function isExpired(key: Buffer, { hours, days }: KeepFrom): boolean {
  switch (String.fromCharCode(key[0] ?? 0)) {
    case 'h':
      return hours !== undefined && numberIn(key) < hours;
    case 'd':
      return days !== undefined && numberIn(key) < monthOf(days);
    case 'u':
    case 'm':
      return days !== undefined && numberIn(key) < days;
    case 'f':
      // A day of room for the time zone.
      return days !== undefined && numberIn(key, 1) < (days - 1) * DAY_MS;
    default:
      return false;
  }
}
