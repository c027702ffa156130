import type { Encoder } from './encoder.js';
import { joinedEncoder } from './joined-encoder.js';

/** One event per line. */
export const ndjsonEncoder: Encoder = joinedEncoder('ndjson', {
  ...{ before: '', between: '\n', after: '\n' },
  contentType: 'application/x-ndjson',
});
