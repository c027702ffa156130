import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createMetrics, memoryMetricsStore } from '../../../lib/core.js';
import type { Metrics } from '../../../lib/core.js';
import { formatDay, parseDay } from '../../../lib/metrics/calendar.js';
import { timeZone } from '../../../lib/metrics/time-zone.js';
import { fakeClock } from '../../../lib/testing.js';

const ZONES = [
  'UTC',
  'Europe/Berlin',
  'Europe/London',
  'America/New_York',
  'America/Sao_Paulo',
  'America/Havana',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Africa/Cairo',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Pacific/Kiritimati',
  'Pacific/Chatham',
] as const;

/** What the clocks of a zone show, as Node itself says it: `2026-03-29 03`. */
function shown(zone: string, ms: number): string {
  const parts = Object.fromEntries(
    new Intl.DateTimeFormat('en-CA', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
    })
      .formatToParts(ms)
      .map(({ type, value }) => [type, value]),
  );
  return `${parts['year']}-${parts['month']}-${parts['day']} ${parts['hour']}`;
}

function text({ day, hour }: { day: number; hour: number }): string {
  return `${formatDay(day)} ${String(hour).padStart(2, '0')}`;
}

describe('the hour of an instant', () => {
  it.each(ZONES)('is what clocks show in %s', (name) => {
    const zone = timeZone(name);
    fc.assert(
      fc.property(fc.integer({ min: Date.UTC(1990, 0, 1), max: Date.UTC(2040, 0, 1) }), (ms) => {
        expect(text(zone.hourAt(ms))).toBe(shown(name, ms));
      }),
      { numRuns: 300 },
    );
  });
});

describe('a day', () => {
  it.each(ZONES)('begins with its first instant in %s', (name) => {
    const zone = timeZone(name);
    const first = parseDay('2011-10-01') ?? 0;
    for (let day = first; day < first + 420; day++) {
      const start = zone.startOf(day);
      expect(zone.hourAt(start - 1).day).toBeLessThan(day);
      expect(zone.hourAt(start).day).toBeGreaterThanOrEqual(day);
    }
  });

  it.each<[string, string, number, number[]]>([
    ['Europe/Berlin', '2026-03-29', 23, [2]],
    ['Europe/Berlin', '2026-10-25', 24, []],
    ['America/New_York', '2026-03-08', 23, [2]],
    ['America/New_York', '2026-11-01', 24, []],
    ['America/Sao_Paulo', '2018-11-04', 23, [0]],
    ['Africa/Cairo', '2024-04-26', 23, [0]],
    ['Australia/Lord_Howe', '2026-10-04', 24, []],
    ['Asia/Kolkata', '2026-03-29', 24, []],
    ['Pacific/Apia', '2011-12-31', 24, []],
  ])('in %s on %s has %i hours', (name, date, count, skipped) => {
    const hours = timeZone(name).hoursOf(parseDay(date) ?? 0);

    expect(hours).toHaveLength(count);
    for (const hour of skipped) {
      expect(hours).not.toContain(hour);
    }
  });

  it('that clocks skip has no hours, and begins with the next', () => {
    const zone = timeZone('Pacific/Apia');
    const day = parseDay('2011-12-30') ?? 0;

    expect(zone.hoursOf(day)).toEqual([]);
    expect(zone.startOf(day)).toBe(zone.startOf(day + 1));
    expect(zone.hourAt(zone.startOf(day) - 1).day).toBe(day - 1);
  });
});

describe('metrics in a time zone', () => {
  function metricsIn(zone: string, now: number): Metrics {
    return createMetrics({
      store: memoryMetricsStore(),
      timeZone: zone,
      clock: fakeClock(now),
    });
  }

  it('count an instant under the day and the hour of the place', async () => {
    const metrics = metricsIn('Asia/Kolkata', Date.UTC(2026, 0, 1, 18, 45));
    await metrics.increment('run', 'd');

    expect(await metrics.count('run', 'd', { to: '2026-01-01' })).toBe(0);
    expect(await metrics.series('run', 'd', { by: 'hour', from: '2026-01-02' })).toEqual([
      { bucket: '2026-01-02T00', value: 1 },
    ]);
  });

  it('show a skipped hour not at all, and a repeated one once', async () => {
    const metrics = metricsIn('Europe/Berlin', Date.UTC(2026, 11, 1));
    const spring = Date.UTC(2026, 2, 29);
    const autumn = Date.UTC(2026, 9, 25);
    for (let hour = 0; hour < 4; hour++) {
      await metrics.increment('run', 'd', { at: spring + hour * 3_600_000 });
      await metrics.increment('run', 'd', { at: autumn + hour * 3_600_000 });
    }

    expect(await metrics.series('run', 'd', { by: 'hour', from: spring, limit: 3 })).toEqual([
      { bucket: '2026-03-29T01', value: 1 },
      { bucket: '2026-03-29T03', value: 1 },
      { bucket: '2026-03-29T04', value: 1 },
    ]);
    expect(await metrics.series('run', 'd', { by: 'hour', from: autumn, limit: 3 })).toEqual([
      { bucket: '2026-10-25T02', value: 2 },
      { bucket: '2026-10-25T03', value: 1 },
      { bucket: '2026-10-25T04', value: 1 },
    ]);
  });

  it('put a day that was set into its first hour', async () => {
    const metrics = metricsIn('America/Sao_Paulo', Date.UTC(2018, 11, 1));
    await metrics.set('run', 'd', { at: '2018-11-04', value: 5 });

    const [first] = await metrics.series('run', 'd', {
      by: 'hour',
      from: '2018-11-04',
      limit: 1,
    });
    expect(first).toEqual({ bucket: '2018-11-04T01', value: 5 });
  });

  it('set a day that clocks skipped nonetheless', async () => {
    const metrics = metricsIn('Pacific/Apia', Date.UTC(2012, 0, 5));
    await metrics.set('run', 'd', { at: '2011-12-30', value: 5 });

    expect(await metrics.total('run', 'd')).toBe(5);
    expect(
      await metrics.series('run', 'd', {
        by: 'day',
        from: '2011-12-29',
        limit: 3,
      }),
    ).toEqual([
      { bucket: '2011-12-29', value: 0 },
      { bucket: '2011-12-30', value: 5 },
      { bucket: '2011-12-31', value: 0 },
    ]);
    expect(
      await metrics.series('run', 'd', {
        by: 'hour',
        from: '2011-12-30',
        to: '2011-12-30',
      }),
    ).toEqual([]);
  });

  it('find facts by the days of the place', async () => {
    const metrics = metricsIn('America/New_York', Date.UTC(2026, 0, 20));
    await metrics.record('run', 'note', { n: 1 }, { at: Date.UTC(2026, 0, 2, 4, 59) });
    await metrics.record('run', 'note', { n: 2 }, { at: Date.UTC(2026, 0, 2, 5) });
    await metrics.record('run', 'note', { n: 3 }, { at: '2026-01-02' });

    const found = await metrics.facts('run', 'note', {
      from: '2026-01-02',
      to: '2026-01-02',
    });
    expect(found.map(({ facts }) => facts)).toEqual([{ n: 2 }, { n: 3 }]);
    expect(found[1]?.at).toBe('2026-01-02T05:00:00.000Z');
  });
});
