import type { Encoder } from './encoder.js';
import { joinedEncoder } from './joined-encoder.js';

/** An array of events. */
export const jsonEncoder: Encoder = joinedEncoder('json', {
  ...{ before: '[', between: ',', after: ']' },
  contentType: 'application/json',
});
