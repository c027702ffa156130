import { ContextStore } from '../core/context-store.js';
import { createTracker } from '../core/create-tracker.js';
import type { TrackingEvent } from '../core/event.js';
import type { Tracker } from '../core/tracker.js';
import { memoryBackend } from './memory-backend.js';

/** Events as a tracker makes them. */
function emitted(emit: (tracker: Tracker<Record<string, object>>) => void): TrackingEvent[] {
  const memory = memoryBackend();
  emit(createTracker({ backends: { memory }, contextStore: new ContextStore(), strict: true }));
  return [...memory.events];
}

/** Events as an app emits them every day. */
export function ordinaryEvents(count: number): TrackingEvent[] {
  return emitted((tracker) => {
    for (let i = 0; i < count; i++) {
      const child = tracker.child({ context: { request: { id: `r-${i}`, path: '/orders' } } });
      child.emit('order.created', { number: i, total: 4200, items: ['a'] });
    }
  });
}

/** An event that is not frozen, as another package may make it. */
export function plainEvent(): TrackingEvent {
  return structuredClone({ ...ordinaryEvents(1)[0] }) as TrackingEvent;
}

/** What an app may emit and tests seldom do. */
export function unusualEvents(): TrackingEvent[] {
  const payloads: Readonly<Record<string, object>> = {
    'without data': {},
    'with a large string': { text: 'x'.repeat(500 * 1024) },
    'with many keys': Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`key ${i}`, i])),
    'with deep nesting': JSON.parse('{"level":'.repeat(89) + '{"bottom":true}' + '}'.repeat(89)) as object,
    'with Unicode': { emoji: '👩‍👩‍👧 🇨🇭', rightToLeft: 'שלום', combining: 'e\u0301', 'ключ 🔑': '\u2028\u2029' },
    'with control characters': { text: '\0\t\r\n"\\\u001b[31m', '': '', $set: { 'a.b': 1 } },
    'with the limits of numbers': { values: [2 ** 53 - 1, 1.7976931348623157e308, 5e-324, 0.1, -1] },
    'with names of built-ins': { constructor: 'a', toString: 'b', hasOwnProperty: 'c', length: 3 },
    'with empty values': { none: null, no: false, list: [], object: {} },
    'named "oddly"\nétés 🎉': { name: 'the name has quotes and a new line' },
  };
  return emitted((tracker) => {
    for (const [name, data] of Object.entries(payloads)) {
      tracker.emit(name, data);
    }
    tracker.emit('with its own id', {}, { id: 'Ä "quoted" / id' });
  });
}
