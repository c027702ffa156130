import { describe, expect, it } from '@jest/globals';
import { register as defaultRegister, Registry } from 'prom-client';
import type { Backend, TrackerStats } from 'nestjs-tracking/core';
import { allow, createTracker } from 'nestjs-tracking/core';
import { trackingMetrics } from 'nestjs-tracking/prometheus';
import { fakeClock } from 'nestjs-tracking/testing';
import { untyped } from '../../support/recording.js';
import { problemsOf } from '../processors/events.js';

const EMPTY: TrackerStats = {
  ...{ accepted: 0, dropped: {}, processorErrors: 0, backends: {} },
};

function backend(stats: object): Backend {
  return {
    send: () => undefined,
    stats: () => untyped(stats),
  };
}

/** The lines of a registry that are no comments. */
async function lines(register: Registry): Promise<string[]> {
  return (await register.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

describe('trackingMetrics', () => {
  it('shows what a tracker and its backends count, as it is at the scrape', async () => {
    const tracker = createTracker<Record<string, object | undefined>>({
      clock: fakeClock(),
      processors: [allow(['order.*'])],
      backends: {
        warehouse: {
          backends: {
            http: backend({
              ...{ accepted: 9, delivered: 4, retried: 3, dead: 2, depth: 3 },
              ...{ dropped: { overflow: 5, closed: 1 }, state: 'retrying' },
              ...{ oldestMs: 1_500, lastDeliveredAt: 1_764_000_000_500 },
            }),
          },
        },
        plain: { send: () => undefined },
      },
    });
    const register = new Registry();
    trackingMetrics({ tracker, register });
    tracker.emit('order.created');
    tracker.emit('other');

    expect(await register.metrics())
      .toBe(`# HELP tracking_accepted_total Events that passed the tracker's processors
# TYPE tracking_accepted_total counter
tracking_accepted_total 1

# HELP tracking_dropped_total Events dropped at birth or by a processor
# TYPE tracking_dropped_total counter
tracking_dropped_total{reason="filtered"} 1

# HELP tracking_processor_errors_total Failures of processors
# TYPE tracking_processor_errors_total counter
tracking_processor_errors_total 0

# HELP tracking_backend_accepted_total Events a backend has taken
# TYPE tracking_backend_accepted_total counter
tracking_backend_accepted_total{backend="warehouse/http"} 9
tracking_backend_accepted_total{backend="plain"} 1

# HELP tracking_backend_delivered_total Events delivered
# TYPE tracking_backend_delivered_total counter
tracking_backend_delivered_total{backend="warehouse/http"} 4
tracking_backend_delivered_total{backend="plain"} 1

# HELP tracking_backend_retried_total Events sent again
# TYPE tracking_backend_retried_total counter
tracking_backend_retried_total{backend="warehouse/http"} 3
tracking_backend_retried_total{backend="plain"} 0

# HELP tracking_backend_dead_total Accepted events that were given up
# TYPE tracking_backend_dead_total counter
tracking_backend_dead_total{backend="warehouse/http"} 2
tracking_backend_dead_total{backend="plain"} 0

# HELP tracking_backend_dropped_total Events a backend has not taken
# TYPE tracking_backend_dropped_total counter
tracking_backend_dropped_total{backend="warehouse/http",reason="overflow"} 5
tracking_backend_dropped_total{backend="warehouse/http",reason="closed"} 1

# HELP tracking_backend_depth Accepted events that wait to be delivered
# TYPE tracking_backend_depth gauge
tracking_backend_depth{backend="warehouse/http"} 3
tracking_backend_depth{backend="plain"} 0

# HELP tracking_backend_oldest_seconds Age of the oldest event that waits
# TYPE tracking_backend_oldest_seconds gauge
tracking_backend_oldest_seconds{backend="warehouse/http"} 1.5
tracking_backend_oldest_seconds{backend="plain"} 0

# HELP tracking_backend_last_success_timestamp_seconds Time of the latest delivery
# TYPE tracking_backend_last_success_timestamp_seconds gauge
tracking_backend_last_success_timestamp_seconds{backend="warehouse/http"} 1764000000.5

# HELP tracking_backend_state 1 for the state a backend is in
# TYPE tracking_backend_state gauge
tracking_backend_state{backend="warehouse/http",state="ok"} 0
tracking_backend_state{backend="warehouse/http",state="retrying"} 1
tracking_backend_state{backend="warehouse/http",state="paused"} 0
tracking_backend_state{backend="warehouse/http",state="closed"} 0
tracking_backend_state{backend="plain",state="ok"} 1
tracking_backend_state{backend="plain",state="retrying"} 0
tracking_backend_state{backend="plain",state="paused"} 0
tracking_backend_state{backend="plain",state="closed"} 0
`);

    tracker.emit('order.created');
    const second = await lines(register);
    expect(second).toContain('tracking_accepted_total 2');
    expect(second).toContain('tracking_backend_delivered_total{backend="plain"} 2');
  });

  it('forgets a backend that is gone', async () => {
    const register = new Registry();
    let stats: TrackerStats = {
      ...EMPTY,
      backends: { old: untyped({ accepted: 1, state: 'ok' }) },
    };
    trackingMetrics({ tracker: { stats: () => stats }, register });
    const isOld = (line: string): boolean => line.includes('old"');
    expect((await lines(register)).filter(isOld)).not.toEqual([]);
    stats = EMPTY;
    expect((await lines(register)).filter(isOld)).toEqual([]);
  });

  it('keeps at most 100 reasons of a backend apart, and leaves out what is no number', async () => {
    const dropped = Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`reason ${i}`, 1]));
    const odd = { dropped, accepted: Number.NaN, dead: '1', depth: -1 };
    const register = new Registry();
    trackingMetrics({
      tracker: {
        stats: () => ({
          ...EMPTY,
          backends: { odd: untyped(odd), none: untyped({}) },
        }),
      },
      register,
    });
    const all = await lines(register);
    const reasons = all.filter((line) => line.startsWith('tracking_backend_dropped_total'));
    expect(reasons).toHaveLength(101);
    expect(reasons.at(-1)).toBe('tracking_backend_dropped_total{backend="odd",reason="other"} 50');
    expect(all.filter((line) => /NaN|accepted_total\{|dead/.test(line))).toEqual([]);
    expect(all).toContain('tracking_backend_depth{backend="odd"} 0');
  });

  it('adds up what has the name of the rest', async () => {
    const dropped = Object.fromEntries([
      ['other', 7],
      ...Array.from({ length: 100 }, (_, i) => [`reason ${i}`, 1]),
    ]) as Record<string, number>;
    const register = new Registry();
    trackingMetrics({
      tracker: { stats: () => ({ ...EMPTY, dropped }) },
      register,
    });
    expect(await lines(register)).toContain('tracking_dropped_total{reason="other"} 8');
  });

  it('goes to the default registry, under a prefix', async () => {
    trackingMetrics({ tracker: { stats: () => EMPTY }, prefix: 'audit_' });
    expect(await defaultRegister.getSingleMetricAsString('audit_accepted_total')).toContain(
      'audit_accepted_total 0',
    );
    defaultRegister.clear();
  });

  it('names everything that is wrong with its options', () => {
    const options = { tracker: {}, register: 1, prefix: 'a-b', labels: {} };
    const problems = (given: unknown) =>
      problemsOf(() => {
        trackingMetrics(untyped(given));
      });
    expect(problems(options)).toStrictEqual([
      'the options of trackingMetrics() are wrong:',
      'labels is not an option; known are tracker, register, prefix',
      'expected tracker.stats to be a function, got undefined',
      'expected register to be a registry of prom-client, got 1',
      'expected prefix to be the beginning of a metric name, got "a-b"',
    ]);
    expect(problems(undefined)[1]).toBe('expected tracker to be a tracker, got undefined');
    expect(problems(null)[1]).toBe('expected options to be an object, got null');
  });

  it('needs no prefix', async () => {
    const register = new Registry();
    trackingMetrics({ tracker: { stats: () => EMPTY }, register, prefix: '' });
    expect(await lines(register)).toContain('accepted_total 0');
  });
});
