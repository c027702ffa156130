import { describe, expect, it } from '@jest/globals';
import { override } from '../../../lib/processors/override.js';
import { record, untyped } from '../../support/recording.js';
import { thrownBy } from './events.js';

describe('override', () => {
  it('sets name, data and context, shallowly', () => {
    const { tracker, last } = record({
      processors: [
        override({
          name: 'sent',
          data: { source: 'shop', nested: { b: 2 }, gone: null },
          context: { environment: 'test' },
        }),
      ],
      context: { environment: 'dev', app: 'x' },
    });
    tracker.emit('e', { kept: 1, nested: { a: 1 } });
    expect({ ...last() }).toMatchObject({
      name: 'sent',
      data: { kept: 1, source: 'shop', nested: { b: 2 }, gone: null },
      context: { environment: 'test', app: 'x' },
    });
    expect(last().data['nested']).toStrictEqual({ b: 2 });
  });

  it('concerns its own branch alone', () => {
    const { memory } = record();
    const { tracker, memory: other } = record({
      backends: {
        changed: {
          processors: [override({ name: 'x' })],
          backends: { memory },
        },
      },
    });
    tracker.register('plain', other);
    tracker.emit('e');
    expect(memory.events[0]?.name).toBe('x');
    expect(other.events[0]?.name).toBe('e');
  });

  it('reads its values once, and cannot be poisoned', () => {
    const data = JSON.parse('{"a":1}') as { a: number };
    const { tracker, last } = record({ processors: [override({ data })] });
    data.a = 2;
    tracker.emit('e');
    expect(last().data).toStrictEqual({ a: 1 });
    expect(thrownBy(() => override({ data: JSON.parse('{"__proto__":{"x":1}}') as object }))).toContain(
      '__proto__',
    );
  });

  it('names everything that is wrong at once', () => {
    const message = thrownBy(() =>
      override(
        untyped({
          name: '',
          data: { n: NaN, f: () => 1 },
          context: 'x',
          extra: 1,
        }),
      ),
    );
    expect(message.split('\n')).toStrictEqual([
      'the arguments of override() are wrong:',
      '  - extra is not an option; known are name, data, context',
      '  - expected name to be a non-empty string, got ""',
      '  - data: expected plain JSON, but n: NaN became null',
      '  - data: expected plain JSON, but f: a function was left out',
      '  - expected context to be an object, got "x"',
    ]);
  });

  it('refuses what exceeds an event, and what is no object', () => {
    const text = 'x'.repeat(2 * 1024 * 1024);
    expect(thrownBy(() => override({ data: { text } }))).toContain('data: too large');
    expect(thrownBy(() => override(untyped(null)))).toContain('expected overrides to be an object, got null');
  });
});
