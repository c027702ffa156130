import { describe, expect, it } from '@jest/globals';
import type { EventCatalogue, Verdict } from '../../../lib/core/catalogue.js';
import type { MaybePromise } from '../../../lib/core/processor.js';
import type { InvalidEvent, ValidateOptions } from '../../../lib/processors/validate.js';
import { validate } from '../../../lib/processors/validate.js';
import { record, untyped } from '../../support/recording.js';
import { answerOf, expectFilter, eventOf, sealedEvent, thrownBy } from './events.js';

/** Knows `checked`, which asks the judge, and `free`, which takes anything. */
function catalogueOf(judge: () => MaybePromise<Verdict> = () => ({ valid: true })): EventCatalogue {
  const definitions = new Map([
    ['checked', { validate: judge }],
    ['free', {}],
  ]);
  return {
    names: [...definitions.keys()],
    get: (name) => definitions.get(name),
  };
}

const invalid: Verdict = { valid: false, problems: ['amount: missing'] };

describe('validate', () => {
  it('lets valid events through unchanged', () => {
    const catalogue = catalogueOf(() => ({ valid: true, output: { a: 2 } }));
    const processor = validate(catalogue);
    expectFilter(processor, 'validate');
    const event = eventOf({ name: 'checked', data: { a: 1 } });
    expect(answerOf(processor, event)).toBeUndefined();
  });

  it('does not read a payload that nobody checks', () => {
    expect(answerOf(validate(catalogueOf()), sealedEvent({ name: 'free' }))).toBeUndefined();
  });

  it.each<[string, () => MaybePromise<Verdict>]>([
    ['now', () => invalid],
    ['later', () => Promise.resolve(invalid)],
  ])('drops invalid events and says why, %s', async (_, judge) => {
    const heard: InvalidEvent[] = [];
    const { tracker, memory, reports } = record({
      processors: [
        validate(catalogueOf(judge), {
          onInvalid: (told) => {
            heard.push(told);
          },
        }),
      ],
    });
    await tracker.emitAsync('checked', { a: 1 });
    await tracker.emitAsync('free');
    expect(memory.events.map(({ name }) => name)).toStrictEqual(['free']);
    expect(tracker.stats().dropped).toStrictEqual({ invalid: 1 });
    expect(heard).toMatchObject([
      {
        event: { name: 'checked', data: { a: 1 } },
        problems: ['amount: missing'],
      },
    ]);
    expect(reports).toStrictEqual([]);
  });

  it.each<[ValidateOptions, string[], string[]]>([
    [{}, [], ['"other" is not in the catalogue']],
    [{ unknown: 'drop' }, [], ['"other" is not in the catalogue']],
    [{ unknown: 'allow' }, ['other'], []],
  ])('with %j: unknown names', (options, passed, problems) => {
    const heard: string[] = [];
    const onInvalid = (told: InvalidEvent): void => {
      heard.push(...told.problems);
    };
    const { tracker, memory } = record({
      processors: [validate(catalogueOf(), { ...options, onInvalid })],
    });
    tracker.emit('other');
    expect(memory.events.map(({ name }) => name)).toStrictEqual(passed);
    expect(heard).toStrictEqual(problems);
  });

  it.each<[string, () => MaybePromise<Verdict>]>([
    ['now', () => ({ valid: true, output: { amount: 1 } })],
    ['later', () => Promise.resolve({ valid: true, output: { amount: 1 } })],
  ])('hands on what the schema made of the payload, %s', async (_, judge) => {
    const { tracker, last } = record({
      processors: [validate(catalogueOf(judge), { useOutput: true })],
    });
    await tracker.emitAsync('checked', { amount: '1', secret: 'x' });
    expect(last().data).toStrictEqual({ amount: 1 });
  });

  it('keeps the payload when the schema only looked', () => {
    const { tracker, last } = record({
      processors: [validate(catalogueOf(), { useOutput: true })],
    });
    tracker.emit('checked', { a: 1 });
    expect(last().data).toStrictEqual({ a: 1 });
  });

  it.each<[string, () => MaybePromise<Verdict>]>([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken'))],
    ['answers nothing', untyped(() => undefined)],
    ['answers nothing later', untyped(() => Promise.resolve())],
  ])('fails closed when a schema %s', async (_, judge) => {
    const { tracker, memory, codes } = record({
      processors: [validate(catalogueOf(judge))],
    });
    await tracker.emitAsync('checked');
    expect(memory.events).toStrictEqual([]);
    expect(codes()).toStrictEqual(['processor_failed']);
  });

  it('drops all the same when onInvalid fails, now or later', async () => {
    const later = untyped<() => void>(() => Promise.reject(new Error('b')));
    const now = (): void => {
      throw new Error('a');
    };
    for (const onInvalid of [now, later]) {
      const { tracker, memory, codes } = record({
        processors: [
          validate(
            catalogueOf(() => invalid),
            { onInvalid },
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
          catalogueOf(() => invalid),
          { onInvalid: settled },
        ),
      ],
    });
    expect((await tracker.emitAsync('checked')).dropped).toBe('invalid');
  });

  it('names everything that is wrong at once', () => {
    const options = { unknown: 'warn', useOutput: 1, onInvalid: {}, extra: 1 };
    expect(thrownBy(() => validate(untyped(undefined), untyped(options))).split('\n')).toStrictEqual([
      'the arguments of validate() are wrong:',
      '  - expected catalogue.get to be a function, got undefined',
      '  - extra is not an option; known are unknown, useOutput, onInvalid',
      `  - expected unknown to be 'drop' or 'allow', got "warn"`,
      '  - expected useOutput to be true or false, got 1',
      '  - expected onInvalid to be a function, got an empty object',
    ]);
    expect(thrownBy(() => validate(catalogueOf(), untyped('strict')))).toContain(
      'expected options to be an object, got "strict"',
    );
  });
});
