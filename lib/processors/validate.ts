import type { EventCatalogue, ValidationResult } from '../core/catalogue.js';
import { describeValue } from '../core/describe.js';
import type { TrackingEvent } from '../core/event.js';
import { aFunction, boolean, object, oneOf, optional, readArguments, withMethods } from '../core/options.js';
import type { MaybePromise, Processor, ProcessorResult } from '../core/processor.js';
import { drop } from '../core/processor.js';
import { isThenable } from '../core/thenable.js';
import { namedFilter } from './named-filter.js';

/** An event that was dropped as `invalid`. */
export interface InvalidEvent {
  readonly event: TrackingEvent;
  /** What is wrong, one line each. */
  readonly problems: readonly string[];
  /** The whole of it on one line, for a log. */
  readonly message: string;
}

export interface ValidateOptions {
  /** What happens to names that the catalogue does not hold. Default: `drop`. */
  readonly unknown?: 'drop' | 'allow';
  /**
   * Whether a valid event goes on with what its schema made of the payload: with defaults and coerced values, without the
   * keys that it leaves out. Default: false, events go on as they were emitted.
   */
  readonly useOutput?: boolean;
  /** Called for each event that is dropped; `stats().dropped.invalid` counts them. */
  readonly report?: (invalid: InvalidEvent) => void;
}

/**
 * A filter that lets through what the catalogue knows and its schema accepts. A schema sees the payload as the backends do,
 * which is its JSON: a date is an ISO string there, a Map is an object. The others are dropped as `invalid`; an event whose
 * schema fails to decide is dropped and reported.
 *
 * @param catalogue for example of `defineEvents`
 * @throws TrackingError `invalid_options`
 */
export function validate(catalogue: EventCatalogue, options: ValidateOptions = {}): Processor {
  const { options: read } = readArguments('validate', { catalogue, options }, validateTable);
  const { unknown, useOutput, report } = read;
  const refuse = (
    event: TrackingEvent,
    problems: readonly string[],
    message: string,
  ): MaybePromise<ProcessorResult> => {
    const reported: unknown = report?.({ event, problems, message });
    return isThenable(reported) ? Promise.resolve(reported).then(() => drop('invalid')) : drop('invalid');
  };
  const resultFor = (event: TrackingEvent, result: ValidationResult): MaybePromise<ProcessorResult> => {
    if (!result.valid) {
      const { problems } = result;
      const message = `${describeValue(event.name)} does not match its schema, which sees the event's JSON: ${problems.join('; ')}`;
      return refuse(event, problems, message);
    }
    return useOutput && result.output !== undefined ? { ...event, data: result.output } : undefined;
  };
  return namedFilter('validate', (event) => {
    const definition = catalogue.get(event.name);
    if (definition === undefined) {
      const problem = `${describeValue(event.name)} is not in the catalogue`;
      return unknown === 'allow' ? undefined : refuse(event, [problem], problem);
    }
    // Without a schema the payload need not be read back from its JSON.
    if (definition.validate === undefined) {
      return undefined;
    }
    const result = definition.validate(event.data);
    return isThenable(result)
      ? result.then((settled) => resultFor(event, settled))
      : resultFor(event, result);
  });
}

const validateTable = {
  catalogue: withMethods<EventCatalogue>('a catalogue, such as defineEvents() returns', 'get'),
  options: object({
    unknown: optional(oneOf('drop', 'allow'), 'drop'),
    useOutput: optional(boolean, false),
    report: optional(aFunction<(invalid: InvalidEvent) => unknown>()),
  }),
};
