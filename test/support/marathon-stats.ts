import type { TrackingEvent } from '../../lib/core/event.js';

export const PERIODS = ['day', 'week', 'month'] as const;
export type Period = (typeof PERIODS)[number];

/** One entry of what `GET /stats` of the sample app returns. */
export interface Stats {
  /** A run, or `all`. */
  readonly of: string;
  readonly donations: number;
  readonly amountCents: number;
  readonly donors: number;
  readonly series: readonly { readonly bucket: string; readonly value: number }[];
}

/** What `GET /stats` should return after these `donation.received`; of each series what is not 0. */
export function statsOf(
  received: readonly TrackingEvent[],
  runs: readonly string[],
  by: Period,
): readonly Stats[] {
  return ['all', ...runs].map((of) => {
    const events = received.filter(({ data }) => of === 'all' || data['run'] === of);
    const series = new Map<string, number>();
    for (const event of events) {
      const bucket = bucketOf(event.timestamp, by);
      series.set(bucket, (series.get(bucket) ?? 0) + amountOf(event));
    }
    return {
      of,
      donations: events.length,
      amountCents: sumOf(events),
      donors: new Set(events.map(({ context }) => (context['user'] as { id: string }).id)).size,
      series: [...series].sort().map(([bucket, value]) => ({ bucket, value })),
    };
  });
}

/** Without the days, weeks and months in which nothing was given, in the order of the runs given. */
export function withoutGaps(
  stats: readonly Stats[],
  runs: readonly string[],
): readonly (Stats | undefined)[] {
  const filled = stats.map((entry) => ({ ...entry, series: entry.series.filter(({ value }) => value > 0) }));
  return ['all', ...runs].map((of) => filled.find((entry) => entry.of === of));
}

export function sumOf(received: readonly TrackingEvent[]): number {
  return received.reduce((sum, event) => sum + amountOf(event), 0);
}

function amountOf({ data }: TrackingEvent): number {
  return data['amountCents'] as number;
}

/** The first day of the day, week or month. */
function bucketOf(timestamp: string, by: Period): string {
  if (by === 'month') {
    return `${timestamp.slice(0, 7)}-01`;
  }
  const day = new Date(timestamp);
  if (by === 'week') {
    day.setUTCDate(day.getUTCDate() - ((day.getUTCDay() + 6) % 7));
  }
  return day.toISOString().slice(0, 10);
}
