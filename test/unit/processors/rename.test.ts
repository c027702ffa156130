import { describe, expect, it } from '@jest/globals';
import { rename } from '../../../lib/processors/rename.js';
import { record, untyped } from '../../support/recording.js';
import { answerOf, eventOf, sealedEvent, thrownBy } from './events.js';

describe('rename', () => {
  it('takes new names from a map, and nothing else', () => {
    const processor = rename({ 'order.created': 'Order Created' });
    const event = eventOf({ data: { a: 1 } });
    expect(processor(event)).toStrictEqual({ ...event, name: 'Order Created' });
    for (const name of ['order.paid', 'constructor', '__proto__']) {
      expect(answerOf(processor, sealedEvent({ name }))).toBeUndefined();
    }
  });

  it('asks a function', () => {
    const processor = rename((name, { data }) => (data['legacy'] === true ? `legacy.${name}` : undefined));
    const { tracker, memory } = record({ processors: [processor] });
    tracker.emit('a', { legacy: true });
    tracker.emit('b');
    expect(memory.events.map(({ name }) => name)).toStrictEqual(['legacy.a', 'b']);
  });

  it('leaves the event alone when the name stays', () => {
    expect(
      answerOf(
        rename((name) => name),
        sealedEvent(),
      ),
    ).toBeUndefined();
  });

  it.each([7, '', null, Promise.resolve('x')])('reports %p as a name; the event goes on', (name) => {
    const { tracker, last, codes } = record({
      processors: [rename(untyped<() => string>(() => name))],
    });
    tracker.emit('a');
    expect(last().name).toBe('a');
    expect(codes()).toStrictEqual(['processor_failed']);
  });

  it('names everything that is wrong at once', () => {
    expect(thrownBy(() => rename(untyped({ a: '', b: 7, c: 'ok' }))).split('\n')).toStrictEqual([
      'the arguments of rename() are wrong:',
      '  - expected names["a"] to be a non-empty string, got ""',
      '  - expected names["b"] to be a non-empty string, got 7',
    ]);
    expect(thrownBy(() => rename(untyped(undefined)))).toContain(
      'expected names to be an object of new names, or a function, got undefined',
    );
  });
});
