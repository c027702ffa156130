import type { JsonValue } from '../core/json.js';
import { isRecord, Problems } from '../core/options.js';
import type { GdqPresetOptions } from '../formats/gdq.preset.js';
import { gdqPreset } from '../formats/gdq.preset.js';
import { getJson } from './get-json.js';
import type { HttpBackend } from './http-backend.js';
import { httpBackend } from './http-backend.js';
import type { HttpBackendChanges, HttpBackendOptions } from './http-options.js';
import { changed, httpSettings } from './http-settings.js';
import type { DeliveryOptions } from './preset-backend.js';
import { presetOptions } from './preset-backend.js';

export interface GdqBackendOptions extends GdqPresetOptions, DeliveryOptions {}

/** What can be changed while it runs. */
export type GdqBackendChanges = Omit<HttpBackendChanges, 'url' | 'testMode'> &
  Pick<GdqBackendOptions, 'testMode'>;

export interface GdqBackend extends Omit<HttpBackend, 'configure'> {
  /** As of `HttpBackend`, with `testMode` as true or false. */
  configure(changes: GdqBackendChanges): void;
  /**
   * Reads the statistics of the service, also under `noEmit`. Takes at most `timeoutMs`, and an answer of 1 MiB.
   *
   * @throws TrackingError `timeout`; `unavailable` for any other answer than JSON with a status of 2xx
   */
  latest(): Promise<JsonValue>;
}

/**
 * Delivers to the GDQ analytics service.
 *
 * @throws TrackingError `invalid_options` with every problem
 *
 * @example
 * const gdq = gdqBackend({ host: 'https://analytics.example', path: '/track' });
 * await gdq.latest();
 */
export function gdqBackend(options: GdqBackendOptions = {}): GdqBackend {
  const { preset, delivery } = presetOptions(
    'gdqBackend',
    options,
    ['host', 'path', 'testPath', 'latestPath', 'metadata', 'testMode'],
    (own: GdqPresetOptions) => gdqPreset(own),
  );
  const inTestMode = (isOn: boolean): Pick<HttpBackendOptions, 'testMode'> => ({
    testMode: isOn ? { path: preset.testPath } : undefined,
  });
  const { url, format } = preset;
  const backend = httpBackend({
    ...{ ...delivery, url, format },
    ...inTestMode(preset.testMode),
  });
  const configure = backend.configure.bind(backend);
  let reading: HttpBackendOptions = { ...delivery, url: preset.latestUrl };

  return Object.assign(backend, {
    configure: (given: GdqBackendChanges) => {
      checkTestMode(given);
      const { testMode, ...changes } = given;
      configure({
        ...changes,
        ...(testMode === undefined ? {} : inTestMode(testMode)),
      });
      reading = changed(reading, changes);
    },
    latest: () => getJson(httpSettings(reading, format), reading),
  });
}

function checkTestMode(changes: unknown): void {
  const problems = new Problems();
  if (isRecord(changes)) {
    problems.optional(changes['testMode'], (value) => {
      problems.boolean('testMode', value);
    });
  } else {
    problems.add('options', 'an object', changes);
  }
  problems.throwIfAny('the options of configure() are wrong');
}
