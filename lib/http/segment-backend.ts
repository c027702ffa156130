import type { SegmentPresetOptions } from '../formats/segment.preset.js';
import { segmentPreset } from '../formats/segment.preset.js';
import type { HttpBackend } from './http-backend.js';
import { httpBackend } from './http-backend.js';
import type { DeliveryOptions } from './preset-backend.js';
import { presetOptions } from './preset-backend.js';

export interface SegmentBackendOptions
  extends SegmentPresetOptions, DeliveryOptions {
  /**
   * Whether a batch says when it was made. Segment moves timestamps by the time between then and the arrival: a batch
   * that goes again after an outage, byte for byte, has its events moved by the outage. Default: false.
   */
  readonly sentAt?: boolean;
}

/**
 * Delivers to Segment, or to what speaks its language (RudderStack: `url`).
 *
 * @throws TrackingError `invalid_options` with every problem
 *
 * @example
 * segmentBackend({ writeKey, backlog: lmdbBacklog({ path: 'data/backlog' }) });
 */
export function segmentBackend(options: SegmentBackendOptions): HttpBackend {
  const { preset, delivery } = presetOptions(
    'segmentBackend',
    options,
    ['writeKey', 'url', 'map', 'sentAt'],
    (own: SegmentPresetOptions) => segmentPreset({ sentAt: false, ...own }),
  );
  const { url, format } = preset;
  // The write key is the user; there is no password, which `auth.basic` asks for.
  const token = Buffer.from(`${options.writeKey}:`).toString('base64');
  const authorization = `Basic ${token}`;
  return httpBackend({
    ...{ ...delivery, url, format },
    auth: () => ({ authorization }),
  });
}
