import type { PaltabrainPresetOptions } from '../formats/paltabrain.preset.js';
import { paltabrainPreset } from '../formats/paltabrain.preset.js';
import type { TelemetrySource } from '../formats/paltabrain-telemetry.js';
import { telemetryFrom } from '../formats/paltabrain-telemetry.js';
import type { HttpBackend } from './http-backend.js';
import type { DeliveryOptions } from './preset-backend.js';
import { presetBackend } from './preset-backend.js';

export interface PaltabrainBackendOptions
  extends Omit<PaltabrainPresetOptions, 'telemetry'>, DeliveryOptions {
  /** Asked once per batch. Default: the events lost and the time passed since the batch before. */
  readonly telemetry?: TelemetrySource;
}

/**
 * Delivers to PaltaBrain: protobuf, batches split by context, numbered sessions.
 *
 * @throws TrackingError `invalid_options` with every problem
 */
export function paltabrainBackend(options: PaltabrainBackendOptions): HttpBackend {
  const telemetry = telemetryFrom(() => backend.stats());
  const backend: HttpBackend = presetBackend(
    'paltabrainBackend',
    options,
    [
      ...(['hostname', 'apiKey', 'contextKeys'] as const),
      ...(['instanceId', 'schema', 'telemetry'] as const),
    ],
    (own: PaltabrainPresetOptions) => paltabrainPreset({ telemetry, ...own }),
  );
  return backend;
}
