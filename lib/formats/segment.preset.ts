import type { DeliveryPreset } from './delivery-preset.js';
import { checkedOptions, checkSecret, checkUrl } from './encoder-options.js';
import type { SegmentEncoderOptions } from './segment.encoder.js';
import { checkSegmentOptions, segmentEncoder } from './segment.encoder.js';

export interface SegmentPresetOptions extends SegmentEncoderOptions {
  /** Of the source. */
  readonly writeKey: string;
  /** RudderStack: `https://<data plane>/v1/batch`. Default: `https://api.segment.io/v1/batch`. */
  readonly url?: string;
}

const SEGMENT_URL = 'https://api.segment.io/v1/batch';

/** @throws TrackingError `invalid_options` */
export function segmentPreset(options: SegmentPresetOptions): DeliveryPreset {
  const {
    writeKey,
    url = SEGMENT_URL,
    ...encoderOptions
  } = checkedOptions('segmentBackend', options, ['writeKey', 'url', 'map', 'sentAt'], (given, problems) => {
    checkSecret(problems, 'writeKey', given.writeKey);
    problems.optional(given.url, (value) => {
      checkUrl(problems, 'url', value);
    });
    checkSegmentOptions(given, problems);
  });
  return {
    url,
    auth: { basic: { username: writeKey, password: '' } },
    format: segmentEncoder(encoderOptions),
  };
}
