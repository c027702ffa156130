import { describe, expect, it } from '@jest/globals';
import { statsTable } from '../../../sample-app/src/stats/stats-table.js';
import type { Bucket, Counted, Stats } from '../../../sample-app/src/stats/stats.js';

describe('the table of GET /stats.txt', () => {
  it('gives each column one scale, on which the least gift can be seen', () => {
    const series = (...amounts: number[]): Bucket[] =>
      amounts.map((amountCents) => ({ bucket: '', donations: 1, amountCents }));
    const counted = (days: number[], hours: number[]): Counted => ({
      donations: 12,
      amountCents: 123_456,
      donors: 7,
      days: series(...days),
      hours: series(...hours),
    });
    const stats: Stats = {
      ...counted([0, 20, 40, 60, 80, 100, 120], [0, 7]),
      topRuns: [
        { run: 'celeste', ...counted([0, 1, 20, 21, 0, 100, 60], [0, 7]) },
        { run: 'hades', ...counted([0, 0, 0, 0, 0, 0, 60], [0, 0]) },
      ],
    };
    expect(statsTable(stats)).toBe(
      [
        'run      7 days   24 hours   amount  donations  donors',
        'celeste  ▁▂▂▃▁▆▄  ▁▇        1234.56         12       7',
        'hades    ▁▁▁▁▁▁▄  ▁▁        1234.56         12       7',
        'all      ▁▂▃▄▅▆▇  ▁▇        1234.56         12       7',
        '',
      ].join('\n'),
    );
  });

  it('is flat when nothing was given yet', () => {
    const nothing: Counted = {
      donations: 0,
      amountCents: 0,
      donors: 0,
      days: [{ bucket: '2026-11-25', donations: 0, amountCents: 0 }],
      hours: [{ bucket: '2026-11-25T19', donations: 0, amountCents: 0 }],
    };
    expect(statsTable({ ...nothing, topRuns: [] })).toContain(
      'all  ▁       ▁           0.00          0       0\n',
    );
  });
});
