import type { JsonObject } from '../core/json.js';
import { DEFAULT_LIMITS } from '../core/limits.js';
import type { Processor } from '../core/processor.js';
import { errorMessage } from '../core/describe.js';
import { sanitize } from '../core/sanitize.js';
import type { Problems } from '../core/options.js';
import { isRecord } from '../core/options.js';
import { named, readArguments } from './named.js';

/** What every event gets. */
export interface Overrides {
  readonly name?: string;
  /** Merged over the event's own, shallowly. */
  readonly data?: object;
  /** Merged over the event's own, shallowly. */
  readonly context?: object;
}

/**
 * Sets a name, or keys of data or context, on every event: what one destination wants to see. The values are read once.
 *
 * @example override({ data: { source: 'shop' }, context: { environment: 'production' } })
 * @throws TrackingError `invalid_options`, also for data that JSON cannot hold as it is
 */
export function override(overrides: Overrides): Processor {
  const { name, data, context } = readArguments('override', (problems) => readOverrides(overrides, problems));
  return named('override', (event) => ({
    ...event,
    ...(name === undefined ? {} : { name }),
    ...(data === undefined ? {} : { data: { ...event.data, ...data } }),
    ...(context === undefined ? {} : { context: { ...event.context, ...context } }),
  }));
}

interface ReadOverrides {
  readonly name: string | undefined;
  readonly data: JsonObject | undefined;
  readonly context: JsonObject | undefined;
}

function readOverrides(overrides: Overrides, problems: Problems): ReadOverrides {
  if (!isRecord(overrides)) {
    problems.add('overrides', 'an object', overrides);
    return { name: undefined, data: undefined, context: undefined };
  }
  problems.onlyKeys('', overrides, ['name', 'data', 'context']);
  const { name, data, context } = overrides as Overrides;
  problems.optional(name, (value: unknown) => {
    if (typeof value !== 'string' || value === '') {
      problems.add('name', 'a non-empty string', value);
    }
  });
  return {
    name,
    data: readObject('data', data, problems),
    context: readObject('context', context, problems),
  };
}

function readObject(option: string, given: unknown, problems: Problems): JsonObject | undefined {
  if (given === undefined) {
    return undefined;
  }
  if (!isRecord(given)) {
    problems.add(option, 'an object', given);
    return undefined;
  }
  try {
    const { value, changes } = sanitize(given, DEFAULT_LIMITS);
    for (const change of changes) {
      problems.addLine(option, `expected plain JSON, but ${change}`);
    }
    return JSON.parse(JSON.stringify(value)) as JsonObject;
  } catch (error) {
    problems.addLine(option, errorMessage(error));
    return undefined;
  }
}
