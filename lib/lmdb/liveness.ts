import type { Clock } from '../core/clock.js';
import type { ProcessIdentity } from './process-identity.js';
import { hasEnded } from './process-identity.js';
import type { StoredRange } from './range-record.js';

export const HEARTBEAT_MS = 5_000;
const STALE_MS = 30_000;
/** A heartbeat that is old by the wall clock is watched for so long: the clock may have jumped. */
const WATCH_MS = 2 * HEARTBEAT_MS;

interface Sight {
  readonly version: number;
  readonly sinceMs: number;
}

/** Tells which backlogs are gone, so that others may adopt their events. */
export class Liveness {
  private seen = new Map<string, Sight>();

  constructor(
    private readonly clock: Clock,
    private readonly self: ProcessIdentity,
  ) {}

  /** To be asked about all ranges every `HEARTBEAT_MS`, in one go; those not asked about are forgotten. */
  gone(ranges: readonly StoredRange[]): Set<string> {
    const now = this.clock.monotonicMs();
    const seen = new Map<string, Sight>();
    const gone = new Set<string>();
    for (const { id, version, record } of ranges) {
      const before = this.seen.get(id);
      const sight = before?.version === version ? before : { version, sinceMs: now };
      seen.set(id, sight);
      const unchangedMs = now - sight.sinceMs;
      if (
        record.closed === true ||
        unchangedMs >= STALE_MS ||
        (unchangedMs >= WATCH_MS && this.clock.now() - record.beat >= STALE_MS) ||
        hasEnded(record, this.self)
      ) {
        gone.add(id);
      }
    }
    this.seen = seen;
    return gone;
  }
}
