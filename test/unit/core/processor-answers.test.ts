import { describe, expect, it } from '@jest/globals';
import type { ProcessorObject, TrackingEvent } from 'nestjs-tracking/core';
import { drop, eventJson } from 'nestjs-tracking/core';
import { record, through, untyped } from '../../support/recording.js';

type Fields = Readonly<Record<string, unknown>>;

/** Ways in which a processor returns an event with these fields. */
const WAYS: readonly [string, (fields: Fields) => unknown][] = [
  [
    'at once',
    (fields) =>
      function addSource(event: TrackingEvent) {
        return { ...event, ...fields };
      },
  ],
  [
    'later',
    (fields) =>
      async function addSource(event: TrackingEvent) {
        return Promise.resolve({ ...event, ...fields });
      },
  ],
  [
    'in a list',
    (fields) =>
      function addSource(event: TrackingEvent) {
        return [{ ...event, ...fields }];
      },
  ],
  [
    'alone, without the rest of the event',
    (fields) =>
      function addSource() {
        return { data: { n: 1 }, ...fields };
      },
  ],
  [
    'from a class',
    (fields) =>
      class addSource implements ProcessorObject {
        process(event: TrackingEvent): TrackingEvent {
          return { ...event, ...fields };
        }
      },
  ],
];

describe.each(WAYS)('what a processor returns %s', (_way, returning) => {
  it.each<[string, Fields, readonly string[]]>([
    ['a field of its own', { source: 'web' }, ['source']],
    ['a field of its own that is nothing', { source: null }, ['source']],
    ['several', { source: 'web', version: 2 }, ['source', 'version']],
    ['a field of another kind of event', { properties: { n: 1 } }, ['properties']],
    ['a misspelt one', { timestmp: '2026-01-01' }, ['timestmp']],
    ['a name that is null', { name: null }, ['name']],
    ['data that is null', { data: null }, ['data']],
    ['a context that is null', { context: null }, ['context']],
    ['an id that is null', { id: null }, ['id']],
    ['a timestamp that is null', { timestamp: null }, ['timestamp']],
    ['a null and a field of its own', { data: null, source: 'web' }, ['data', 'source']],
  ])('with %s is reported by the name of the processor and the key', async (_what, fields, keys) => {
    const run = through(returning(fields));
    await run.tracker.emitAsync('a', { n: 1 });
    expect(new Set(run.codes())).toStrictEqual(new Set(['processor_failed']));
    const messages = run.reports.map(({ message }) => message).join('\n');
    for (const word of ['addSource', ...keys]) {
      expect(messages).toMatch(new RegExp(`\\b${word}\\b`));
    }
    expect(run.reports[0]).toMatchObject({ path: '' });
    // The event goes on, as an event.
    expect(run.memory.events).toHaveLength(1);
    expect(Object.keys(run.last()).sort()).toStrictEqual(['context', 'data', 'id', 'name', 'timestamp']);
    expect(JSON.parse(eventJson(run.last()))).toStrictEqual({ ...run.last() });
    expect(eventJson(run.last())).not.toContain('"source"');
    // And so it is at the next event.
    await run.tracker.emitAsync('b', { n: 2 });
    expect(run.memory.events).toHaveLength(2);
    expect(run.reports.length).toBeGreaterThan(1);
  });

  it('is not reported without one', async () => {
    const run = through(returning({ name: 'b', data: { deep: { source: 'web', nothing: null } } }));
    await run.tracker.emitAsync('a');
    expect(run.last()).toMatchObject({ name: 'b', data: { deep: { source: 'web', nothing: null } } });
    expect(run.reports).toStrictEqual([]);
  });
});

describe('what a processor returns', () => {
  it('is looked at in each event of a list', async () => {
    const run = through(function split(event: TrackingEvent) {
      return [event, { ...event, first: 1 }, { name: 'c' }, { ...event, second: 2 }];
    });
    await run.tracker.emitAsync('a');
    expect(run.memory.events).toHaveLength(4);
    const messages = run.reports.map(({ message }) => message).join('\n');
    expect(messages).toMatch(/\bfirst\b/);
    expect(messages).toMatch(/\bsecond\b/);
  });

  it('is looked at in a router, which the report names, and leaves other branches alone', async () => {
    const run = record();
    const other = record();
    const tracker = record({
      backends: {
        left: {
          processors: [
            untyped(function addSource(event: TrackingEvent) {
              return { ...event, source: 'web' };
            }),
          ],
          backends: { memory: run.memory },
        },
        right: other.memory,
      },
    });
    await tracker.tracker.emitAsync('a');
    expect(tracker.reports).toMatchObject([{ code: 'processor_failed', path: 'left' }]);
    expect(run.memory.events).toHaveLength(1);
    expect(other.memory.events).toHaveLength(1);
  });

  it('may be the event, nothing, a drop or a list of them, without a word', async () => {
    const answers: ((event: TrackingEvent) => unknown)[] = [
      (event) => event,
      () => undefined,
      () => drop('mine'),
      () => [],
      (event) => [event, event],
    ];
    for (const answer of answers) {
      const run = through(answer);
      await run.tracker.emitAsync('a', { n: null });
      expect(run.reports).toStrictEqual([]);
    }
  });
});
