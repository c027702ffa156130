import { atomEncoder } from './atom.encoder.js';
import { cloudeventsEncoder } from './cloudevents.encoder.js';
import type { Encoder } from './encoder.js';
import { gdqEncoder } from './gdq.encoder.js';
import { jsonEncoder } from './json.encoder.js';
import { ndjsonEncoder } from './ndjson.encoder.js';
import { paltabrainEncoder } from './paltabrain.encoder.js';
import { segmentEncoder } from './segment.encoder.js';

/** The formats that can be asked for by name, with their default options. A format may have state: one for each use. */
export const ENCODERS = Object.freeze({
  json: () => jsonEncoder,
  ndjson: () => ndjsonEncoder,
  cloudevents: () => cloudeventsEncoder(),
  gdq: () => gdqEncoder(),
  atom: () => atomEncoder(),
  paltabrain: () => paltabrainEncoder(),
  segment: () => segmentEncoder(),
}) satisfies Readonly<Record<string, () => Encoder>>;

export type FormatName = keyof typeof ENCODERS;

export function isFormatName(name: unknown): name is FormatName {
  return typeof name === 'string' && Object.hasOwn(ENCODERS, name);
}
