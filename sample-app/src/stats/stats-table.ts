import { sparkline } from './sparkline.js';
import type { Bucket, Counted, Stats } from './stats.js';

const HEAD = ['run', '7 days', '24 hours', 'amount', 'donations', 'donors'];
/** The first columns are texts and pictures; numbers stand at the right. */
const LEFT_COLUMNS = 3;

/** The numbers as a table for a terminal, with a picture of each series. The bars of a column share one scale. */
export function statsTable(stats: Stats): string {
  const peaks = { days: peakOf(stats.days), hours: peakOf(stats.hours) };
  const row = (name: string, counted: Counted): string[] => [
    name,
    sparkline(counted.days.map(amountOf), peaks.days),
    sparkline(counted.hours.map(amountOf), peaks.hours),
    (counted.amountCents / 100).toFixed(2),
    String(counted.donations),
    String(counted.donors),
  ];
  return lines([HEAD, ...stats.topRuns.map((run) => row(run.run, run)), row('all', stats)]);
}

function lines(rows: readonly (readonly string[])[]): string {
  const widths = HEAD.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  return rows
    .map((cells) => {
      const padded = cells.map((cell, column) =>
        column < LEFT_COLUMNS ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      );
      return `${padded.join('  ')}\n`;
    })
    .join('');
}

function amountOf({ amountCents }: Bucket): number {
  return amountCents;
}

function peakOf(buckets: readonly Bucket[]): number {
  return Math.max(...buckets.map(amountOf));
}
