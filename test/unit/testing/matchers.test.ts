import { describe, expect, it } from '@jest/globals';
import type { TrackingMatchers } from '../../../lib/testing.js';
import { memoryBackend, trackingMatchers } from '../../../lib/testing.js';
import type { TrackingEvent } from '../../../lib/core/event.js';
import type { JsonObject } from '../../../lib/core/json.js';

declare module 'expect' {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- how Jest is told of matchers
  interface Matchers<R> extends TrackingMatchers<R> {}
}

expect.extend(trackingMatchers);

const tracked = (name: string, data: JsonObject = {}, context: JsonObject = {}): TrackingEvent => ({
  id: '1',
  name,
  timestamp: '2026-01-01T00:00:00.000Z',
  data,
  context,
});

const failure = (assertion: () => void): string => {
  try {
    assertion();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('the assertion passed');
};

const EVENTS = [
  tracked('order.created', { total: 5, items: [{ sku: 'a', n: 1 }] }),
  tracked('order.created', { total: 6, at: '2026-01-01T00:00:00.000Z' }),
  tracked('order.paid'),
];

describe('toHaveTracked', () => {
  it('looks at a backend, at anything with events, and at a list', () => {
    const backend = memoryBackend();
    void backend.send(tracked('a'));

    expect(backend).toHaveTracked('a');
    expect({ events: backend.events }).toHaveTracked('a');
    expect(backend.events).toHaveTracked('a');
    expect(backend).not.toHaveTracked('b');
  });

  it.each<[object]>([
    [{}],
    [{ total: 5 }],
    [{ total: expect.any(Number) }],
    [{ items: [{ sku: 'a' }] }],
    [{ items: expect.arrayContaining([{ sku: 'a', n: 1 }]) as unknown }],
    [{ at: new Date('2026-01-01') }],
    [{ total: 6, gone: undefined }],
  ])('finds part of the data: %p', (data) => {
    expect(EVENTS).toHaveTracked('order.created', data);
  });

  it.each<[object]>([
    [{ total: 7 }],
    [{ total: '5' }],
    [{ total: 5, at: expect.anything() }],
    [{ items: [] }],
    [{ items: { 0: 'a' } }],
    [{ total: null }],
    [{ toString: Object.prototype.toString }],
  ])('is not content with other data: %p', (data) => {
    expect(EVENTS).not.toHaveTracked('order.created', data);
  });

  it('says what was tracked instead of a name', () => {
    expect(
      failure(() => {
        expect(EVENTS).toHaveTracked('order.shipped', { total: 1 });
      }),
    ).toBe(
      'expected "order.shipped" with data {"total":1} to be tracked, but it was not; tracked: order.created ×2, order.paid',
    );
  });

  it('says for each event of the name what differs', () => {
    expect(
      failure(() => {
        expect(EVENTS).toHaveTracked('order.created', {
          items: [{ sku: 'b' }],
        });
      }),
    ).toBe(
      [
        'expected "order.created" with data {"items":[{"sku":"b"}]} to be tracked, but it was with other data:',
        '  1. {"total":5,"items":[{"sku":"a","n":1}]}: data.items[0].sku is "a", not "b"',
        '  2. {"total":6,"at":"2026-01-01T00:00:00.000Z"}: data.items is undefined, not [{"sku":"b"}]',
      ].join('\n'),
    );
  });

  it('shows matchers by their name where they stand', () => {
    expect(
      failure(() => {
        expect(EVENTS).toHaveTracked('order.shipped', { total: expect.any(Number), at: [expect.anything()] });
      }),
    ).toMatch('with data {"total":"Any<Number>","at":["Anything"]}');
  });

  it('shows matchers by their name, lists by their length, and cuts what is long', () => {
    const events = [tracked('a', { s: 'x'.repeat(300), list: [1] })];

    expect(
      failure(() => {
        expect(events).toHaveTracked('a', { s: expect.any(Number) });
      }),
    ).toMatch(/data\.s is "x{199}…, not Any/);
    expect(
      failure(() => {
        expect(events).toHaveTracked('a', { list: [1, 2] });
      }),
    ).toMatch('data.list has 1 elements, not 2');
    expect(
      failure(() => {
        expect(events).toHaveTracked('a', {
          s: { asymmetricMatch: () => false },
        });
      }),
    ).toMatch('not what the matcher expects');
  });

  it('shows at most five events', () => {
    const events = Array.from({ length: 7 }, (_, n) => tracked('a', { n }));

    expect(
      failure(() => {
        expect(events).toHaveTracked('a', { n: 9 });
      }),
    ).toMatch(/5\. \{"n":4\}: .*\n {2}and 2 more$/);
  });

  it('shows only what should not be there when it is refused', () => {
    expect(
      failure(() => {
        expect(EVENTS).not.toHaveTracked('order.created', { total: 5 });
      }),
    ).toBe(
      'expected "order.created" with data {"total":5} not to be tracked, but it was:\n  1. {"total":5,"items":[{"sku":"a","n":1}]}',
    );
  });

  it('survives an expectation that has no JSON', () => {
    const cyclic: Record<string, unknown> = {};
    cyclic['self'] = cyclic;

    expect(
      failure(() => {
        expect(EVENTS).toHaveTracked('order.created', { total: cyclic });
      }),
    ).toMatch('data.total is 5, not <ref *1> { self: [Circular *1] }');
  });

  it.each([undefined, 'a', {}, { events: 1 }])('refuses %p', (received) => {
    expect(
      failure(() => {
        expect(received).not.toHaveTracked('a');
      }),
    ).toMatch('toHaveTracked looks at a memory backend, a probe or a list of events, got ');
  });
});

describe('toHaveTrackedTimes', () => {
  it('counts', () => {
    expect(EVENTS).toHaveTrackedTimes('order.created', 2);
    expect(EVENTS).not.toHaveTrackedTimes('order.created', 1);
    expect([]).toHaveTrackedTimes('a', 0);
  });

  it('says what was counted', () => {
    expect(
      failure(() => {
        expect(EVENTS).toHaveTrackedTimes('order.paid', 3);
      }),
    ).toBe(
      'expected "order.paid" to be tracked 3 times, it was 1 times; tracked: order.created ×2, order.paid',
    );
    expect(
      failure(() => {
        expect(EVENTS).not.toHaveTrackedTimes('order.paid', 1);
      }),
    ).toMatch('expected "order.paid" not to be tracked 1 times');
  });
});

describe('toHaveContext', () => {
  const event = tracked('a', {}, { user: { id: 'u-1', plan: 'free' } });

  it('finds part of the context', () => {
    expect(event).toHaveContext({ user: { id: 'u-1' } });
    expect(event).not.toHaveContext({ user: { id: 'u-2' } });
    expect(event).not.toHaveContext({ session: expect.anything() });
  });

  it('says what differs', () => {
    expect(
      failure(() => {
        expect(event).toHaveContext({ user: { id: 'u-2' } });
      }),
    ).toBe(
      'expected "a" to happen in the context {"user":{"id":"u-2"}}, but context.user.id is "u-1", not "u-2"',
    );
    expect(
      failure(() => {
        expect(event).not.toHaveContext({ user: { id: 'u-1' } });
      }),
    ).toBe(
      'expected "a" not to happen in the context {"user":{"id":"u-1"}}, but it did: {"user":{"id":"u-1","plan":"free"}}',
    );
  });

  it('refuses what is no event', () => {
    expect(
      failure(() => {
        expect(undefined).toHaveContext({});
      }),
    ).toMatch('toHaveContext looks at one tracking event, got undefined');
    expect(
      failure(() => {
        expect(EVENTS).toHaveContext({});
      }),
    ).toMatch('toHaveContext looks at one tracking event');
  });
});
