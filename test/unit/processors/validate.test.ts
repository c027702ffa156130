import { describe, expect, it, jest } from '@jest/globals';
import type { EventCatalogue, ValidationResult } from '../../../lib/core/catalogue.js';
import type { JsonObject } from '../../../lib/core/json.js';
import type { MaybePromise } from '../../../lib/core/processor.js';
import type { InvalidEvent, ValidateOptions } from '../../../lib/processors/validate.js';
import { validate } from '../../../lib/processors/validate.js';
import { record, untyped } from '../../support/recording.js';
import { answerOf, expectFilter, eventOf, problemsOf, sealedEvent } from './events.js';

/** Knows `checked`, which asks the schema, and `free`, which takes anything. */
function catalogueOf(schema: () => MaybePromise<ValidationResult> = () => ({ valid: true })): EventCatalogue {
  const definitions = new Map([
    ['checked', { validate: schema }],
    ['free', {}],
  ]);
  return {
    names: [...definitions.keys()],
    get: (name) => definitions.get(name),
  };
}

const INVALID: ValidationResult = { valid: false, problems: ['amount: missing'] };

describe('validate', () => {
  it('lets valid events through unchanged', () => {
    const catalogue = catalogueOf(() => ({ valid: true, output: { a: 2 } }));
    const processor = validate(catalogue);
    expectFilter(processor, 'validate');
    const event = eventOf({ name: 'checked', data: { a: 1 } });
    expect(answerOf(processor, event)).toBeUndefined();
  });

  it('does not read a payload that no schema checks', () => {
    expect(answerOf(validate(catalogueOf()), sealedEvent({ name: 'free' }))).toBeUndefined();
  });

  it.each<[string, () => MaybePromise<ValidationResult>]>([
    ['now', () => INVALID],
    ['later', () => Promise.resolve(INVALID)],
  ])('drops invalid events and says why, %s', async (_, schema) => {
    const reported: InvalidEvent[] = [];
    const { tracker, memory, reports } = record({
      processors: [
        validate(catalogueOf(schema), {
          report: (invalid) => {
            reported.push(invalid);
          },
        }),
      ],
    });
    await tracker.emitAsync('checked', { a: 1 });
    await tracker.emitAsync('free');
    expect(memory.events.map(({ name }) => name)).toStrictEqual(['free']);
    expect(tracker.stats().dropped).toStrictEqual({ invalid: 1 });
    expect(reported).toMatchObject([
      {
        event: { name: 'checked', data: { a: 1 } },
        problems: ['amount: missing'],
        message: '"checked" does not match its schema, which sees the event\'s JSON: amount: missing',
      },
    ]);
    expect(reports).toStrictEqual([]);
  });

  it.each<[ValidateOptions, string[], string[]]>([
    [{}, [], ['"other" is not in the catalogue']],
    [{ unknown: 'drop' }, [], ['"other" is not in the catalogue']],
    [{ unknown: 'allow' }, ['other'], []],
  ])('with %j: unknown names', (options, passed, problems) => {
    const reported: string[] = [];
    const report = ({ problems: lines, message }: InvalidEvent): void => {
      expect([message]).toStrictEqual(lines);
      reported.push(message);
    };
    const { tracker, memory } = record({
      processors: [validate(catalogueOf(), { ...options, report })],
    });
    tracker.emit('other');
    expect(memory.events.map(({ name }) => name)).toStrictEqual(passed);
    expect(reported).toStrictEqual(problems);
  });

  it.each<[string, () => MaybePromise<ValidationResult>]>([
    ['now', () => ({ valid: true, output: { amount: 1 } })],
    ['later', () => Promise.resolve({ valid: true, output: { amount: 1 } })],
  ])('hands on what the schema made of the payload, %s', async (_, schema) => {
    const { tracker, last } = record({
      processors: [validate(catalogueOf(schema), { useOutput: true })],
    });
    await tracker.emitAsync('checked', { amount: '1', secret: 'x' });
    expect(last().data).toStrictEqual({ amount: 1 });
  });

  it('keeps the payload when the schema only checked', () => {
    const { tracker, last } = record({
      processors: [validate(catalogueOf(), { useOutput: true })],
    });
    tracker.emit('checked', { a: 1 });
    expect(last().data).toStrictEqual({ a: 1 });
    const event = eventOf({ name: 'checked', data: { a: 1 } });
    expect(answerOf(validate(catalogueOf(), { useOutput: true }), event)).toBeUndefined();
  });

  it.each<[string, () => MaybePromise<ValidationResult>]>([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken'))],
    ['returns nothing', untyped(() => undefined)],
    ['returns nothing later', untyped(() => Promise.resolve())],
  ])('fails closed when a schema %s', async (_, schema) => {
    const { tracker, memory, codes } = record({
      processors: [validate(catalogueOf(schema))],
    });
    await tracker.emitAsync('checked');
    expect(memory.events).toStrictEqual([]);
    expect(codes()).toStrictEqual(['processor_failed']);
  });

  it('drops all the same when report fails, now or later', async () => {
    const later = untyped<() => void>(() => Promise.reject(new Error('b')));
    const now = (): void => {
      throw new Error('a');
    };
    for (const report of [now, later]) {
      const { tracker, memory, codes } = record({
        processors: [
          validate(
            catalogueOf(() => INVALID),
            { report },
          ),
        ],
      });
      await tracker.emitAsync('checked');
      expect(memory.events).toStrictEqual([]);
      expect(codes()).toStrictEqual(['processor_failed']);
    }
    const settled = untyped<() => void>(() => Promise.resolve());
    const { tracker } = record({
      processors: [
        validate(
          catalogueOf(() => INVALID),
          { report: settled },
        ),
      ],
    });
    expect((await tracker.emitAsync('checked')).dropped).toBe('invalid');
  });

  it.each<[string, object, object]>([
    ['a date is an ISO string', { at: new Date(0) }, { at: '1970-01-01T00:00:00.000Z' }],
    ['a bigint is a string', { n: 5n }, { n: '5' }],
    ['a Map is an object', { m: new Map([['k', 1]]) }, { m: { k: 1 } }],
    ['a Set is an array', { s: new Set([1]) }, { s: [1] }],
    ['a key that is undefined is missing', { a: 1, b: undefined }, { a: 1 }],
    ['an event without a payload has an empty one', untyped(undefined), {}],
  ])("shows the schema the event's JSON: %s", (_, emitted, seen) => {
    const schema = jest.fn<(data: JsonObject) => ValidationResult>(() => ({ valid: true }));
    const { tracker } = record({ processors: [validate(catalogueOf(untyped(schema)))] });
    tracker.emit('checked', emitted);
    expect(schema.mock.calls).toStrictEqual([[seen]]);
  });

  it('makes JSON of what a schema returns', () => {
    const output = untyped<JsonObject>({ at: new Date(0), m: new Map([['k', 1]]) });
    const { tracker, last } = record({
      processors: [
        validate(
          catalogueOf(() => ({ valid: true, output })),
          { useOutput: true },
        ),
      ],
    });
    tracker.emit('checked');
    expect(last().data).toStrictEqual({ at: '1970-01-01T00:00:00.000Z', m: { k: 1 } });
  });

  it('names everything that is wrong at once', () => {
    const options = { unknown: 'warn', useOutput: 1, report: {}, onInvalid: () => undefined };
    expect(problemsOf(() => validate(untyped(undefined), untyped(options)))).toStrictEqual([
      'the arguments of validate() are wrong:',
      'expected catalogue to be a catalogue, such as defineEvents() returns, got undefined',
      'options.onInvalid is not an option; known are unknown, useOutput, report',
      `expected options.unknown to be 'drop' or 'allow', got "warn"`,
      'expected options.useOutput to be true or false, got 1',
      'expected options.report to be a function, got an empty object',
    ]);
    expect(problemsOf(() => validate(untyped({}), untyped('strict')))).toStrictEqual([
      'the arguments of validate() are wrong:',
      'expected catalogue.get to be a function, got undefined',
      'expected options to be an object, got "strict"',
    ]);
  });
});
