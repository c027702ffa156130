import { readName } from './arguments.js';
import type { Counter, FactsKey, UniqueKey } from './metrics-store.js';

export function counterOf(subject: unknown, metric: unknown): Counter {
  return {
    subject: readName('subject', subject),
    metric: readName('metric', metric),
  };
}

export function factsKeyOf(subject: unknown, key: unknown): FactsKey {
  return { subject: readName('subject', subject), key: readName('key', key) };
}

export function uniqueOf(metric: unknown, subject: unknown): UniqueKey {
  return {
    metric: readName('metric', metric),
    ...(subject === undefined ? {} : { subject: readName('subject', subject) }),
  };
}
