import { eventJson } from '../core/event.js';
import type { Encoder, JoinedJson } from './encoder.js';

/** A format that is the events' JSON, and texts around and between. */
export function joinedEncoder(name: string, joined: JoinedJson): Encoder {
  const { before, between, after, contentType } = joined;
  return Object.freeze<Encoder>({
    ...{ name, joined },
    encode: (batch) => ({
      body: before + batch.map(eventJson).join(between) + after,
      contentType,
    }),
  });
}
