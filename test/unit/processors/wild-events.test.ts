import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { eventJson } from '../../../lib/core/event.js';
import type { Processor } from '../../../lib/core/processor.js';
import { override, rename, stripNulls } from '../../../lib/processors/change.js';
import { allow, block, consent, match } from '../../../lib/processors/filters.js';
import { redact } from '../../../lib/processors/redact.js';
import { sample } from '../../../lib/processors/sample.js';
import { createTransformerRegistry, transform } from '../../../lib/processors/transform.js';
import { validate } from '../../../lib/processors/validate.js';
import { defineEvents, event } from '../../../lib/schema/define-events.js';
import { record, untyped } from '../../support/recording.js';

const key = fc.oneof(
  fc.constantFrom('a', 'b', 'x.y', '*', '__proto__', 'constructor', 'length'),
  fc.string({ unit: 'binary' }),
);
const anything = fc.anything({
  key,
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withObjectString: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
  maxDepth: 5,
});
const name = fc.oneof(
  fc.constantFrom('a', 'order.created', 'constructor', '__proto__', '*'),
  fc.string({ unit: 'binary' }),
);

const paths = ['data.*', 'data.a.*.b', 'data.x\\.y', 'data.a.0', 'context.*.a'];
const processors: Record<string, () => Processor> = {
  allow: () => allow(['a', '*e*', /./u]),
  block: () => block(['?', 'order.*', /^c/g]),
  match: () => match({ 'data.a': ['*', /./, 1, true], 'context.*.a': '*' }),
  'redact remove': () => redact({ paths }),
  'redact mask': () => redact({ paths, action: 'mask' }),
  'redact hash': () => redact({ paths, action: 'hash' }),
  'sample by id': () => sample({ rate: 0.5 }),
  'sample by path': () => sample({ rate: 0.5, by: 'data.a' }),
  rename: () => rename({ a: 'b', constructor: 'c' }),
  override: () => override({ data: { a: 1 }, context: { b: 2 } }),
  transform: () => transform(createTransformerRegistry().register('*e*', (e) => [e, e])),
  validate: () => validate(defineEvents({ a: event() }), { unknown: 'allow' }),
  consent: () => consent(({ data }) => 'a' in data),
  stripNulls: () => stripNulls(),
  'stripNulls empty': () => stripNulls({ empty: true }),
};

describe.each(Object.entries(processors))('%s', (_, make) => {
  it('never fails, whatever an event holds, and loses nothing uncounted', () => {
    const { tracker, memory, codes } = record({ processors: [make()] });
    let emitted = 0;
    fc.assert(
      fc.property(name, anything, anything, (eventName, data, context) => {
        tracker.emit(eventName, untyped(data), { context: { context } });
        emitted++;
      }),
      { numRuns: 300 },
    );
    expect(codes()).not.toContain('processor_failed');
    const { accepted, dropped } = tracker.stats();
    const lost = Object.values(dropped).reduce((sum, n) => sum + n, 0);
    expect(accepted).toBe(memory.events.length);
    expect(accepted + lost).toBeGreaterThanOrEqual(emitted);
    for (const passed of memory.events) {
      // Not strictly: for Jest an own key `constructor` is the type of an object.
      expect(JSON.parse(eventJson(passed))).toEqual({ ...passed });
    }
  });
});
