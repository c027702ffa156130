import type { DeliveryPreset } from './delivery-preset.js';
import { checkedOptions, checkSecret } from './encoder-options.js';
import type { PaltabrainEncoderOptions } from './paltabrain.encoder.js';
import { checkPaltabrainOptions, paltabrainEncoder } from './paltabrain.encoder.js';

export interface PaltabrainPresetOptions extends PaltabrainEncoderOptions {
  /** `api.example.com`, with a port where it is not 443. */
  readonly hostname: string;
  readonly apiKey: string;
}

/** @throws TrackingError `invalid_options` */
export function paltabrainPreset(options: PaltabrainPresetOptions): DeliveryPreset {
  const { hostname, apiKey, ...encoderOptions } = checkedOptions(
    'paltabrainBackend',
    options,
    [
      ...(['hostname', 'apiKey'] as const),
      ...(['contextKeys', 'instanceId', 'schema', 'telemetry'] as const),
    ],
    (given, problems) => {
      if (!isHost(given.hostname)) {
        problems.add('hostname', 'a host, such as api.example.com', given.hostname);
      }
      checkSecret(problems, 'apiKey', given.apiKey);
      checkPaltabrainOptions(given, problems);
    },
  );
  return {
    url: `https://${hostname}/v2/paltabrain`,
    auth: { apiKey: { key: apiKey, header: 'X-API-Key' } },
    format: paltabrainEncoder(encoderOptions),
  };
}

function isHost(value: unknown): boolean {
  return typeof value === 'string' && /^[^/\s@?#]+$/.test(value) && URL.canParse(`https://${value}`);
}
