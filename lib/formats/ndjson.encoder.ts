import type { Encoder } from './encoder.js';
import { joinJson } from './json-batch.js';

/** One event per line. */
export const ndjsonEncoder: Encoder = Object.freeze<Encoder>({
  name: 'ndjson',
  encode: (batch) => ({
    body: joinJson(batch, '', '\n', '\n'),
    contentType: 'application/x-ndjson',
  }),
});
