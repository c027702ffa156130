import type { EventCatalogue, Verdict } from '../core/catalogue.js';
import type { TrackingEvent } from '../core/event.js';
import type { MaybePromise, Processor, ProcessorResult } from '../core/processor.js';
import { drop, filter } from '../core/processor.js';
import { describeValue } from '../core/describe.js';
import { isThenable } from '../core/thenable.js';
import type { Problems } from '../core/options.js';
import { isRecord } from '../core/options.js';
import { named, readArguments } from './named.js';

/** An event that was not let through. */
export interface InvalidEvent {
  readonly event: TrackingEvent;
  /** What is wrong, one line each. */
  readonly problems: readonly string[];
}

export interface ValidateOptions {
  /** What happens to names that the catalogue does not hold. Default: `drop`. */
  readonly unknown?: 'drop' | 'allow';
  /**
   * Whether a valid event goes on with what its schema made of the payload: with defaults and coerced values, without the
   * keys that it leaves out. Default: false, events go on as they were emitted.
   */
  readonly useOutput?: boolean;
  /** Hears why an event was dropped; `stats().dropped.invalid` counts them. */
  readonly onInvalid?: (invalid: InvalidEvent) => void;
}

/**
 * A filter that lets through what the catalogue knows and its schema accepts. The others are dropped as `invalid`; an event
 * whose schema fails to answer is dropped and reported.
 *
 * @param catalogue for example of `defineEvents`
 * @throws TrackingError `invalid_options`
 */
export function validate(catalogue: EventCatalogue, options: ValidateOptions = {}): Processor {
  const { unknown, useOutput, onInvalid } = readArguments('validate', (problems) =>
    readOptions(catalogue, options, problems),
  );
  const refuse = (event: TrackingEvent, problems: readonly string[]): MaybePromise<ProcessorResult> => {
    const told: unknown = onInvalid?.({ event, problems });
    return isThenable(told) ? Promise.resolve(told).then(() => drop('invalid')) : drop('invalid');
  };
  const judge = (event: TrackingEvent, verdict: Verdict): MaybePromise<ProcessorResult> => {
    if (!verdict.valid) {
      return refuse(event, verdict.problems);
    }
    return useOutput === true && verdict.output !== undefined
      ? { ...event, data: verdict.output }
      : undefined;
  };
  return named(
    'validate',
    filter((event) => {
      const definition = catalogue.get(event.name);
      if (definition === undefined) {
        return unknown === 'allow'
          ? undefined
          : refuse(event, [`${describeValue(event.name)} is not in the catalogue`]);
      }
      // Without a schema the payload need not be read back from its JSON.
      if (definition.validate === undefined) {
        return undefined;
      }
      const verdict = definition.validate(event.data);
      return isThenable(verdict) ? verdict.then((settled) => judge(event, settled)) : judge(event, verdict);
    }),
  );
}

function readOptions(
  catalogue: EventCatalogue,
  options: ValidateOptions,
  problems: Problems,
): ValidateOptions {
  const given: unknown = catalogue;
  problems.function('catalogue.get', isRecord(given) ? given['get'] : undefined);
  if (!isRecord(options)) {
    problems.add('options', 'an object', options);
    return {};
  }
  problems.onlyKeys('', options, ['unknown', 'useOutput', 'onInvalid']);
  const { unknown, useOutput, onInvalid } = options as ValidateOptions;
  problems.optional(unknown, (value: string) => {
    if (value !== 'drop' && value !== 'allow') {
      problems.add('unknown', "'drop' or 'allow'", value);
    }
  });
  problems.optional(useOutput, (value) => {
    problems.boolean('useOutput', value);
  });
  problems.optional(onInvalid, (value) => {
    problems.function('onInvalid', value);
  });
  return options;
}
