import { describeValue } from '../core/describe.js';
import type { TrackingEvent } from '../core/event.js';
import type { NamePattern } from '../core/patterns.js';
import { readNamePatterns } from '../core/patterns.js';
import { aFunction, readArguments, withMethods } from '../core/options.js';
import type { Dropped, MaybePromise, Processor, ProcessorResult } from '../core/processor.js';
import { drop } from '../core/processor.js';
import { isThenable } from '../core/thenable.js';
import { namedFilter } from './named-filter.js';

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

/** Makes an empty registry, to be filled and given to `transform`. */
export function createTransformerRegistry(): TransformerRegistry {
  const byName = new Map<string, Transformer>();
  const latestFirst: { readonly matches: (name: string) => boolean; readonly transformer: Transformer }[] =
    [];
  const registry: TransformerRegistry = {
    register: (names, transformer) => {
      const given = { names: Array.isArray(names) ? names : [names], transformer };
      const read = readArguments('register', given, { names: readNamePatterns, transformer: aFunction() });
      for (const name of read.names.exact) {
        byName.set(name, transformer);
      }
      for (const matches of read.names.others) {
        latestFirst.unshift({ matches, transformer });
      }
      return registry;
    },
    find: (name) => byName.get(name) ?? latestFirst.find(({ matches }) => matches(name))?.transformer,
  };
  return registry;
}

/**
 * A filter that replaces each event by what the transformer of its name makes of it. An event without a transformer is
 * dropped as `no_transformer`; one whose transformer fails or returns nothing is dropped too, so that nothing reaches a
 * destination in a form that was not meant for it.
 *
 * @throws TrackingError `invalid_options`
 */
export function transform(registry: TransformerRegistry): Processor {
  readArguments(
    'transform',
    { registry },
    { registry: withMethods<TransformerRegistry>('a transformer registry', 'find') },
  );
  return namedFilter('transform', (event) => {
    const transformer = registry.find(event.name);
    if (transformer === undefined) {
      return drop('no_transformer');
    }
    const result: unknown = transformer(event);
    return isThenable(result) ? Promise.resolve(result).then(assertResult) : assertResult(result);
  });
}

/** Any other processor may return nothing, to leave the event as it is. */
function assertResult(result: unknown): ProcessorResult {
  if (result === undefined || result === null) {
    throw new TypeError(
      `expected the transformer to return an event, an array of events or drop(reason), got ${describeValue(result)}`,
    );
  }
  return result as ProcessorResult;
}
