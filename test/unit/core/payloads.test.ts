import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { HttpException } from '@nestjs/common';
import { eventJson } from 'nestjs-tracking/core';
import { turns } from '../../support/http-app.js';
import type { Recording } from '../../support/recording.js';
import { record, through, untyped } from '../../support/recording.js';

const SECRET = 'Bearer of-the-payment-service';

/** What HTTP clients of the kind of axios throw: `toJSON` shows the request, credentials included. */
class ClientError extends Error {
  override readonly name = 'AxiosError';
  readonly code = 'ERR_BAD_RESPONSE';
  readonly status = 500;
  readonly config = { headers: { authorization: SECRET }, data: SECRET };
  readonly request = { path: `/?token=${SECRET}` };
  readonly response = { headers: { 'set-cookie': SECRET }, data: SECRET };

  toJSON(): object {
    const { name, message, stack, config, code, status } = this;
    return { name, message, stack, config, code, status };
  }
}

/** What HTTP clients of the kind of got throw: no `toJSON`, but fields of their own. */
class OptionsError extends Error {
  override readonly name = 'HTTPError';
  readonly code = 'ERR_NON_2XX_3XX_RESPONSE';
  readonly options = { headers: { authorization: SECRET } };
  readonly response = { statusCode: 500, body: SECRET };
}

/** What drivers of databases throw: fields that show rows. */
class DatabaseError extends Error {
  readonly code = '23505';
  readonly severity = 'ERROR';
  readonly detail = `Key (token)=(${SECRET}) already exists.`;
  readonly parameters = [SECRET];
}

const ERRORS: readonly [string, () => Error][] = [
  ['a plain one', () => new TypeError('no')],
  ['one whose toJSON shows the request', () => new ClientError('failed')],
  ['one with the request among its fields', () => new OptionsError('failed')],
  ['one of a database', () => new DatabaseError('duplicate key')],
  ['an HttpException', () => new HttpException({ message: 'no', token: SECRET }, 502)],
  ['one with a cause', () => new Error('payment failed', { cause: new ClientError('failed') })],
  ['an HttpException with a cause', () => new HttpException('no', 502, { cause: new ClientError('failed') })],
  ['one made of several', () => new AggregateError([new ClientError('failed')], 'all failed')],
  ['one whose code is a number', () => Object.assign(new Error('exited'), { code: 137, token: SECRET })],
  ['one whose toJSON returns a string', () => Object.assign(new Error('no'), { toJSON: () => SECRET })],
  [
    'one whose toJSON throws',
    () =>
      Object.assign(new Error('no'), {
        toJSON: () => {
          throw new Error(SECRET);
        },
      }),
  ],
  [
    'one of another realm',
    () =>
      untyped<Error>(
        runInNewContext('Object.assign(new RangeError("far"), { code: "E1", token })', { token: SECRET }),
      ),
  ],
  ['an aborted fetch', () => new DOMException('This operation was aborted', 'AbortError')],
];

/** All that an event keeps of an error. */
function keptOf(error: Error & { code?: unknown; status?: unknown }): object {
  const { name, message, code, status, stack } = error;
  return JSON.parse(JSON.stringify({ name, message, code, status, stack })) as object;
}

/** Ways in which an error comes into an event, and where it then stands. */
const PLACES: readonly [string, (error: Error) => { run: Recording; found: unknown }][] = [
  [
    'as a field of the payload',
    (error) => {
      const run = record();
      run.tracker.emit('failed', { error });
      return { run, found: run.last().data['error'] };
    },
  ],
  [
    'as the payload itself',
    (error) => {
      const run = record();
      run.tracker.emit('failed', error);
      return { run, found: run.last().data };
    },
  ],
  [
    'in a list',
    (error) => {
      const run = record();
      run.tracker.emit('failed', { attempts: [{ error }] });
      return { run, found: untyped<[{ error: unknown }]>(run.last().data['attempts'])[0].error };
    },
  ],
  [
    'in a Map',
    (error) => {
      const run = record();
      run.tracker.emit('failed', { by: new Map([['host', error]]) });
      return { run, found: untyped<{ host: unknown }>(run.last().data['by']).host };
    },
  ],
  [
    'in an entered context',
    (error) => {
      const run = record();
      run.tracker.context('job', { error }, () => {
        run.tracker.emit('failed');
      });
      return { run, found: run.last().context['error'] };
    },
  ],
  [
    'in the context of one event',
    (error) => {
      const run = record();
      run.tracker.emit('failed', {}, { context: { error } });
      return { run, found: run.last().context['error'] };
    },
  ],
  [
    'in the context of a child tracker',
    (error) => {
      const run = record();
      run.tracker.child({ context: { error } }).emit('failed');
      return { run, found: run.last().context['error'] };
    },
  ],
  [
    'by a processor',
    (error) => {
      const run = through((event: object) => ({ ...event, data: { error } }));
      run.tracker.emit('failed');
      return { run, found: run.last().data['error'] };
    },
  ],
];

describe.each(PLACES)('an error %s', (_place, emit) => {
  it.each(ERRORS)('keeps name, message, code, status and stack alone: %s', (_kind, make) => {
    const error = make();
    const { run, found } = emit(error);
    expect(found).toStrictEqual(keptOf(error));
    expect(eventJson(run.last())).not.toContain(SECRET);
    expect(JSON.parse(eventJson(run.last()))).toStrictEqual({ ...run.last() });
  });
});

const rejected = (): Promise<never> => Promise.reject(new Error('lookup failed'));

/** Payloads in which an `await` was forgotten, and what the report has to name. */
const FORGOTTEN: readonly [string, () => object, RegExp][] = [
  ['the payload itself', () => Promise.resolve({ id: 7 }), /promise/i],
  ['a field', () => ({ user: Promise.resolve(1), ok: 1 }), /\buser\b.*promise/i],
  ['a field that rejects', () => ({ user: rejected() }), /\buser\b.*promise/i],
  ['the payload itself, which rejects', rejected, /promise/i],
  ['an element of a list', () => ({ users: [1, rejected()] }), /\busers\b.*promise/i],
  ['a value of a Map', () => ({ users: new Map([['a', rejected()]]) }), /\busers\b.*promise/i],
  ['an element of a Set', () => ({ users: new Set([rejected()]) }), /\busers\b.*promise/i],
  ['one with fields', () => ({ user: Object.assign(rejected(), { id: 7 }) }), /\buser\b.*promise/i],
  ['one of another realm', () => ({ user: runInNewContext('Promise.resolve(1)') as unknown }), /promise/i],
  ['a thenable', () => ({ user: { then: (done: () => void) => done } }), /\buser\b.*promise/i],
  ['what toJSON returns', () => ({ user: { toJSON: rejected } }), /\buser\b.*promise/i],
  ['one in a large payload', () => ({ text: 'x'.repeat(100_000), user: rejected() }), /\buser\b.*promise/i],
];

describe('a promise in a payload', () => {
  it.each(FORGOTTEN)('is reported, and its rejection swallowed: %s', async (_what, payload, named) => {
    const run = record();
    run.tracker.emit('user.created', payload());
    await turns();
    expect(run.memory.events).toHaveLength(1);
    expect(run.reports).toMatchObject([{ code: 'payload_changed', message: expect.stringMatching(named) }]);
  });

  it.each(FORGOTTEN)('is thrown in strict mode: %s', async (_what, payload, named) => {
    const { tracker, memory } = record({ strict: true });
    const refusal = { code: 'payload_changed', message: expect.stringMatching(named) };
    expect(() => {
      tracker.emit('user.created', payload());
    }).toThrow(expect.objectContaining(refusal));
    await expect(tracker.emitAsync('user.created', payload())).rejects.toMatchObject(refusal);
    await turns();
    expect(memory.events).toStrictEqual([]);
  });

  it('leaves what stands beside it', async () => {
    const run = record();
    run.tracker.emit('user.created', { before: 1, user: rejected(), after: [2] });
    await turns();
    expect(run.last().data).toMatchObject({ before: 1, after: [2] });
    run.tracker.emit('user.seen', { id: 7 });
    expect(run.last()).toMatchObject({ name: 'user.seen', data: { id: 7 } });
    expect(run.codes()).toStrictEqual(['payload_changed']);
  });

  it('is reported each time', async () => {
    const run = record();
    const user = rejected();
    run.tracker.emit('a', { user });
    run.tracker.emit('a', { user });
    await turns();
    expect(run.codes()).toStrictEqual(['payload_changed', 'payload_changed']);
  });

  it('is reported when a processor puts it there', async () => {
    const run = through((event: object) => ({ ...event, data: { user: rejected() } }));
    run.tracker.emit('a');
    await turns();
    expect(run.reports).toMatchObject([
      { code: 'payload_changed', message: expect.stringMatching(/promise/i) },
    ]);
    expect(run.memory.events).toHaveLength(1);
  });
});

/** Ways in which a context comes to a tracker. */
const FRAMES: readonly [string, (frame: object) => Recording][] = [
  [
    'context()',
    (frame) => {
      const run = record();
      run.tracker.context('job', frame, () => {
        run.tracker.emit('a');
      });
      return run;
    },
  ],
  [
    'enterContext() in a scope',
    (frame) => {
      const run = record();
      run.tracker.context('outer', {}, () => {
        run.tracker.enterContext('job', frame);
        run.tracker.emit('a');
      });
      return run;
    },
  ],
  [
    'enterContext() outside any',
    (frame) => {
      const run = record();
      run.tracker.enterContext('job', frame);
      run.tracker.emit('a');
      return run;
    },
  ],
  [
    'one emit',
    (frame) => {
      const run = record();
      run.tracker.emit('a', {}, { context: frame });
      return run;
    },
  ],
  [
    'a child tracker',
    (frame) => {
      const run = record();
      run.tracker.child({ context: frame }).emit('a');
      return run;
    },
  ],
  [
    'the option',
    (frame) => {
      const run = record({ context: frame });
      run.tracker.emit('a');
      return run;
    },
  ],
];

describe.each(FRAMES)('the context of %s', (_way, enter) => {
  it('reports a promise, and swallows its rejection', async () => {
    const run = enter({ user: rejected(), ok: 1 });
    await turns();
    expect(run.reports).toMatchObject([
      { code: 'context_changed', message: expect.stringMatching(/\buser\b.*promise/i) },
    ]);
    expect(run.last().context).toMatchObject({ ok: 1 });
  });

  it('reports an object without readable fields', () => {
    const run = enter({ headers: new Headers({ a: 'b' }), ok: 1 });
    expect(run.reports).toMatchObject([
      { code: 'context_changed', message: expect.stringContaining('headers') },
    ]);
    expect(run.last().context).toMatchObject({ ok: 1 });
  });

  it.each([
    ['alone', {}],
    ['beside a BigInt', { z: 5n }],
    ['beside 20 KiB', { z: 'x'.repeat(20_000) }],
    ['beside a Map', { z: new Map([['k', 1]]) }],
    ['beside a function', { z: () => 1 }],
    ['beside NaN', { z: Number.NaN }],
  ])('has its getters read once: %s', (_what, beside) => {
    let reads = 0;
    const run = enter({
      get a() {
        return ++reads;
      },
      ...beside,
    });
    expect(reads).toBe(1);
    expect(run.last().context).toMatchObject({ a: 1 });
  });
});

class Money {
  readonly #cents = 5;
  get cents(): number {
    return this.#cents;
  }
}

/** Objects of which JSON would be `{}`, though they hold something. */
const UNREADABLE: readonly [string, () => object][] = [
  ['a regular expression', () => /x/g],
  ['headers', () => new Headers({ a: 'b' })],
  ['a form', () => new FormData()],
  ['a search', () => new URLSearchParams('a=b')],
  ['a WeakMap', () => new WeakMap()],
  ['a WeakSet', () => new WeakSet()],
  ['a WeakRef', () => new WeakRef({})],
  ['an instance with private fields alone', () => new Money()],
  ['a Blob', () => new Blob(['x'])],
  ['an ArrayBuffer', () => new ArrayBuffer(8)],
  ['a boxed symbol', () => Object(Symbol('x')) as object],
  ['the entries of a list', () => [1].entries()],
  ['the entries of a Map', () => new Map([[1, 2]]).entries()],
  ['a number format', () => new Intl.NumberFormat('en')],
];

describe('an object without readable fields', () => {
  it.each(UNREADABLE)('is reported, and thrown in strict mode: %s', (_what, make) => {
    const run = record();
    run.tracker.emit('a', { ok: 1, total: make() });
    expect(run.last().data).toMatchObject({ ok: 1 });
    expect(run.reports).toMatchObject([
      { code: 'payload_changed', message: expect.stringContaining('total') },
    ]);
    const strict = record({ strict: true });
    expect(() => {
      strict.tracker.emit('a', { total: make() });
    }).toThrow(expect.objectContaining({ code: 'payload_changed' }));
    expect(strict.memory.events).toStrictEqual([]);
  });

  it.each(UNREADABLE)('is reported as the whole payload: %s', (_what, make) => {
    const run = record();
    run.tracker.emit('a', make());
    expect(run.memory.events).toHaveLength(1);
    expect(run.codes()).toStrictEqual(['payload_changed']);
  });

  it.each<[string, () => object]>([
    ['nothing at all', () => ({})],
    ['empty objects and lists', () => ({ a: {}, b: [], c: [{}], d: { e: {} } })],
    ['an object without a prototype', () => Object.assign(Object.create(null) as object, { a: 1 })],
    ['an empty object without a prototype', () => ({ a: Object.create(null) as object })],
    ['one whose fields are all undefined', () => ({ a: { b: undefined } })],
    ['a date', () => ({ a: new Date(0) })],
    [
      'an instance with fields',
      () => ({
        a: new (class Point {
          readonly x = 1;
        })(),
      }),
    ],
    ['an empty object of another realm', () => ({ a: runInNewContext('({})') as unknown })],
  ])('is not: %s', (_what, make) => {
    const run = record({ strict: true });
    run.tracker.emit('a', make());
    expect(run.memory.events).toHaveLength(1);
    expect(run.reports).toStrictEqual([]);
  });
});

function cycle(): object {
  const self: Record<string, unknown> = {};
  self['self'] = self;
  return self;
}

function nested(depth: number): object {
  let value: object = {};
  for (let i = 0; i < depth; i++) {
    value = { value };
  }
  return value;
}

/** What stands beside a getter in a payload. */
const BESIDE: readonly [string, () => object][] = [
  ['nothing', () => ({})],
  ['a BigInt', () => ({ z: 5n })],
  ['17 KiB', () => ({ z: 'x'.repeat(17_000) })],
  ['300 KiB', () => ({ z: 'x'.repeat(300_000) })],
  ['more than an event may hold', () => ({ z: 'x'.repeat(1_100_000) })],
  ['NaN', () => ({ z: Number.NaN })],
  ['a function', () => ({ z: () => 1 })],
  ['a symbol', () => ({ z: Symbol('z') })],
  ['nothing known', () => ({ z: undefined })],
  ['a date', () => ({ z: new Date(0) })],
  ['an invalid date', () => ({ z: new Date(Number.NaN) })],
  ['a Map', () => ({ z: new Map([['k', 1n]]) })],
  ['an error', () => ({ z: new ClientError('failed') })],
  ['a promise', () => ({ z: Promise.resolve(1) })],
  ['a cycle', () => ({ z: cycle() })],
  ['what lies too deep', () => ({ z: nested(200) })],
  ['a hole in a list', () => ({ z: Object.assign([], { 2: 'c' }) })],
  ['a toJSON', () => ({ z: { toJSON: () => 1n } })],
  ['characters of several bytes', () => ({ z: '\u{1F600}\ud800' })],
];

describe('a payload is read once', () => {
  it.each(BESIDE)('beside %s', (_what, beside) => {
    const run = record();
    let reads = 0;
    const payload = {
      get a() {
        reads++;
        run.tracker.emit('inner', { reads });
        return reads;
      },
      ...beside(),
    };
    run.tracker.emit('outer', payload);
    expect(reads).toBe(1);
    expect(run.memory.events.filter(({ name }) => name === 'inner')).toHaveLength(1);
    const outer = run.memory.events.filter(({ name }) => name === 'outer');
    expect(outer.map(({ data }) => data['a'])).toStrictEqual(outer.map(() => 1));
    // The second time is read anew, and once again.
    run.tracker.emit('outer', payload);
    expect(reads).toBe(2);
    expect(run.memory.events.filter(({ name }) => name === 'inner')).toHaveLength(2);
  });

  it.each(BESIDE)('by toJSON and by iterators, beside %s', (_what, beside) => {
    const { tracker } = record();
    const calls = { toJSON: 0, iterator: 0, element: 0 };
    const map = new Map([['k', 1]]);
    tracker.emit('a', {
      json: {
        toJSON: () => {
          calls.toJSON++;
          return { n: 1 };
        },
      },
      list: Object.defineProperty([1], 0, {
        get: () => {
          calls.element++;
          return 1;
        },
      }),
      map: Object.defineProperty(map, Symbol.iterator, {
        value: () => {
          calls.iterator++;
          return map.entries();
        },
      }),
      ...beside(),
    });
    expect(calls.toJSON).toBe(1);
    expect(calls.element).toBe(1);
    expect(calls.iterator).toBeLessThanOrEqual(1);
  });

  it.each(BESIDE)('when a processor made it, beside %s', (_what, beside) => {
    let reads = 0;
    const run = through((event: object) => ({
      ...event,
      data: {
        get a() {
          return ++reads;
        },
        ...beside(),
      },
    }));
    run.tracker.emit('a');
    expect(reads).toBe(1);
  });
});
