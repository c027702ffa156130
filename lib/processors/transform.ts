import type { Processor, ProcessorResult } from '../core/processor.js';
import { drop, filter } from '../core/processor.js';
import { describeValue } from '../core/describe.js';
import { isThenable } from '../core/thenable.js';
import { isRecord } from '../core/options.js';
import { named, readArguments } from './named.js';
import type { TransformerRegistry } from './transformer-registry.js';

/**
 * Hands each event to the transformer of its name, and on what that makes of it. An event without a transformer is dropped
 * as `no_transformer`; one whose transformer fails or answers nothing is dropped too, so that nothing reaches a destination
 * in a form that was not meant for it.
 *
 * @throws TrackingError `invalid_options`
 */
export function transform(registry: TransformerRegistry): Processor {
  readArguments('transform', (problems) => {
    const given: unknown = registry;
    problems.function('registry.find', isRecord(given) ? given['find'] : undefined);
  });
  return named(
    'transform',
    filter((event) => {
      const transformer = registry.find(event.name);
      if (transformer === undefined) {
        return drop('no_transformer');
      }
      const answer: unknown = transformer(event);
      return isThenable(answer) ? Promise.resolve(answer).then(something) : something(answer);
    }),
  );
}

/** Elsewhere nothing means: unchanged. */
function something(answer: unknown): ProcessorResult {
  if (answer === undefined || answer === null) {
    throw new TypeError(
      `expected the transformer to answer an event, an array of events or drop(reason), got ${describeValue(answer)}`,
    );
  }
  return answer as ProcessorResult;
}
