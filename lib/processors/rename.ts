import type { TrackingEvent } from '../core/event.js';
import type { Processor } from '../core/processor.js';
import { describeValue } from '../core/describe.js';
import { isRecord } from '../core/options.js';
import { named, readArguments } from './named.js';

/** Answers an event's new name, or `undefined` to keep the one it has. */
export type NameOf = (name: string, event: TrackingEvent) => string | undefined;

/**
 * Gives events other names, for one destination when it stands in a branch. What the map does not hold keeps its name.
 *
 * @param names new names by old ones, both exact, or a function
 * @throws TrackingError `invalid_options`
 */
export function rename(names: Readonly<Record<string, string>> | NameOf): Processor {
  const nameOf = typeof names === 'function' ? names : lookUp(names);
  return named('rename', (event) => {
    const name: unknown = nameOf(event.name, event);
    if (name === undefined || name === event.name) {
      return undefined;
    }
    if (typeof name !== 'string' || name === '') {
      throw new TypeError(`expected the new name to be a non-empty string, got ${describeValue(name)}`);
    }
    return { ...event, name };
  });
}

function lookUp(names: Readonly<Record<string, string>>): NameOf {
  // A map of its own: an event may be called `constructor`.
  const newNames = readArguments('rename', (problems) => {
    if (!isRecord(names)) {
      problems.add('names', 'an object of new names, or a function', names);
      return new Map<string, string>();
    }
    for (const [name, newName] of Object.entries(names)) {
      if (typeof newName !== 'string' || newName === '') {
        problems.add(`names[${JSON.stringify(name)}]`, 'a non-empty string', newName);
      }
    }
    return new Map(Object.entries(names as Record<string, string>));
  });
  return (name) => newNames.get(name);
}
