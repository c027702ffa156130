import { beforeEach, describe, expect, it } from '@jest/globals';
import { isTrackingError } from '../../../lib/core/errors.js';
import { TrackingProbe } from '../../../lib/testing-nest.js';
import type { AnyTracker } from '../../support/recording.js';
import { record } from '../../support/recording.js';

describe('TrackingProbe', () => {
  let probe: TrackingProbe;
  let tracker: AnyTracker;

  beforeEach(() => {
    probe = new TrackingProbe();
    ({ tracker } = record({ backends: { probe: probe.backend } }));
  });

  it('shows events in the order in which they came, all or by name', () => {
    tracker.emit('a', { n: 1 });
    tracker.emit('b', { n: 2 });
    tracker.emit('a', { n: 3 });

    expect(probe.events.map(({ data }) => data['n'])).toStrictEqual([1, 2, 3]);
    expect(probe.named('a').map(({ data }) => data['n'])).toStrictEqual([1, 3]);
    expect(probe.named('c')).toStrictEqual([]);
  });

  it('waits for the first event of a name, whether it is there or comes', async () => {
    const waiting = probe.waitFor('a');
    tracker.emit('b');
    tracker.emit('a', { n: 1 });
    tracker.emit('a', { n: 2 });

    expect((await waiting).data).toStrictEqual({ n: 1 });
    expect((await probe.waitFor('a')).data).toStrictEqual({ n: 1 });
  });

  it('says what came instead', async () => {
    tracker.emit('b');
    const error: unknown = await probe.waitFor('a').catch((e: unknown) => e);

    expect(isTrackingError(error) && error.code).toBe('timeout');
    expect(error).toHaveProperty('message', 'waited 2000 ms: expected 1 of "a", tracked: b');
  });

  it('forgets what it saw', () => {
    tracker.emit('a');
    probe.clear();
    expect(probe.events).toHaveLength(0);
    expect(probe.named('a')).toStrictEqual([]);
  });
});
