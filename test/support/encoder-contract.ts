import { expect } from '@jest/globals';
import fc from 'fast-check';
import type { TrackingEvent } from '../../lib/core/event.js';
import { eventJson, storedEvent } from '../../lib/core/event.js';
import type { EncodedBatch, Encoder } from '../../lib/formats/encoder.js';
import { ordinaryEvents, unusualEvents } from '../../lib/testing/contract-events.js';
import { record, untyped } from './recording.js';

export const INFO = {
  batchId: '0192f0a0-0000-7000-8000-00000000ba7c',
  now: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
};

/** An event as far as a format keeps it. */
export type ReadEvent = Partial<TrackingEvent> & Pick<TrackingEvent, 'id'>;

export interface EncoderContractOptions {
  readonly describe: (name: string, define: () => void) => unknown;
  readonly it: (name: string, run: () => void) => unknown;
  readonly make: () => Encoder;
  /** Reads a request back: the events that are in it, in order. */
  readonly read: (request: EncodedBatch) => readonly ReadEvent[];
  /** Whether the destination takes an event of this kind; default: all. */
  readonly takes?: (event: TrackingEvent) => boolean;
}

/** Declares what every encoder keeps. */
export function encoderContract(
  name: string,
  { describe, it, make, read, takes = () => true }: EncoderContractOptions,
): void {
  describe(name, () => {
    it('has a name, and limits that can be kept', () => {
      const encoder = make();
      expect(encoder.name).toMatch(/^[a-z]+$/);
      for (const limit of [encoder.maxEvents, encoder.maxBytes]) {
        expect(limit ?? 1).toBeGreaterThan(0);
        expect(Number.isSafeInteger(limit ?? 1)).toBe(true);
      }
    });

    it('holds each event once, in order', () => {
      expectKept(make(), ordinaryEvents(20), read);
    });

    it('carries unusual events as they are', () => {
      expectKept(make(), unusualEvents().filter(takes), read);
    });

    it('carries whatever an app emits', () => {
      fc.assert(
        fc.property(fc.array(wildEvent, { minLength: 1 }), (drafts) => {
          expectKept(make(), wildEvents(drafts).filter(takes), read);
        }),
        { numRuns: 80 },
      );
    });

    it('gives the same bytes for the same batch, however its events are kept', () => {
      const encoder = make();
      for (const batch of batchesOf(encoder, ordinaryEvents(5))) {
        const request = encoder.encode(batch, INFO);
        expect(encoder.encode(batch, INFO)).toStrictEqual(request);
        expect(encoder.encode(readBack(batch), INFO)).toStrictEqual(request);
        expect(encoder.encode(stored(batch), INFO)).toStrictEqual(request);
      }
    });

    it('takes a batch of nothing', () => {
      expectRequest(make().encode([], INFO));
    });

    it('leaves events as they are', () => {
      const encoder = make();
      const events = readBack(ordinaryEvents(3));
      const before = structuredClone(events);
      batchesOf(encoder, events).forEach((batch) => encoder.encode(batch, INFO));
      expect(events).toStrictEqual(before);
    });

    it('describes a request that HTTP can carry', () => {
      const encoder = make();
      for (const batch of batchesOf(encoder, ordinaryEvents(5))) {
        expectRequest(encoder.encode(batch, INFO));
      }
    });

    it('keeps an event that it accepts, and its group', () => {
      const encoder = make();
      for (const event of [...ordinaryEvents(3), ...unusualEvents()]) {
        const { context, ...rest } = { ...(encoder.accept?.(event) ?? event) };
        const { context: before, ...restBefore } = { ...event };
        expect(rest).toStrictEqual(restBefore);
        expect(context).toMatchObject(before);
        expect(encoder.groupBy?.(event)).toBe(encoder.groupBy?.(event));
        expect(encoder.partitionBy?.(event)).toBe(encoder.partitionBy?.(event));
      }
    });
  });
}

/** Batches as the delivery makes them: of one group, no more events than the encoder lets through. */
export function batchesOf(encoder: Encoder, events: readonly TrackingEvent[]): TrackingEvent[][] {
  const batches: TrackingEvent[][] = [];
  let lastGroup: string | undefined;
  for (const given of events) {
    const event = encoder.accept?.(given) ?? given;
    const group = encoder.groupBy?.(event);
    const batch = batches.at(-1);
    if (batch === undefined || group !== lastGroup || batch.length >= (encoder.maxEvents ?? Infinity)) {
      batches.push([event]);
    } else {
      batch.push(event);
    }
    lastGroup = group;
  }
  return batches;
}

/** Events as a backlog on disk gives them back. */
function stored(events: readonly TrackingEvent[]): TrackingEvent[] {
  return events.map((event) => storedEvent(eventJson(event)));
}

/** Events as another process finds them: plain objects. */
export function readBack(events: readonly TrackingEvent[]): TrackingEvent[] {
  return JSON.parse(JSON.stringify(events)) as TrackingEvent[];
}

export function bodyText({ body }: EncodedBatch): string {
  return Buffer.from(body ?? '').toString();
}

/** The caller knows what it reads. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
export function bodyJson<T>(request: EncodedBatch): T {
  return JSON.parse(bodyText(request)) as T;
}

function expectKept(
  encoder: Encoder,
  events: readonly TrackingEvent[],
  read: EncoderContractOptions['read'],
): void {
  const arrived = batchesOf(encoder, events).flatMap((batch) => read(encoder.encode(batch, INFO)));
  // Not strictly: for Jest an own key `constructor` is the type of an object.
  expect(arrived).toEqual(arrived.map((found, index) => partOf(events[index]!, found)));
  expect(arrived).toHaveLength(events.length);
}

function partOf(event: TrackingEvent, found: ReadEvent): object {
  return Object.fromEntries(Object.entries(event).filter(([key]) => key in found));
}

function expectRequest(request: EncodedBatch): void {
  expect(request.contentType).toMatch(/^[a-z]+\/[a-z+-]+$/);
  expect(request.path ?? '/').toMatch(/^[/?]\S*$/);
  for (const [name, value] of Object.entries(request.headers ?? {})) {
    expect(name).toMatch(/^[\w-]+$/);
    expect(value).toMatch(/^[\x20-\x7e]+$/);
  }
  expect(request.body === undefined).toBe(request.method === 'GET');
}

const anything = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withSparseArray: true,
  stringUnit: 'binary',
  maxDepth: 3,
});

/** Text with what JSON, lines and UTF-8 stumble over. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('\u2028\u2029', '\ud800', 'a\udfffb', '"\\\n', '__proto__'),
);

const name = fc.oneof(
  fc.constantFrom(
    ...['user.identified', 'user.aliased', 'group.identified'],
    ...['page.viewed', 'screen.viewed', 'order.created'],
  ),
  text,
);

/** Every frame that an encoder reads may hold anything. */
const context = fc.record(
  Object.fromEntries(
    ['user', 'session', 'request', 'page', 'client_id'].map((key) => [
      key,
      fc.oneof(anything, fc.record({ id: fc.oneof(fc.double(), fc.maxSafeInteger(), text) })),
    ]),
  ),
  { requiredKeys: [] },
);

const data = fc.oneof(
  anything,
  fc.record(
    {
      _event: anything,
      userId: anything,
      previousId: text,
      groupId: fc.double(),
      name: text,
      huge: fc.constantFrom(Number.MAX_VALUE, 5e-324, -0, 2 ** 53),
    },
    { requiredKeys: [] },
  ),
);

const wildEvent = fc.record({
  name,
  data,
  context,
  id: fc.option(text, { nil: undefined }),
  timestamp: fc.option(fc.date({ noInvalidDate: true }), { nil: undefined }),
});

type Draft = typeof wildEvent extends fc.Arbitrary<infer T> ? T : never;

function wildEvents(drafts: readonly Draft[]): readonly TrackingEvent[] {
  const { tracker, memory } = record();
  for (const { name: eventName, data: payload, ...options } of drafts) {
    tracker.emit(eventName, untyped(payload), untyped(options));
  }
  expect(memory.events).toHaveLength(drafts.length);
  return memory.events;
}
