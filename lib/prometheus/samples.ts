import type { BackendStats, ReasonCounts, TrackerStats } from '../core/stats.js';

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface MetricSpec {
  /** Without the prefix. */
  readonly name: string;
  readonly help: string;
  readonly kind: 'counter' | 'gauge';
  readonly labelNames: readonly string[];
  samples(stats: TrackerStats): Sample[];
}

const STATES = ['ok', 'retrying', 'paused', 'closed'] as const;
const MS = 1_000;
/** A backend of the app's own may count by what it likes. */
const MAX_REASONS = 100;
const OTHER = 'other';

/** Everything a tracker counts. Labels are paths of the topology, reasons (at most 100 a path) and states. */
export const METRICS: readonly MetricSpec[] = Object.freeze([
  {
    ...counter('accepted_total', "Events that passed the tracker's processors"),
    labelNames: [],
    samples: ({ accepted }) => sample({}, accepted),
  },
  {
    ...counter('dropped_total', 'Events dropped at birth or by a processor'),
    labelNames: ['reason'],
    samples: ({ dropped }) => byReason({}, dropped),
  },
  {
    ...counter('processor_errors_total', 'Failures of processors'),
    labelNames: [],
    samples: ({ processorErrors }) => sample({}, processorErrors),
  },
  ofBackend(counter('backend_accepted_total', 'Events a backend has taken'), ({ accepted }) => accepted),
  ofBackend(counter('backend_delivered_total', 'Events delivered'), ({ delivered }) => delivered),
  ofBackend(counter('backend_retried_total', 'Events sent again'), ({ retried }) => retried),
  ofBackend(counter('backend_dead_total', 'Accepted events that were given up'), ({ dead }) => dead),
  {
    ...counter('backend_dropped_total', 'Events a backend has not taken'),
    labelNames: ['backend', 'reason'],
    samples: (stats) => perBackend(stats, (backend, { dropped }) => byReason({ backend }, dropped)),
  },
  ofBackend(gauge('backend_depth', 'Accepted events that wait to be delivered'), ({ depth }) => depth),
  ofBackend(
    gauge('backend_oldest_seconds', 'Age of the oldest event that waits'),
    ({ oldestMs = 0 }) => oldestMs / MS,
  ),
  ofBackend(
    gauge('backend_last_success_timestamp_seconds', 'Time of the latest delivery'),
    ({ lastDeliveredAt }) => (lastDeliveredAt === undefined ? undefined : lastDeliveredAt / MS),
  ),
  {
    ...gauge('backend_state', '1 for the state a backend is in'),
    labelNames: ['backend', 'state'],
    samples: (stats) =>
      perBackend(stats, (backend, own) =>
        STATES.flatMap((state) => sample({ backend, state }, own.state === state ? 1 : 0)),
      ),
  },
] satisfies MetricSpec[]);

type Named = Pick<MetricSpec, 'name' | 'help' | 'kind'>;

function counter(name: string, help: string): Named {
  return { name, help, kind: 'counter' };
}

function gauge(name: string, help: string): Named {
  return { name, help, kind: 'gauge' };
}

function ofBackend(named: Named, value: (stats: BackendStats) => number | undefined): MetricSpec {
  return {
    ...named,
    labelNames: ['backend'],
    samples: (stats) => perBackend(stats, (backend, own) => sample({ backend }, value(own))),
  };
}

function perBackend(
  { backends }: TrackerStats,
  samples: (path: string, stats: BackendStats) => Sample[],
): Sample[] {
  return Object.entries(backends).flatMap(([path, stats]) => samples(path, stats));
}

function byReason(labels: Readonly<Record<string, string>>, counts: ReasonCounts | undefined): Sample[] {
  const kept = new Map<string, number>();
  for (const [given, count] of Object.entries(counts ?? {})) {
    const reason = kept.size < MAX_REASONS ? given : OTHER;
    kept.set(reason, (kept.get(reason) ?? 0) + count);
  }
  return [...kept].flatMap(([reason, count]) => sample({ ...labels, reason }, count));
}

/** What is no number, a backend does not know. */
function sample(labels: Sample['labels'], value: number | undefined): Sample[] {
  return Number.isFinite(value) ? [{ labels, value: Math.max(0, value as number) }] : [];
}
