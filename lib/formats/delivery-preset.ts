import type { Encoder } from './encoder.js';

/** What a destination's own backend hands to the one for HTTP. */
export interface DeliveryPreset {
  readonly url: string;
  readonly format: Encoder;
  readonly auth?:
    | {
        readonly basic: {
          readonly username: string;
          readonly password: string;
        };
      }
    | { readonly apiKey: { readonly key: string; readonly header: string } };
}
