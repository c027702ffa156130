import type { Day, Month } from './calendar.js';
import { monthOf } from './calendar.js';
import type { DayPlaces } from './day-places.js';
import type { Block, Change, Span } from './metrics-store.js';
import { DAYS_PER_BLOCK, HOURS_PER_BLOCK } from './metrics-store.js';

/** One counter in memory. */
export class MemoryCounter {
  total = 0;
  private readonly months = new Map<Month, Float64Array>();
  private readonly days = new Map<Day, Float64Array>();

  constructor(private readonly places: DayPlaces) {}

  /** Answers whether every value stays exact; if not, nothing has changed. */
  add({ by, day, hour }: Omit<Change, 'subject' | 'metric'>): boolean {
    const total = this.total + by;
    if (!Number.isSafeInteger(total)) {
      return false;
    }
    if (day !== undefined && hour !== undefined) {
      const place = this.places.of(day);
      const month = blockOf(this.months, place.month, DAYS_PER_BLOCK);
      const hours = blockOf(this.days, day, HOURS_PER_BLOCK);
      const ofDay = (month[place.index] as number) + by;
      const ofHour = (hours[hour] as number) + by;
      if (!Number.isSafeInteger(ofDay) || !Number.isSafeInteger(ofHour)) {
        return false;
      }
      month[place.index] = ofDay;
      hours[hour] = ofHour;
    }
    this.total = total;
    return true;
  }

  valueOf(day: Day): number {
    const { month, index } = this.places.of(day);
    return this.months.get(month)?.[index] ?? 0;
  }

  monthBlocks(months: Span): Block[] {
    return blocksWithin(this.months, months);
  }

  dayBlocks(days: Span): Block[] {
    return blocksWithin(this.days, days);
  }

  /** Forgets hours before a day, and months that end before another. */
  prune(hours: Day | undefined, days: Day | undefined): void {
    removeBefore(this.days, hours);
    removeBefore(this.months, days === undefined ? undefined : monthOf(days));
  }
}

function blockOf(blocks: Map<number, Float64Array>, at: number, length: number): Float64Array {
  let block = blocks.get(at);
  if (block === undefined) {
    block = new Float64Array(length);
    blocks.set(at, block);
  }
  return block;
}

/** Looks at what is asked for, or at what there is, whichever is less. */
function blocksWithin(
  blocks: ReadonlyMap<number, Float64Array>,
  { from = -Infinity, to = Infinity }: Span,
): Block[] {
  const found: Block[] = [];
  if (to - from < blocks.size) {
    for (let at = from; at <= to; at++) {
      const values = blocks.get(at);
      if (values !== undefined) {
        found.push({ at, values: values.slice() });
      }
    }
    return found;
  }
  for (const [at, values] of blocks) {
    if (at >= from && at <= to) {
      found.push({ at, values: values.slice() });
    }
  }
  return found.sort((a, b) => a.at - b.at);
}

export function removeBefore(entries: Map<number, unknown>, first: number | undefined): void {
  if (first !== undefined) {
    for (const at of entries.keys()) {
      if (at < first) {
        entries.delete(at);
      }
    }
  }
}
