import { isTrackingError, TrackingError } from '../core/errors.js';
import { describeValue } from '../core/describe.js';
import { isRecord } from '../core/options.js';
import type { DeliveryPreset } from '../formats/delivery-preset.js';
import { checkHttpOptions } from './check-options.js';
import type { HttpBackend } from './http-backend.js';
import { httpBackend } from './http-backend.js';
import type { HttpBackendOptions } from './http-options.js';

/** What the backend of a known destination takes beside the options of its own: how events wait, travel and end. */
export type DeliveryOptions = Omit<HttpBackendOptions, 'url' | 'format' | 'auth' | 'testMode'>;

const DELIVERY_OPTIONS: Readonly<Record<keyof DeliveryOptions, true>> = {
  ...({ headers: true, batch: true, retry: true, concurrency: true } as const),
  ...({ timeoutMs: true, conflict: true, noEmit: true } as const),
  ...({ backlog: true, compression: true, onDeadLetter: true } as const),
  ...({ tls: true, dispatcher: true } as const),
};

/** Any URL does: whether the destination's is right, its preset says. */
const SOME_URL = 'http://localhost';

/**
 * Options for `httpBackend` out of those of a destination's own backend.
 *
 * @param ownOptions the names of the options that are handed to `preset`
 * @throws TrackingError `invalid_options` with every problem of both kinds
 */
export function presetOptions<Own extends object, P extends DeliveryPreset>(
  factory: string,
  options: Own & DeliveryOptions,
  ownOptions: readonly (keyof Own & string)[],
  preset: (own: Own) => P,
): { readonly preset: P; readonly delivery: DeliveryOptions } {
  if (!isRecord(options)) {
    const line = `expected options to be an object, got ${describeValue(options)}`;
    throw wrong(factory, [line]);
  }
  const deliveryOptions = Object.keys(DELIVERY_OPTIONS);
  const delivery = only(options, deliveryOptions) as DeliveryOptions;
  const known = [...ownOptions, ...deliveryOptions];
  const problems = Object.keys(options)
    .filter((key) => !known.includes(key))
    .map((key) => `${key} is not an option; known are ${known.join(', ')}`);
  const made = attempted(problems, () => preset(only(options, ownOptions) as Own));
  attempted(problems, () => {
    checkHttpOptions({ ...delivery, url: SOME_URL }, 'httpBackend');
  });
  if (made === undefined || problems.length > 0) {
    throw wrong(factory, problems);
  }
  return { preset: made, delivery };
}

/**
 * The backend of a destination that needs nothing but its preset.
 *
 * @throws TrackingError `invalid_options` with every problem of both kinds
 */
export function presetBackend<Own extends object>(
  factory: string,
  options: Own & DeliveryOptions,
  ownOptions: readonly (keyof Own & string)[],
  presetOf: (own: Own) => DeliveryPreset,
): HttpBackend {
  const { preset, delivery } = presetOptions(...([factory, options, ownOptions, presetOf] as const));
  return httpBackend({ ...delivery, ...preset });
}

function wrong(factory: string, problems: readonly string[]): TrackingError {
  const lines = problems.map((line) => `  - ${line}`).join('\n');
  return new TrackingError('invalid_options', `the options of ${factory}() are wrong:\n${lines}`);
}

/** Adds what is wrong to the list instead of throwing it. */
function attempted<T>(problems: string[], make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (!isTrackingError(error) || error.code !== 'invalid_options') {
      throw error;
    }
    const [, ...lines] = error.message.split('\n');
    problems.push(...lines.map((line) => line.replace(/^ {2}- /, '')));
    return undefined;
  }
}

function only(options: Readonly<Record<string, unknown>>, names: readonly string[]): object {
  return Object.fromEntries(Object.entries(options).filter(([key]) => names.includes(key)));
}
