import type { TrackingEvent } from '../../lib/core/event.js';
import type { TrackingReport } from '../../lib/core/report.js';
import type { Backlog } from '../../lib/delivery/backlog.js';
import { DeliveryLoop } from '../../lib/delivery/delivery-loop.js';
import type { DeliveryParts } from '../../lib/delivery/delivery-parts.js';
import type { DeliverySettings } from '../../lib/delivery/delivery-settings.js';
import { DEFAULT_BATCH, DEFAULT_RETRY } from '../../lib/delivery/delivery-settings.js';
import type { LostBatch } from '../../lib/delivery/lost-events.js';
import { memoryBacklog } from '../../lib/delivery/memory-backlog.js';
import type { SendInfo } from '../../lib/delivery/transport.js';
import type { SendResult } from '../../lib/formats/encoder.js';
import { ordinaryEvents } from '../../lib/testing/contract-events.js';
import type { FakeClock } from '../../lib/testing/fake-clock.js';
import { fakeClock } from '../../lib/testing/fake-clock.js';

export interface Sent extends SendInfo {
  readonly at: number;
  readonly payload: string;
  readonly ids: readonly string[];
}

export type Answer = (sent: Sent, n: number) => SendResult | Promise<SendResult> | undefined;

export const DELIVERED: SendResult = { status: 'delivered' };

export function retryable(retryAfterMs?: number): SendResult {
  return {
    ...{ status: 'retryable', error: { message: 'away', httpStatus: 503 } },
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

export function rejected(scope: 'event' | 'endpoint' = 'event', httpStatus = 400): SendResult {
  const error = { message: `HTTP ${httpStatus}`, httpStatus, body: 'no' };
  return { status: 'rejected', scope, error };
}

export interface Delivering {
  readonly clock: FakeClock;
  readonly loop: DeliveryLoop<string>;
  readonly backlog: Backlog;
  readonly sent: Sent[];
  readonly lost: LostBatch[];
  readonly reports: TrackingReport[];
  settings: DeliverySettings;
  answer: Answer;
  /** Accepts new events; answers them. */
  accept(count: number): TrackingEvent[];
  /** How often each event was taken by the destination, as far as it was. */
  readonly arrived: Map<string, number>;
}

export interface DeliveringOptions extends Partial<
  Omit<DeliveryParts<string>, 'settings' | 'host' | 'transport'>
> {
  readonly batch?: Partial<DeliverySettings['batch']>;
  readonly retry?: Partial<DeliverySettings['retry']>;
  readonly concurrency?: DeliverySettings['concurrency'];
  readonly conflict?: DeliverySettings['conflict'];
  readonly answer?: Answer;
  readonly clock?: FakeClock;
}

/** A delivery loop on a clock of its own, with a destination that answers as the test says. */
export function delivering(options: DeliveringOptions = {}): Delivering {
  const clock = options.clock ?? fakeClock();
  const backlog = options.backlog ?? memoryBacklog();
  const reports: TrackingReport[] = [];
  const lost: LostBatch[] = [];
  let ids = 0;
  const run = {
    ...{ clock, backlog, reports, lost },
    sent: [] as Sent[],
    arrived: new Map<string, number>(),
    answer: options.answer ?? (() => DELIVERED),
    settings: {
      batch: { ...DEFAULT_BATCH, ...options.batch },
      retry: { ...DEFAULT_RETRY, ...options.retry },
      concurrency: options.concurrency ?? { min: 2, max: 32 },
      conflict: options.conflict ?? 'rejected',
      timeoutMs: 10_000,
    },
    accept: (count: number) => {
      const events = ordinaryEvents(count);
      for (const event of events) {
        void loop.accept(event, false);
      }
      return events;
    },
  };
  const loop = new DeliveryLoop<string>({
    encode: (events, { batchId }) => JSON.stringify([batchId, ...events.map(({ id }) => id)]),
    random: () => 0.999,
    newId: () => `batch-${++ids}`,
    onDeadLetter: (batch: LostBatch) => {
      lost.push(batch);
    },
    ...options,
    backlog,
    settings: () => run.settings,
    host: {
      ...{ tracker: 'default', path: 'warehouse', clock },
      report: (report) => {
        reports.push(report);
      },
    },
    transport: {
      send: async (payload, info) => {
        const sent = {
          ...info,
          payload,
          at: clock.monotonicMs(),
          ids: info.events.map(({ id }) => id),
        };
        const n = run.sent.push(sent);
        const result = (await run.answer(sent, n)) ?? DELIVERED;
        count(run.arrived, sent, result);
        return result;
      },
    },
  });
  return Object.assign(run, { loop });
}

function count(arrived: Map<string, number>, { ids }: Sent, result: SendResult): void {
  for (const id of ids) {
    if (
      result.status === 'delivered' ||
      (result.status === 'partial' && result.outcomes.get(id) === 'delivered')
    ) {
      arrived.set(id, (arrived.get(id) ?? 0) + 1);
    }
  }
}

/** Fails when the counts do not add up. */
export function balance({ loop }: Pick<Delivering, 'loop'>): number {
  const { accepted, delivered, dead, depth } = loop.stats();
  return accepted - delivered - dead - depth;
}
