/*
 * `npm run typecheck` is the test: every `@ts-expect-error` must be one. Jest runs the same calls, so that what compiles
 * works, too.
 */
import { describe, expect, it } from '@jest/globals';
import { createTracker } from '../../lib/core/create-tracker.js';
import type { EmitArguments, EventName, EventPayload } from '../../lib/core/tracked-events.js';
import type { TrackedEvents } from '../../lib/core/tracked-events.js';
import type { Tracker } from '../../lib/core/tracker.js';
import { memoryBackend } from '../../lib/testing/memory-backend.js';

interface Order {
  readonly id: string;
  readonly total: number;
  readonly note?: string;
}

interface ShopEvents {
  'order.created': Order;
  'order.viewed': { readonly source?: string };
  'shop.opened': undefined;
  'shop.closed': { readonly reason: string } | undefined;
}

/* eslint-disable @typescript-eslint/no-unnecessary-type-parameters -- how one asks whether two types are the same */
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/* eslint-enable @typescript-eslint/no-unnecessary-type-parameters */

const refused = (call: () => void): void => {
  // Only compiled, or run for what a program without types would get: never an exception.
  expect(call).not.toThrow();
};

describe('a tracker of declared events', () => {
  const memory = memoryBackend();
  const tracker: Tracker<ShopEvents> = createTracker<ShopEvents>({
    backends: { memory },
    onError: () => undefined,
  });

  it('takes their names and payloads', async () => {
    tracker.emit('order.created', { id: '1', total: 7 });
    tracker.emit(
      'order.created',
      { id: '1', total: 7, note: 'x' },
      { id: 'mine', timestamp: new Date(), context: { a: 1 } },
    );
    tracker.emit('order.viewed');
    tracker.emit('order.viewed', {});
    tracker.emit('order.viewed', null, { id: 'other' });
    tracker.emit('shop.opened');
    tracker.emit('shop.closed');
    tracker.emit('shop.closed', { reason: 'night' });
    await tracker.emitAsync('order.created', { id: '1', total: 7 });
    tracker.child({ context: { a: 1 } }).emit('order.created', { id: '1', total: 7 });
    const result: number = tracker.context('x', { a: 1 }, () => 42);
    const later: Promise<string> = tracker.context('x', {}, async () => Promise.resolve('x'));
    expect(result).toBe(42);
    await expect(later).resolves.toBe('x');
    expect(memory.events).toHaveLength(10);
  });

  it('refuses everything else', () => {
    expect.hasAssertions();
    refused(() => {
      // @ts-expect-error -- an unknown name
      tracker.emit('order.creatd', { id: '1', total: 7 });
    });
    refused(() => {
      // @ts-expect-error -- no payload
      tracker.emit('order.created');
    });
    refused(() => {
      // @ts-expect-error -- null is not an order
      tracker.emit('order.created', null);
    });
    refused(() => {
      // @ts-expect-error -- a field is missing
      tracker.emit('order.created', { id: '1' });
    });
    refused(() => {
      // @ts-expect-error -- a field of another type
      tracker.emit('order.created', { id: '1', total: '7' });
    });
    refused(() => {
      // @ts-expect-error -- a field too many
      tracker.emit('order.created', { id: '1', total: 7, extra: true });
    });
    refused(() => {
      // @ts-expect-error -- an optional field of another type
      tracker.emit('order.viewed', { source: 7 });
    });
    refused(() => {
      // @ts-expect-error -- a payload where there is none
      tracker.emit('shop.opened', { a: 1 });
    });
    refused(() => {
      // @ts-expect-error -- unknown options
      tracker.emit('shop.opened', undefined, { ids: '7' });
    });
    refused(() => {
      // @ts-expect-error -- the child knows the same events
      tracker.child({}).emit('nothing');
    });
    refused(() => {
      // @ts-expect-error -- emitAsync does, too
      void tracker.emitAsync('nothing');
    });
  });
});

describe('a tracker without declared events', () => {
  it('takes any name and any object', () => {
    const memory = memoryBackend();
    const tracker = createTracker<object>({
      backends: { memory },
      onError: () => undefined,
    });
    tracker.emit('anything');
    tracker.emit('anything', { at: new Date(), list: [1] });
    tracker.emit('anything', null, { id: 'x' });
    refused(() => {
      // @ts-expect-error -- a string is not a payload
      tracker.emit('anything', 'text');
    });
    refused(() => {
      // @ts-expect-error -- a name is a string
      tracker.emit(7);
    });
    expect(memory.events).toHaveLength(5);
  });
});

describe('the types', () => {
  it('are what they are meant to be', () => {
    const checks: [
      Equal<EventName<ShopEvents>, 'order.created' | 'order.viewed' | 'shop.opened' | 'shop.closed'>,
      Equal<EventName<object>, string>,
      Equal<EventPayload<ShopEvents, 'order.created'>, Order>,
      Equal<EventPayload<object, 'x'>, object | null | undefined>,
      Equal<Parameters<Tracker<ShopEvents>['emit']>[0], EventName<ShopEvents>>,
      Equal<EmitArguments<ShopEvents, 'order.created'>['length'], 1 | 2>,
      Equal<EmitArguments<ShopEvents, 'shop.closed'>['length'], 0 | 1 | 2>,
      // The default of the type parameter.
      // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-arguments -- that is the question
      Equal<Tracker['emit'], Tracker<TrackedEvents>['emit']>,
    ] = [true, true, true, true, true, true, true, true];
    expect(checks).toHaveLength(8);
  });

  it('refuse wrong wiring', () => {
    // @ts-expect-error -- a backend needs send
    expect(() => createTracker({ backends: { a: {} } })).toThrow();
    // @ts-expect-error -- unknown option
    expect(() => createTracker({ backends: {}, backend: {} })).toThrow();
    // @ts-expect-error -- backends are required
    expect(() => createTracker({})).toThrow();
  });
});
