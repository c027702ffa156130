import type { Problems } from '../core/options.js';
import { checkedOptions } from './encoder-options.js';
import type { Encoder } from './encoder.js';
import type { MetadataKey } from './json-parts.js';
import {
  checkMetadataKey,
  contextTexts,
  jsonArray,
  METADATA_KEY,
  payloadWithMetadata,
} from './json-parts.js';

export interface GdqEncoderOptions {
  /**
   * Where an event's `id`, `name`, `timestamp` and `context` go inside `properties`: the format has no place for them,
   * and without them an event that waited has lost its time. `false` sends the payload alone. Default: `_event`.
   */
  readonly metadata?: MetadataKey;
}

/**
 * The format of the GDQ analytics service: an array of `{ event_name, properties }`.
 *
 * @throws TrackingError `invalid_options`
 */
export function gdqEncoder(options: GdqEncoderOptions = {}): Encoder {
  const { metadata = METADATA_KEY } = checkedOptions('gdqEncoder', options, ['metadata'], checkGdqOptions);
  return {
    name: 'gdq',
    encode: (batch) => {
      const contextJson = contextTexts();
      const items = batch.map(
        (event) =>
          `{"event_name":${JSON.stringify(event.name)},"properties":${payloadWithMetadata(event, metadata, contextJson)}}`,
      );
      return { contentType: 'application/json', body: jsonArray(items) };
    },
  };
}

/** For the options of a backend that hands them on. */
export function checkGdqOptions({ metadata }: GdqEncoderOptions, problems: Problems): void {
  problems.optional(metadata, (value) => {
    checkMetadataKey(problems, value);
  });
}
