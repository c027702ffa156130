import type { Encoder } from './encoder.js';
import { joinJson } from './json-batch.js';

/** An array of events. */
export const jsonEncoder: Encoder = Object.freeze<Encoder>({
  name: 'json',
  encode: (batch) => ({
    body: joinJson(batch, '[', ',', ']'),
    contentType: 'application/json',
  }),
});
