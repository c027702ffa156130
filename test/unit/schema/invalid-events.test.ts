import { describe, expect, it } from '@jest/globals';
import type { EventsOf } from 'nestjs-tracking/core';
import { createTracker, defineEvents, validate } from 'nestjs-tracking/core';
import { memoryBackend } from 'nestjs-tracking/testing';
import { record, untyped } from '../../support/recording.js';

interface Issue {
  readonly message: string;
  readonly path?: readonly string[];
}

/** A schema of any library, for one property: `z.object({ [key]: z.date() })` and the like. */
function schemaOf(key: string, wanted: string, fits: (value: unknown) => boolean, later = false) {
  const judge = (data: unknown): { value: unknown } | { issues: readonly Issue[] } => {
    const value = (data as Record<string, unknown>)[key];
    return fits(value)
      ? { value: data }
      : { issues: [{ message: `expected ${wanted}, received ${typeof value}`, path: [key] }] };
  };
  return {
    '~standard': {
      version: 1 as const,
      vendor: 'test',
      validate: later ? (data: unknown) => Promise.resolve(judge(data)) : judge,
    },
  };
}

const SCHEMAS = {
  at: ['a date', (value: unknown) => value instanceof Date, { at: new Date(0) }],
  n: ['a bigint', (value: unknown) => typeof value === 'bigint', { n: 5n }],
  m: ['a Map', (value: unknown) => value instanceof Map, { m: new Map([['k', 1]]) }],
} as const;

describe.each([
  ['at once', false],
  ['later', true],
])('a schema that judges %s', (_when, later) => {
  it.each(Object.entries(SCHEMAS))(
    'and wants what JSON has not (%s) loses no event without a word',
    async (key, [wanted, fits, payload]) => {
      const catalogue = defineEvents({ seen: schemaOf(key, wanted, fits, later) });
      const run = record({ processors: [validate(catalogue)] });
      await run.tracker.emitAsync('seen', payload);
      expect(run.memory.events).toStrictEqual([]);
      expect(run.tracker.stats().dropped).toStrictEqual({ invalid: 1 });
      const messages = run.reports.map(({ message }) => message).join('\n');
      expect(messages).toContain('seen');
      expect(messages).toContain(`expected ${wanted}`);
      // Why a value that was right when it was emitted is wrong: schemas see the event's JSON.
      expect(messages).toMatch(/\bJSON\b/);
    },
  );

  it('reports what is wrong, where nobody else is told', async () => {
    const catalogue = defineEvents({
      seen: schemaOf('amount', 'a number', (value) => typeof value === 'number', later),
    });
    const run = record({ processors: [validate(catalogue)] });
    await run.tracker.emitAsync('seen', { amount: 'much' });
    await run.tracker.emitAsync('seen', { amount: 7 });
    expect(run.memory.events).toMatchObject([{ data: { amount: 7 } }]);
    expect(run.reports).toHaveLength(1);
    expect(run.reports[0]?.message).toContain('expected a number');
    expect(run.reports[0]?.event).toMatchObject({ name: 'seen', data: { amount: 'much' } });
  });

  it('reports nothing where report is told', async () => {
    const catalogue = defineEvents({
      seen: schemaOf('amount', 'a number', (value) => typeof value === 'number', later),
    });
    const told: unknown[] = [];
    const run = record({
      processors: [
        validate(catalogue, {
          report: ({ problems }) => {
            told.push(problems);
          },
        }),
      ],
    });
    await run.tracker.emitAsync('seen', {});
    expect(told).toHaveLength(1);
    expect(run.reports).toStrictEqual([]);
  });

  it('has its output made into JSON again', async () => {
    const output = { m: new Map([['k', 1]]), d: new Date(0), b: 5n };
    const catalogue = defineEvents({
      seen: {
        '~standard': {
          version: 1 as const,
          vendor: 'test',
          validate: () => (later ? Promise.resolve({ value: output }) : { value: output }),
        },
      },
    });
    const memory = memoryBackend();
    const tracker = createTracker<EventsOf<typeof catalogue>>({
      processors: [validate(catalogue, { useOutput: true })],
      backends: { memory },
      onError: () => undefined,
    });
    await tracker.emitAsync('seen', untyped({}));
    expect(memory.events.map(({ data }) => data)).toStrictEqual([
      { m: { k: 1 }, d: '1970-01-01T00:00:00.000Z', b: '5' },
    ]);
  });
});
