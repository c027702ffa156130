import { describe, expect, it } from '@jest/globals';
import type { BackendStats } from '../../../lib/core/stats.js';
import { telemetryFrom } from '../../../lib/formats/paltabrain-telemetry.js';

function statsOf(dead: number, dropped: Record<string, number> = {}): BackendStats {
  return {
    ...{ accepted: 0, delivered: 0, retried: 0, depth: 0, state: 'ok' },
    dead,
    dropped,
  };
}

describe('telemetryFrom', () => {
  it('tells the events lost and the time passed since the batch before', () => {
    let stats = statsOf(1, { overflow: 2, too_large: 3 });
    const telemetry = telemetryFrom(() => stats);
    expect(telemetry({ batchId: 'a', now: 1_000 })).toStrictEqual({
      eventsDropped: 6,
    });
    stats = statsOf(5, { overflow: 2, too_large: 3 });
    expect(telemetry({ batchId: 'b', now: 1_700 })).toStrictEqual({
      eventsDropped: 4,
      timeSinceLastBatch: 700,
    });
    expect(telemetry({ batchId: 'c', now: 1_800 })).toStrictEqual({
      eventsDropped: 0,
      timeSinceLastBatch: 100,
    });
  });

  it('answers the same when it is asked about a batch again', () => {
    const telemetry = telemetryFrom(() => statsOf(3));
    const info = { batchId: 'a', now: 1_000 };
    const before = telemetry(info);
    expect(before).toStrictEqual({ eventsDropped: 3 });
    expect(telemetry(info)).toStrictEqual(before);
  });

  it('is never negative, whatever clock and counts do', () => {
    let stats: BackendStats | undefined = statsOf(9);
    const telemetry = telemetryFrom(() => stats);
    telemetry({ batchId: 'a', now: 1_000 });
    stats = statsOf(1);
    const none = { eventsDropped: 0, timeSinceLastBatch: 0 };
    expect(telemetry({ batchId: 'b', now: 500 })).toStrictEqual(none);
    stats = undefined;
    expect(telemetry({ batchId: 'c', now: 500 })).toStrictEqual(none);
  });
});
