import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { eventJson } from '../../../lib/core/event.js';
import { hostile, revoked, throwing } from '../../support/hostile.js';
import { record, untyped } from '../../support/recording.js';

class Point {
  readonly x = 1;
  readonly #secret = 2;
  get secret(): number {
    return this.#secret;
  }
}

function nested(depth: number): object {
  let value: object = {};
  for (let i = 0; i < depth; i++) {
    value = { value };
  }
  return value;
}

function cyclic(): object {
  const a: Record<string, unknown> = { name: 'a' };
  a['list'] = [{ a }];
  return a;
}

/** Payload, what becomes of it, and what the report says. */
const PAYLOADS: readonly [string, () => unknown, object, string | undefined][] = [
  ['a BigInt', () => ({ a: 10n ** 30n }), { a: `1${'0'.repeat(30)}` }, 'a: a BigInt became a string'],
  ['a cycle', cyclic, { name: 'a', list: [{ a: '[Circular]' }] }, 'list[0].a: a cycle was cut'],
  [
    'the same object twice',
    () => {
      const same = { x: 1 };
      return { a: same, b: [same, same] };
    },
    { a: { x: 1 }, b: [{ x: 1 }, { x: 1 }] },
    undefined,
  ],
  [
    'a throwing getter',
    () => ({
      before: 1,
      get bad() {
        return throwing();
      },
      after: 2,
    }),
    { before: 1, bad: '[Unreadable]', after: 2 },
    'bad: reading it threw',
  ],
  [
    'a throwing proxy',
    () => ({ before: 1, bad: hostile(), after: 2 }),
    { before: 1, bad: '[Unreadable]', after: 2 },
    'bad: reading it threw',
  ],
  [
    'a revoked proxy',
    () => ({ before: 1, bad: revoked(), after: [revoked()] }),
    { before: 1, bad: '[Unreadable]', after: ['[Unreadable]'] },
    'bad: reading it threw',
  ],
  ['a throwing proxy itself', hostile, { value: '[Unreadable]' }, 'reading it threw'],
  ['a revoked proxy itself', revoked, { value: '[Unreadable]' }, 'reading it threw'],
  [
    'a throwing toJSON',
    () => ({ bad: { toJSON: throwing }, ok: 1 }),
    { bad: '[Unreadable]', ok: 1 },
    'bad: reading it threw',
  ],
  [
    'a toJSON that answers itself',
    () => ({
      me: {
        x: 1,
        toJSON() {
          return this;
        },
      },
    }),
    { me: { x: 1 } },
    'me.toJSON: a function was left out',
  ],
  [
    'a toJSON that never ends',
    () => {
      const endless = (): object => ({ toJSON: endless });
      return { endless: endless() };
    },
    { endless: '[Too deep]' },
    'endless: what lies too deep was cut',
  ],
  [
    'a toJSON that answers nothing',
    () => ({ gone: { toJSON: () => undefined }, ok: 1 }),
    { ok: 1 },
    undefined,
  ],
  ['a toJSON of the payload', () => ({ toJSON: () => ({ a: 1 }) }), { a: 1 }, undefined],
  [
    'a toJSON of the payload that is no object',
    () => ({ toJSON: () => 'text' }),
    { value: 'text' },
    'expected an object',
  ],
  [
    'NaN and infinities',
    () => ({ a: Number.NaN, b: [Infinity, -Infinity] }),
    { a: null, b: [null, null] },
    'a: NaN became null; b[0]: Infinity became null',
  ],
  ['an invalid date', () => ({ at: new Date(Number.NaN) }), { at: null }, 'at: an invalid date became null'],
  [
    'a throwing date',
    () => ({ at: Object.assign(new Date(0), { getTime: throwing }) }),
    { at: '[Unreadable]' },
    'at: reading it threw',
  ],
  [
    'a Map',
    () => ({
      map: new Map<unknown, unknown>([
        ['a', 1n],
        [2, new Map()],
      ]),
    }),
    { map: { a: '1', 2: {} } },
    'map: a Map became an object',
  ],
  [
    'a Map with a key __proto__',
    () => ({ map: new Map([['__proto__', 1]]) }),
    { map: {} },
    'a key __proto__ was left out',
  ],
  [
    'a Map whose key throws',
    () => ({ map: new Map([[{ toString: throwing }, 1]]), ok: 1 }),
    { map: '[Unreadable]', ok: 1 },
    'map: reading it threw',
  ],
  ['a Set', () => ({ set: new Set([1, [2]]) }), { set: [1, [2]] }, 'set: a Set became an array'],
  [
    'an Error',
    () => ({ error: Object.assign(new TypeError('bad'), { code: 'E1' }) }),
    { error: { name: 'TypeError', message: 'bad', code: 'E1', stack: expect.any(String) } },
    'error: an Error became',
  ],
  [
    'an Error with more fields and a toJSON of its own',
    () => ({
      error: Object.assign(new Error('bad'), {
        status: 401,
        config: { headers: { authorization: 'secret' } },
        toJSON: () => 'secret',
      }),
    }),
    { error: { name: 'Error', message: 'bad', status: 401, stack: expect.any(String) } },
    'error: an Error became',
  ],
  [
    'an Error of another realm',
    () => ({ error: runInNewContext('new RangeError("far")') as unknown }),
    { error: { name: 'RangeError', message: 'far', stack: expect.any(String) } },
    'error: an Error became',
  ],
  [
    'boxed values',
    () => ({
      n: Object(1) as unknown,
      s: Object('s') as unknown,
      b: Object(false) as unknown,
    }),
    { n: 1, s: 's', b: false },
    undefined,
  ],
  ['a boxed NaN', () => ({ n: Object(Number.NaN) as unknown }), { n: null }, 'n: NaN became null'],
  [
    'functions and symbols',
    () => ({ f: throwing, s: Symbol('s'), [Symbol('key')]: 1, ok: 1 }),
    { ok: 1 },
    'f: a function was left out; s: a symbol was left out',
  ],
  [
    'functions in an array',
    () => ({ list: [throwing, undefined, 1] }),
    { list: [null, null, 1] },
    'list[1]: what an array cannot leave out became null',
  ],
  [
    'a sparse array',
    () => ({ list: Object.assign([], { 2: 'c' }) }),
    { list: [null, null, 'c'] },
    'list[0]: what an array cannot leave out became null',
  ],
  ['an array with keys', () => ({ list: Object.assign([1], { extra: 2 }) }), { list: [1] }, undefined],
  ['a class instance', () => new Point(), { x: 1 }, undefined],
  ['a Buffer', () => ({ b: Buffer.from('a') }), { b: { type: 'Buffer', data: [97] } }, undefined],
  ['a typed array', () => ({ b: Uint8Array.of(1, 2) }), { b: { 0: 1, 1: 2 } }, undefined],
  [
    'a regular expression',
    () => ({ r: /x/g }),
    { r: {} },
    'r: an instance of RegExp has no fields that can be read',
  ],
  [
    'inherited fields',
    () => Object.create({ inherited: 1 }) as unknown,
    {},
    'has no fields that can be read',
  ],
  ['an instance without fields', () => ({ w: new WeakMap() }), { w: {} }, 'w: an instance of WeakMap has'],
  [
    'a promise',
    () => ({ p: Promise.reject(new Error('no')), ok: 1 }),
    { ok: 1 },
    'p: a promise was left out',
  ],
  [
    'a promise in an array',
    () => ({ list: [Promise.resolve(1)] }),
    { list: [null] },
    'list[0]: a promise was left out',
  ],
  [
    'an own __proto__',
    () => JSON.parse('{"__proto__":{"admin":true},"a":{"__proto__":1,"b":2}}') as unknown,
    { a: { b: 2 } },
    '__proto__',
  ],
  ['an array', () => [1, { a: 2 }], { value: [1, { a: 2 }] }, 'expected an object, got an array'],
  ['a string', () => 'text', { value: 'text' }, 'expected an object, got a string'],
  ['a number', () => 5, { value: 5 }, 'expected an object, got a number'],
  ['a boolean', () => false, { value: false }, 'expected an object, got a boolean'],
  ['a BigInt itself', () => 5n, { value: '5' }, 'expected an object, got a bigint'],
  ['a symbol', () => Symbol('x'), {}, 'expected an object, got a symbol'],
  ['a function', () => throwing, {}, 'expected an object, got a function'],
  ['a date', () => new Date(0), { value: '1970-01-01T00:00:00.000Z' }, 'expected an object'],
  ['null', () => null, {}, undefined],
  ['undefined', () => undefined, {}, undefined],
];

describe('a payload that is not JSON', () => {
  it.each(PAYLOADS)('%s', (_, make, expected, report) => {
    const { tracker, memory, reports } = record();
    tracker.emit('before', { ok: 1 });
    tracker.emit('bad', untyped(make()));
    tracker.emit('after', { ok: 2 });
    expect(memory.events.map(({ name }) => name)).toStrictEqual(['before', 'bad', 'after']);
    expect(memory.events[1]?.data).toStrictEqual(expected);
    expect(memory.events[2]?.data).toStrictEqual({ ok: 2 });
    expect(reports.map(({ code }) => code)).toStrictEqual(report === undefined ? [] : ['payload_changed']);
    expect(reports[0]?.message ?? '').toContain(report ?? '');
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  it.each(PAYLOADS.filter(([name]) => name !== 'undefined'))(
    'as a context: %s',
    (name, make, expected, report) => {
      const { tracker, last, reports } = record();
      const value = tracker.context('bad', untyped(make()), () => {
        tracker.emit('inside', { ok: 1 });
        return 'answer';
      });
      expect(value).toBe('answer');
      const visible = Object.entries(expected).filter(([, child]) => child !== null);
      expect(last()).toMatchObject({ name: 'inside', data: { ok: 1 } });
      expect(last().context).toStrictEqual(Object.fromEntries(visible));
      expect(reports.map(({ code }) => code)).toStrictEqual(
        report === undefined && name !== 'null' ? [] : ['context_changed'],
      );
      tracker.emit('outside');
      expect(last().context).toStrictEqual({});
    },
  );

  it('lists at most ten of its changes', () => {
    const { tracker, reports } = record();
    tracker.emit('a', { list: Array.from({ length: 50 }, () => 1n) });
    expect(reports).toHaveLength(1);
    expect(reports[0]?.message.split(';')).toHaveLength(10);
  });

  it('is cut at the depth limit, to the level', () => {
    const { tracker, last, reports } = record({ limits: { maxDepth: 3 } });
    tracker.emit('fits', { 2: { 3: 'text' } });
    tracker.context('fits', { 2: { 3: [] } }, () => {
      tracker.emit('fits too', { 2: [['x'].length] });
    });
    expect(reports).toStrictEqual([]);
    tracker.emit('cut', { 2: { 3: {} }, list: [[1], [[2]], 3] });
    expect(last().data).toStrictEqual({
      2: { 3: {} },
      list: [[1], ['[Too deep]'], 3],
    });
    expect(reports).toMatchObject([{ code: 'payload_changed' }]);
  });

  it('of depth 10,000 is cut', () => {
    const { tracker, last, reports } = record();
    tracker.emit('deep', nested(10_000));
    expect(eventJson(last())).toContain('[Too deep]');
    expect(eventJson(last()).length).toBeLessThan(2_000);
    expect(reports).toHaveLength(1);
  });

  it('of depth 10,000 survives a limit that is too high for the stack', () => {
    const { tracker, last } = record({ limits: { maxDepth: 1_000_000 } });
    tracker.emit('deep', nested(50_000));
    tracker.emit('after', { ok: 1 });
    expect(last()).toMatchObject({ name: 'after', data: { ok: 1 } });
  });

  it.each([
    ['a 10 MB string', () => ({ text: 'x'.repeat(10_000_000) })],
    ['a 10 MB string to be escaped', () => ({ text: '\u0001'.repeat(10_000_000) })],
    ['a 10 MB key', () => ({ ['k'.repeat(10_000_000)]: 1 })],
    ['many small values', () => ({ list: Array.from({ length: 2_000_000 }, () => 1) })],
    ['the longest sparse array', () => ({ list: new Array(2 ** 32 - 1) })],
    [
      'an endless proxy',
      () => ({
        list: new Proxy([], {
          get: (_, key) => (key === 'length' ? Infinity : 1),
        }),
      }),
    ],
    ['text that is small but for its escapes', () => ({ text: '\u0001'.repeat(300_000) })],
    ['text that is small but for its encoding', () => ({ text: '€'.repeat(500_000) })],
    ['a huge BigInt', () => ({ big: 10n ** 1_100_000n })],
  ])('is dropped when it is too large: %s', (_, make) => {
    const { tracker, memory, codes } = record();
    tracker.emit('huge', make());
    tracker.emit('after', { ok: 1 });
    expect(memory.events).toMatchObject([{ name: 'after', data: { ok: 1 } }]);
    expect(codes()).toStrictEqual(['too_large']);
    expect(tracker.stats().dropped).toStrictEqual({ too_large: 1 });
  });

  it('may be exactly as large as allowed', () => {
    const { tracker, memory, codes } = record({ limits: { maxBytes: 10_000 } });
    tracker.emit('a', { text: '' }, { id: 'x' });
    const room = 10_000 - Buffer.byteLength(JSON.stringify(memory.events[0]));
    tracker.emit('a', { text: 'x'.repeat(room) }, { id: 'x' });
    tracker.emit('a', { text: 'x'.repeat(room + 1) }, { id: 'x' });
    tracker.emit('a', { text: `${'x'.repeat(room - 1)}é` }, { id: 'x' });
    expect(memory.events).toHaveLength(2);
    expect(codes()).toStrictEqual(['too_large', 'too_large']);
  });

  it('leaves a context out that is too large', () => {
    const { tracker, last, codes } = record();
    tracker.context('huge', { text: 'x'.repeat(2_000_000) }, () => {
      tracker.emit('a', { ok: 1 });
    });
    expect(last()).toMatchObject({ data: { ok: 1 }, context: {} });
    expect(codes()).toStrictEqual(['too_large']);
  });

  it('is read once where reading it has effects', () => {
    const { tracker, last } = record();
    let reads = 0;
    tracker.emit('a', {
      get count() {
        return ++reads;
      },
    });
    expect(last().data).toStrictEqual({ count: 1 });
    expect(reads).toBe(1);
  });

  it('may change itself while it is read', () => {
    const { tracker, last, memory } = record();
    const data: Record<string, unknown> = {
      a: 1,
      get b() {
        delete data['c'];
        data['d'] = 5n;
        data['a'] = data;
        return 2;
      },
      c: 3,
    };
    const list = {
      items: [1, 2, 3],
      get z() {
        this.items.length = 0;
        return 0;
      },
    };
    tracker.emit('object', data);
    tracker.emit('array', list);
    for (const event of memory.events) {
      expect(JSON.parse(eventJson(event))).toStrictEqual({ ...event });
    }
    expect(memory.events).toHaveLength(2);
    expect(last().data).toMatchObject({ z: 0 });
  });

  it('may emit events while it is read', () => {
    const { tracker, memory } = record();
    const chatty = (depth: number): object => ({
      before: 'x'.repeat(100),
      get inner() {
        if (depth > 0) {
          tracker.emit(`inner ${depth}`, chatty(depth - 1));
        }
        return depth;
      },
      after: 'y'.repeat(100),
    });
    tracker.emit('outer', chatty(5));
    expect(memory.events.map(({ name }) => name)).toStrictEqual([
      'inner 1',
      'inner 2',
      'inner 3',
      'inner 4',
      'inner 5',
      'outer',
    ]);
    for (const event of memory.events) {
      expect(JSON.parse(eventJson(event))).toStrictEqual({ ...event });
      expect(event.data).toMatchObject({
        before: 'x'.repeat(100),
        after: 'y'.repeat(100),
      });
    }
  });

  it('does not pick up what somebody put on Object.prototype', () => {
    const { tracker, last } = record();
    const prototype = Object.prototype as { polluted?: unknown };
    Object.defineProperty(prototype, 'polluted', {
      value: 'yes',
      enumerable: true,
      configurable: true,
    });
    try {
      tracker.context('c', { c: {} }, () => {
        tracker.emit('a', { b: { d: 1 } });
      });
    } finally {
      delete prototype.polluted;
    }
    expect(eventJson(last())).not.toContain('polluted');
    expect(last()).toMatchObject({ data: { b: { d: 1 } }, context: { c: {} } });
  });
});
