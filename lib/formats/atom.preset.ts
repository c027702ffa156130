import type { AtomEncoderOptions } from './atom.encoder.js';
import { atomEncoder, checkAtomOptions } from './atom.encoder.js';
import type { DeliveryPreset } from './delivery-preset.js';
import { checkedOptions, checkUrl } from './encoder-options.js';

export interface AtomPresetOptions extends AtomEncoderOptions {
  /** Where single events go; bulks go to `bulk` below. Default: `https://track.atom-data.io/`. */
  readonly endpoint?: string;
}

/** @throws TrackingError `invalid_options` */
export function atomPreset(options: AtomPresetOptions = {}): DeliveryPreset {
  const { endpoint = 'https://track.atom-data.io/', ...encoderOptions } = checkedOptions(
    'atomBackend',
    options,
    ['endpoint', 'stream', 'authKey', 'send', 'bulkItems', 'metadata'],
    (given, problems) => {
      problems.optional(given.endpoint, (value) => {
        checkUrl(problems, 'endpoint', value);
      });
      checkAtomOptions(given, problems);
    },
  );
  return { url: endpoint, format: atomEncoder(encoderOptions) };
}
