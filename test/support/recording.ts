import { ContextStore } from '../../lib/core/context-store.js';
import type { ProcessorSpec } from '../../lib/core/processor.js';
import type { ReportCode, TrackingReport } from '../../lib/core/report.js';
import type { ScopedTracker } from '../../lib/core/scoped-tracker.js';
import type { Tracker } from '../../lib/core/tracker.js';
import type { TrackerOptions } from '../../lib/core/create-tracker.js';
import { createTracker } from '../../lib/core/create-tracker.js';
import type { FakeClock } from '../../lib/testing/fake-clock.js';
import { fakeClock } from '../../lib/testing/fake-clock.js';
import type { MemoryBackend } from '../../lib/testing/memory-backend.js';
import { memoryBackend } from '../../lib/testing/memory-backend.js';

/** Names and payloads without a check: tests hand over what TypeScript would refuse. */
export type AnyTracker = Tracker<Record<string, object | null | undefined>>;

export interface Recording {
  readonly tracker: AnyTracker;
  readonly memory: MemoryBackend;
  readonly clock: FakeClock;
  readonly reports: TrackingReport[];
  codes(): ReportCode[];
  /** The latest event that reached the memory backend. */
  last(): MemoryBackend['events'][number];
}

/** A tracker on a clock and a store of its own, with one memory backend unless others are given. */
export function record(options: Partial<TrackerOptions> = {}): Recording {
  const memory = memoryBackend();
  const clock = fakeClock();
  const reports: TrackingReport[] = [];
  const tracker = createTracker<Record<string, object | null | undefined>>({
    backends: { memory },
    clock,
    contextStore: new ContextStore(),
    onError: (report) => {
      reports.push(report);
    },
    ...options,
  });
  return {
    tracker,
    memory,
    clock,
    reports,
    codes: () => reports.map(({ code }) => code),
    last: () => {
      const event = memory.events.at(-1);
      if (event === undefined) {
        throw new Error('no event reached the memory backend');
      }
      return event;
    },
  };
}

/** A tracker with these processors, whatever they are. */
export function through(...processors: readonly unknown[]): Recording {
  return record({ processors: processors as readonly ProcessorSpec[] });
}

/** What hosts see of a tracker. */
export function inside(tracker: AnyTracker): ScopedTracker {
  return tracker as ScopedTracker;
}

/** A value whose type is a lie, as code without TypeScript may pass it. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the lie
export function untyped<T>(value: unknown): T {
  return value as T;
}

export interface Deferred<T = void> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error?: unknown) => void;
}

/** A promise that settles when the test says so. */
export function deferred<T = void>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
