import { civilDate, monthOf } from '../metrics/calendar.js';
import type { Block, Change, Counter, DaySetting, Span } from '../metrics/metrics-store.js';
import { DAYS_PER_BLOCK, HOURS_PER_BLOCK, OverflowError } from '../metrics/metrics-store.js';
import type { LmdbDatabase } from './lmdb-database.js';
import type { LmdbDraft } from './lmdb-draft.js';
import { keyOf, numberIn, spanOf } from './lmdb-keys.js';
import { packValues, unpackValues } from './packed-values.js';

const TOTAL_BYTES = 8;

/** Adds all changes, or throws; answers the new totals. */
export function addChanges(draft: LmdbDraft, changes: readonly Change[]): readonly number[] {
  return changes.map((change) => add(draft, change));
}

export function setDay(draft: LmdbDraft, setting: DaySetting): void {
  const { subject, metric, day, value } = setting;
  const key = keyOf('d', [subject, metric], [monthOf(day)]);
  const days = unpackValues(draft.get(key), DAYS_PER_BLOCK);
  const by = value - (days[placeOf(day)] as number);
  if (!Number.isSafeInteger(by)) {
    throw new OverflowError(setting);
  }
  add(draft, { ...setting, by });
}

function add(draft: LmdbDraft, change: Change): number {
  const { subject, metric, by, day, hour } = change;
  const names = [subject, metric];
  if (day !== undefined && hour !== undefined) {
    const days = keyOf('d', names, [monthOf(day)]);
    addTo(draft, days, DAYS_PER_BLOCK, placeOf(day), change);
    addTo(draft, keyOf('h', names, [day]), HOURS_PER_BLOCK, hour, change);
  }
  const key = keyOf('t', names);
  const total = exactSum(draft.get(key)?.readDoubleLE(0) ?? 0, by, change);
  const bytes = Buffer.allocUnsafe(TOTAL_BYTES);
  bytes.writeDoubleLE(total);
  draft.put(key, bytes);
  return total;
}

function addTo(draft: LmdbDraft, key: Buffer, length: number, place: number, change: Change): void {
  const values = unpackValues(draft.get(key), length);
  values[place] = exactSum(values[place] as number, change.by, change);
  draft.put(key, packValues(values));
}

function exactSum(value: number, by: number, change: Change): number {
  const sum = value + by;
  if (!Number.isSafeInteger(sum)) {
    throw new OverflowError(change);
  }
  return sum;
}

function placeOf(day: number): number {
  return civilDate(day).dayOfMonth - 1;
}

export function readTotal(db: LmdbDatabase, { subject, metric }: Counter): number {
  return db.get(keyOf('t', [subject, metric]))?.readDoubleLE(0) ?? 0;
}

/** @param kind days of months, or hours of days */
export function readBlocks(
  db: LmdbDatabase,
  kind: 'd' | 'h',
  { subject, metric }: Counter,
  span: Span,
): Block[] {
  const length = kind === 'd' ? DAYS_PER_BLOCK : HOURS_PER_BLOCK;
  const blocks: Block[] = [];
  for (const { key, value } of db.entries(spanOf(kind, [subject, metric], span))) {
    blocks.push({ at: numberIn(key), values: unpackValues(value, length) });
  }
  return blocks;
}
