import type { TrackingEvent } from '../../lib/core/event.js';
import type { Counted, Given } from '../../sample-app/src/stats/stats.js';

/** What GET /stats should say of some donations; only days and hours in which something was given. */
export function statsOf(received: readonly TrackingEvent[]): Counted {
  const donors = received.map(({ context }) => (context['user'] as { id: string }).id);
  const by = (length: number): Counted['days'] =>
    [...new Set(received.map(({ timestamp }) => timestamp.slice(0, length)))].sort().map((bucket) => ({
      bucket,
      ...given(received.filter(({ timestamp }) => timestamp.startsWith(bucket))),
    }));
  return {
    ...given(received),
    donors: new Set(donors).size,
    days: by('2026-11-25'.length),
    hours: by('2026-11-25T19'.length),
  };
}

/** The same for each run, the one that was given most first. */
export function topRunsOf(
  received: readonly TrackingEvent[],
  runs: readonly string[],
): (Counted & { readonly run: string })[] {
  return runs
    .map((run) => ({
      run,
      ...statsOf(received.filter(({ data }) => data['run'] === run)),
    }))
    .sort((a, b) => b.amountCents - a.amountCents);
}

/** Leaves out the days and hours in which nothing was given. */
export function withoutGaps<T extends Counted>(counted: T): T {
  const isGiven = ({ donations }: Given): boolean => donations > 0;
  return {
    ...counted,
    days: counted.days.filter(isGiven),
    hours: counted.hours.filter(isGiven),
  };
}

function given(received: readonly TrackingEvent[]): Given {
  return {
    donations: received.length,
    amountCents: received.reduce((sum, { data }) => sum + (data['amountCents'] as number), 0),
  };
}
