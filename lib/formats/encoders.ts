import type { Encoder } from './encoder.js';
import { jsonEncoder } from './json.encoder.js';
import { ndjsonEncoder } from './ndjson.encoder.js';

/** The formats that can be asked for by name. One that has no options of its own gets its line here. */
export const ENCODERS = Object.freeze({
  json: jsonEncoder,
  ndjson: ndjsonEncoder,
}) satisfies Readonly<Record<string, Encoder>>;

export type FormatName = keyof typeof ENCODERS;

/** The encoder of a name; undefined for a name that is none. */
export function encoderNamed(name: string): Encoder | undefined {
  return Object.hasOwn(ENCODERS, name)
    ? (ENCODERS as Readonly<Record<string, Encoder>>)[name]
    : undefined;
}
