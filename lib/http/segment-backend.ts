import type { SegmentPresetOptions } from '../formats/segment.preset.js';
import { segmentPreset } from '../formats/segment.preset.js';
import type { HttpBackend } from './http-backend.js';
import type { DeliveryOptions } from './preset-backend.js';
import { presetBackend } from './preset-backend.js';

export interface SegmentBackendOptions extends SegmentPresetOptions, DeliveryOptions {
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
  return presetBackend(
    'segmentBackend',
    options,
    ['writeKey', 'url', 'map', 'sentAt'],
    (own: SegmentPresetOptions) => segmentPreset({ ...own, sentAt: own.sentAt ?? false }),
  );
}
