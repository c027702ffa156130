import { describe, expect, it } from '@jest/globals';
import type { EventsOf, ValidationResult } from '../../../lib/core/catalogue.js';
import { createTracker } from '../../../lib/core/create-tracker.js';
import { validate } from '../../../lib/processors/validate.js';
import type { EventDefinitions } from '../../../lib/schema/define-events.js';
import { defineEvents, event } from '../../../lib/schema/define-events.js';
import type { StandardIssue, StandardResult, StandardSchema } from '../../../lib/schema/standard-schema.js';
import { memoryBackend } from '../../../lib/testing/memory-backend.js';
import { untyped } from '../../support/recording.js';
import { problemsOf } from '../processors/events.js';

/** A schema as libraries make them. */
function schema<Input, Output = Input>(
  validateValue: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>,
): StandardSchema<Input, Output> {
  return { '~standard': { version: 1, vendor: 'test', validate: validateValue } };
}

interface Donation {
  amount: number;
  currency?: string;
}

const donation = schema<Donation, Required<Donation>>((value) => {
  const { amount, currency = 'EUR' } = value as Partial<Donation>;
  return typeof amount === 'number'
    ? { value: { amount, currency } }
    : { issues: [{ message: 'expected a number', path: ['amount'] }] };
});

const catalogue = defineEvents({
  'donation.received': donation,
  'page.opened': event<{ page: string }>(),
  'app.started': event<undefined>(),
  'debug.noted': event(),
});

function validated(
  definition: StandardSchema,
  data: object = {},
): ValidationResult | Promise<ValidationResult> | undefined {
  const events = defineEvents({ e: definition });
  return events.get('e')?.validate?.(untyped(data));
}

describe('defineEvents', () => {
  it('names the events and finds them', () => {
    expect(catalogue.names).toStrictEqual(['donation.received', 'page.opened', 'app.started', 'debug.noted']);
    expect(catalogue.get('page.opened')).toStrictEqual({});
    expect(catalogue.get('page.closed')).toBeUndefined();
    expect(catalogue.get('constructor')).toBeUndefined();
    expect(Object.isFrozen(catalogue) && Object.isFrozen(catalogue.names)).toBe(true);
  });

  it('validates payloads by their schema', async () => {
    expect(validated(donation, { amount: 1 })).toStrictEqual({
      valid: true,
      output: { amount: 1, currency: 'EUR' },
    });
    expect(validated(donation)).toStrictEqual({
      valid: false,
      problems: ['amount: expected a number'],
    });
    const later = schema((value) => Promise.resolve({ value }));
    expect(await validated(later, { a: 1 })).toStrictEqual({
      valid: true,
      output: { a: 1 },
    });
  });

  it('shows where an issue is, and not too many of them', () => {
    const issues: StandardIssue[] = [
      { message: 'at the top' },
      { message: 'empty', path: [] },
      { message: 'deep', path: ['items', 0, { key: 'price' }] },
      { message: 'symbol', path: [Symbol('s')] },
      ...Array<StandardIssue>(20).fill({ message: 'more' }),
    ];
    const result = validated(schema(() => ({ issues })));
    expect(result).toStrictEqual({
      valid: false,
      problems: [
        'at the top',
        'empty',
        'items.0.price: deep',
        'Symbol(s): symbol',
        ...Array<string>(6).fill('more'),
      ],
    });
  });

  it('takes schemas that are functions', () => {
    const callable = Object.assign(() => true, donation);
    expect(defineEvents({ e: callable }).get('e')?.validate).toBeDefined();
  });

  it('calls a schema as a method of its own', () => {
    class Vendor {
      readonly version = 1;
      readonly vendor: string = 'test';
      validate(value: unknown): StandardResult<unknown> {
        return this.vendor === 'test' ? { value } : { issues: [] };
      }
    }
    const result = validated({ '~standard': new Vendor() });
    expect(result).toStrictEqual({ valid: true, output: {} });
  });

  it('types what a tracker emits', () => {
    const memory = memoryBackend();
    const tracker = createTracker<EventsOf<typeof catalogue>>({
      backends: { memory },
      processors: [validate(catalogue)],
    });
    tracker.emit('donation.received', { amount: 5 });
    tracker.emit('page.opened', { page: '/' });
    tracker.emit('app.started');
    tracker.emit('debug.noted', { anything: true });
    expect(memory.events).toHaveLength(4);
    // @ts-expect-error -- the amount is a number
    tracker.emit('donation.received', { amount: '5' });
    // @ts-expect-error -- there is no such event
    tracker.emit('donation.lost', { amount: 5 });
    // @ts-expect-error -- the payload is missing
    tracker.emit('donation.received');
    // @ts-expect-error -- the page is missing
    tracker.emit('page.opened', {});
    // Types alone are checked by nobody at run time.
    expect(memory.events).toHaveLength(5);
    expect(tracker.stats().dropped).toStrictEqual({ invalid: 3 });
  });

  it('names everything that is wrong at once', () => {
    const next = { '~standard': { version: 2, validate: () => ({}) } };
    const idle = { '~standard': { version: 1 } };
    const definitions = {
      '': donation,
      a: {},
      b: null,
      c: 'x',
      d: next,
      e: idle,
    };
    expect(problemsOf(() => defineEvents(untyped<EventDefinitions>(definitions)))).toStrictEqual([
      'the arguments of defineEvents() are wrong:',
      'expected the name of definitions[""] to be a non-empty string, got ""',
      'expected definitions["a"] to be a Standard Schema or event(), got an empty object',
      'expected definitions["b"] to be a Standard Schema or event(), got null',
      'expected definitions["c"] to be a Standard Schema or event(), got "x"',
      'expected definitions["d"] to be a Standard Schema or event(), got an object with ~standard',
      'expected definitions["e"] to be a Standard Schema or event(), got an object with ~standard',
    ]);
  });

  it.each([
    [undefined, 'undefined'],
    [null, 'null'],
    [[], 'an array of 0'],
    ['events', '"events"'],
  ])('refuses %j', (definitions, shown) => {
    expect(problemsOf(() => defineEvents(untyped<EventDefinitions>(definitions)))).toStrictEqual([
      'the arguments of defineEvents() are wrong:',
      `expected definitions to be an object of schemas by name, got ${shown}`,
    ]);
  });
});
