import type { BackendStats } from '../core/stats.js';
import type { BatchInfo } from './encoder.js';

/** What a sender tells about itself, beside its events. What is not known is left out. */
export interface PaltabrainTelemetry {
  /** Events lost since the last batch. */
  readonly eventsDropped?: number;
  readonly prevConnectionSpeed?: number;
  /** Milliseconds. */
  readonly prevRequestTime?: number;
  readonly eventsReportingSpeed?: number;
  readonly serializationErrors?: readonly string[];
  readonly storageErrors?: readonly string[];
  /** Bytes. */
  readonly storageUsed?: number;
  readonly triggerType?: number;
  /** Milliseconds. */
  readonly timeSinceLastBatch?: number;
}

export type TelemetrySource = (info: BatchInfo) => PaltabrainTelemetry | undefined;

/**
 * Telemetry out of what a backend counts: the events lost, and the time passed, since the batch before. Asked twice
 * about a batch, it answers the same.
 *
 * @param stats what the backend counts now; `undefined` while there is no backend yet
 */
export function telemetryFrom(stats: () => BackendStats | undefined): TelemetrySource {
  let lost = 0;
  let lastBatch: BatchInfo | undefined;
  let answer: PaltabrainTelemetry | undefined;
  return (info) => {
    if (info.batchId !== lastBatch?.batchId) {
      const now = stats();
      const lostBefore = lost;
      lost = now === undefined ? lost : lostEvents(now);
      answer = {
        eventsDropped: Math.max(0, lost - lostBefore),
        ...(lastBatch === undefined ? {} : { timeSinceLastBatch: Math.max(0, info.now - lastBatch.now) }),
      };
      lastBatch = info;
    }
    return answer;
  };
}

function lostEvents({ dead, dropped }: BackendStats): number {
  return Object.values(dropped).reduce((sum, count) => sum + count, dead);
}
