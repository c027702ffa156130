import { civilDate, monthOf } from '../metrics/calendar.js';
import type {
  Block,
  Change,
  Counter,
  DaySetting,
  Span,
} from '../metrics/metrics-store.js';
import {
  DAYS_PER_BLOCK,
  HOURS_PER_BLOCK,
  OverflowError,
} from '../metrics/metrics-store.js';
import type { LmdbDatabase } from './lmdb-database.js';
import type { LmdbDraft } from './lmdb-draft.js';
import { keyOf, numberIn, spanOf } from './lmdb-keys.js';

/** Values are doubles, little-endian as typed arrays read them. */
const BYTES = Float64Array.BYTES_PER_ELEMENT;

/** Adds all changes, or throws; answers the new totals. */
export function addChanges(
  draft: LmdbDraft,
  changes: readonly Change[],
): readonly number[] {
  return changes.map((change) => add(draft, change));
}

export function setDay(draft: LmdbDraft, setting: DaySetting): void {
  const { subject, metric, day, value } = setting;
  const key = keyOf('d', [subject, metric], [monthOf(day)]);
  const block = draft.edit(key, DAYS_PER_BLOCK * BYTES);
  const by = value - block.readDoubleLE(placeOf(day));
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
    const hours = keyOf('h', names, [day]);
    addTo(draft.edit(days, DAYS_PER_BLOCK * BYTES), placeOf(day), change);
    addTo(draft.edit(hours, HOURS_PER_BLOCK * BYTES), hour * BYTES, change);
  }
  return addTo(draft.edit(keyOf('t', names), BYTES), 0, { ...change, by });
}

function addTo(block: Buffer, at: number, change: Change): number {
  const sum = block.readDoubleLE(at) + change.by;
  if (!Number.isSafeInteger(sum)) {
    throw new OverflowError(change);
  }
  block.writeDoubleLE(sum, at);
  return sum;
}

function placeOf(day: number): number {
  return (civilDate(day).dayOfMonth - 1) * BYTES;
}

export function readTotal(
  db: LmdbDatabase,
  { subject, metric }: Counter,
): number {
  return db.get(keyOf('t', [subject, metric]))?.readDoubleLE(0) ?? 0;
}

/** @param kind days of months, or hours of days */
export function readBlocks(
  db: LmdbDatabase,
  kind: 'd' | 'h',
  { subject, metric }: Counter,
  span: Span,
): Block[] {
  const blocks: Block[] = [];
  for (const { key, value } of db.entries(
    spanOf(kind, [subject, metric], span),
  )) {
    blocks.push({ at: numberIn(key), values: numbersIn(value) });
  }
  return blocks;
}

function numbersIn(value: Buffer): Float64Array {
  // A copy: a Float64Array needs an aligned start.
  return new Float64Array(Uint8Array.from(value).buffer);
}
