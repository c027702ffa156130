import { describe, expect, it } from '@jest/globals';
import type { BackendStats, TrackerStats } from '../../../lib/core/stats.js';
import { Losses } from '../../../lib/terminus/losses.js';
import { readHealthOptions, trackingHealth } from '../../../lib/terminus/tracking-health.js';
import { fakeClock } from '../../../lib/testing/fake-clock.js';

function statsOf(...backends: (readonly [string, Partial<BackendStats>])[]): TrackerStats {
  return {
    ...{ accepted: 0, dropped: {}, processorErrors: 0 },
    backends: Object.fromEntries(
      backends.map(([path, own]) => [
        path,
        {
          ...{ accepted: 0, delivered: 0, retried: 0, dead: 0, depth: 0 },
          ...{ dropped: {}, state: 'ok' as const },
          ...own,
        },
      ]),
    ),
  };
}

function checks() {
  const clock = fakeClock();
  const losses = new Losses(() => clock.monotonicMs());
  return {
    ...{ clock, losses },
    problems: (...backends: Parameters<typeof statsOf>) =>
      trackingHealth(statsOf(...backends), losses, 60_000).problems,
  };
}

describe('the options of a check', () => {
  it('have a window of a minute by default', () => {
    expect(readHealthOptions({})).toStrictEqual({ tracker: undefined, windowMs: 60_000 });
  });
});

describe('trackingHealth', () => {
  it.each(['ok', 'retrying', 'paused'] as const)('is well while a backend is %s', (state) => {
    expect(checks().problems(['http', { state, depth: 9 }])).toEqual([]);
  });

  it('shows what is known of each backend', () => {
    const { losses } = checks();
    const { backends } = trackingHealth(
      statsOf(
        ['plain', {}],
        [
          'http',
          {
            ...{ state: 'paused', stateReason: 'unauthorised', depth: 3 },
            ...{ oldestMs: 12.7, lastError: 'HTTP 401', lastDeliveredAt: 0 },
          },
        ],
      ),
      losses,
      1,
    );
    expect(backends).toStrictEqual({
      plain: { state: 'ok', depth: 0 },
      http: {
        ...{ state: 'paused', stateReason: 'unauthorised', depth: 3 },
        ...{ oldestMs: 13, lastSuccess: '1970-01-01T00:00:00.000Z' },
        lastError: 'HTTP 401',
      },
    });
  });

  it.each(['overflow', 'failed'])(
    'is unwell for the window after events were dropped: %s',
    async (reason) => {
      const { clock, problems } = checks();
      const own = (count: number) => ['http', { dropped: { [reason]: count } }] as const;
      expect(problems(own(0))).toEqual([]);
      expect(problems(own(2))).toEqual([`http lost events (${reason})`]);
      await clock.advance(59_999);
      expect(problems(own(2))).toHaveLength(1);
      await clock.advance(1);
      expect(problems(own(2))).toEqual([]);
      expect(problems(own(3))).toHaveLength(1);
    },
  );

  it('does not mind what was dropped for other reasons', () => {
    const { problems } = checks();
    expect(problems(['http', { dropped: { filtered: 5, closed: 1 } }])).toEqual([]);
  });

  it('is unwell after events had to leave a full backlog, from that time on', async () => {
    const { clock, losses, problems } = checks();
    losses.evicted('a/http');
    await clock.advance(30_000);
    expect(problems(['b', {}], ['a/http', { dead: 1 }])).toEqual(['a/http lost events (overflow)']);
    await clock.advance(30_000);
    expect(problems(['a/http', { dead: 1 }])).toEqual([]);
  });

  it('names every backend that loses, with every reason', () => {
    const { problems } = checks();
    expect(
      problems(['a', { dropped: { failed: 1, overflow: 1 } }], ['b', { dropped: { failed: 1 } }]),
    ).toEqual(['a lost events (overflow, failed)', 'b lost events (failed)']);
  });

  it('is unwell when the tracker is closed', () => {
    const { problems } = checks();
    const closed = { state: 'closed' } as const;
    expect(problems(['a', closed], ['b', {}])).toEqual([]);
    expect(problems(['a', closed], ['b', closed])).toEqual(['the tracker is closed']);
    expect(problems()).toEqual([]);
  });
});
