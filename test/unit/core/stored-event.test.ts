import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { eventBytes, eventJson, eventUtf8, storedEvent } from '../../../lib/core/event.js';
import { unusualEvents } from '../../../lib/testing/contract-events.js';
import { record } from '../../support/recording.js';

function emitted(name: string, id?: string) {
  const run = record();
  run.tracker.emit(name, { n: 1, ü: ['x'] }, id === undefined ? {} : { id });
  return run.last();
}

describe('an event that comes back from a storage', () => {
  it.each([
    ['ordinary', emitted('order.created')],
    ['with a name to be escaped', emitted('say "hi" \\ \n')],
    ['with an id to be escaped', emitted('x', 'a"b')],
    ...unusualEvents().map((event) => [event.name, event] as const),
  ])('equals what was stored: %s', (_, event) => {
    const stored = storedEvent(eventJson(event));
    expect(stored.id).toBe(event.id);
    expect(stored.name).toBe(event.name);
    expect(stored.timestamp).toBe(event.timestamp);
    expect(eventJson(stored)).toBe(eventJson(event));
    expect(eventBytes(stored)).toBe(eventBytes(event));
    expect(Buffer.from(eventUtf8(stored)).toString()).toBe(eventJson(event));
    expect(stored.data).toEqual(event.data);
    expect(stored.context).toEqual(event.context);
    expect(JSON.stringify(stored)).toBe(JSON.stringify(event));
  });

  it('has its five properties as its own, and cannot be changed', () => {
    const event = emitted('e');
    const stored = storedEvent(eventJson(event), eventBytes(event));
    expect({ ...stored }).toEqual({ ...event });
    expect(Object.isFrozen(stored)).toBe(true);
    expect(Object.isFrozen(stored.data)).toBe(true);
    expect(Object.isFrozen(stored.data['ü'])).toBe(true);
    expect(inspect(stored)).toContain("name: 'e'");
  });

  it('survives tools that copy its getters', () => {
    const stored = storedEvent(eventJson(emitted('e')));
    const copy = Object.defineProperties({}, Object.getOwnPropertyDescriptors(stored)) as Record<
      string,
      unknown
    >;
    for (const key of Object.keys(stored)) {
      expect(copy[key]).toBeUndefined();
    }
  });

  it('says what is wrong with a text that is no JSON only when it is read', () => {
    const broken = storedEvent('{"id":"1","name":"e","timestamp":"t","data":');
    expect(broken.id).toBe('1');
    expect(() => broken.data).toThrow(SyntaxError);
  });
});
