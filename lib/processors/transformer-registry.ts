import type { TrackingEvent } from '../core/event.js';
import type { Dropped, MaybePromise } from '../core/processor.js';
import type { TextMatcher } from '../core/glob.js';
import type { NamePattern } from '../core/name-patterns.js';
import { readNamePatterns } from '../core/name-patterns.js';
import { readArguments } from './named.js';

/** Makes of an event what a destination wants: one event, several, none (`[]`), or `drop(reason)`. */
export type Transformer = (
  event: TrackingEvent,
) => MaybePromise<TrackingEvent | readonly TrackingEvent[] | Dropped>;

/** Transformers by event name. */
export interface TransformerRegistry {
  /**
   * An exact name is stronger than a glob or RegExp; of several that match, the one registered last counts.
   *
   * @param names exact names, globs and RegExps, one or many
   * @throws TrackingError `invalid_options`
   */
  register(names: NamePattern | readonly NamePattern[], transformer: Transformer): TransformerRegistry;
  find(name: string): Transformer | undefined;
}

interface Entry {
  readonly matches: TextMatcher;
  readonly transformer: Transformer;
}

/** Makes an empty registry, to be filled and handed to `transform`. */
export function createTransformerRegistry(): TransformerRegistry {
  const byName = new Map<string, Transformer>();
  const latestFirst: Entry[] = [];
  const registry: TransformerRegistry = {
    register: (names, transformer) => {
      const { exact, others } = readArguments('register', (problems) => {
        problems.function('transformer', transformer);
        const list = Array.isArray(names) ? names : [names];
        return readNamePatterns(list, 'names', problems);
      });
      for (const name of exact) {
        byName.set(name, transformer);
      }
      for (const matches of others) {
        latestFirst.unshift({ matches, transformer });
      }
      return registry;
    },
    find: (name) => byName.get(name) ?? latestFirst.find(({ matches }) => matches(name))?.transformer,
  };
  return registry;
}
