import { ContextStore } from '../core/context-store.js';
import { createTracker } from '../core/create-tracker.js';
import type { TrackingEvent } from '../core/event.js';
import type { Tracker } from '../core/tracker.js';
import { memoryBackend } from './memory-backend.js';

type AnyEvents = Record<string, object>;

/** Events as a tracker makes them. */
function emitted(emit: (tracker: Tracker<AnyEvents>) => void): TrackingEvent[] {
  const backend = memoryBackend();
  const tracker = createTracker<AnyEvents>({
    backends: { memory: backend },
    contextStore: new ContextStore(),
    strict: true,
  });
  emit(tracker);
  return [...backend.events];
}

/** Events as an app emits them all day. */
export function ordinaryEvents(count: number): TrackingEvent[] {
  return emitted((tracker) => {
    for (let i = 0; i < count; i++) {
      tracker.context('request', { id: `r-${i}`, path: '/orders' }, () => {
        tracker.emit('order.created', { number: i, total: 4200, items: ['a'] });
      });
    }
  });
}

/** An event that nobody froze, as another package may make it. */
export function plainEvent(): TrackingEvent {
  return structuredClone({ ...ordinaryEvents(1)[0] }) as TrackingEvent;
}

/** What an app may emit and tests seldom do. */
export function unusualEvents(): TrackingEvent[] {
  return emitted((tracker) => {
    const unusual: Record<string, object> = {
      'without data': {},
      'with large text': { text: 'x'.repeat(500 * 1024) },
      'with many keys': Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`key ${i}`, i])),
      'with deep nesting': nested(90),
      'with unicode': {
        emoji: '👩‍👩‍👧 🇨🇭',
        rightToLeft: 'שלום',
        combining: 'e\u0301',
        'ключ 🔑': '\u2028\u2029',
      },
      'with control characters': { text: '\0\t\r\n"\\\u001b[31m', '': '' },
      'with edges of numbers': {
        largest: Number.MAX_SAFE_INTEGER,
        huge: 1.7976931348623157e308,
        tiny: 5e-324,
        fraction: 0.1,
        negative: -1,
      },
      'with names of built-ins': {
        constructor: 'a',
        toString: 'b',
        hasOwnProperty: 'c',
        length: 3,
        $set: { 'a.b': 1 },
      },
      'with empty values': { none: null, no: false, list: [], object: {} },
      'named "oddly"\nétés 🎉': { name: 'the name has quotes and a new line' },
    };
    for (const [name, data] of Object.entries(unusual)) {
      tracker.emit(name, data);
    }
    tracker.emit('with its own id', {}, { id: 'Ä "quoted" / id' });
  });
}

function nested(depth: number): object {
  let value: object = { bottom: true };
  for (let i = 1; i < depth; i++) {
    value = { level: value };
  }
  return value;
}
