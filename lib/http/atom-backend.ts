import type { AtomPresetOptions } from '../formats/atom.preset.js';
import { atomPreset } from '../formats/atom.preset.js';
import type { HttpBackend } from './http-backend.js';
import type { DeliveryOptions } from './preset-backend.js';
import { presetBackend } from './preset-backend.js';

export interface AtomBackendOptions extends AtomPresetOptions, DeliveryOptions {}

/**
 * Delivers to ironSource Atom: each stream apart and in its order, signed with its key.
 *
 * @throws TrackingError `invalid_options` with every problem
 */
export function atomBackend(options: AtomBackendOptions = {}): HttpBackend {
  return presetBackend(
    'atomBackend',
    options,
    ['endpoint', 'stream', 'authKey', 'send', 'bulkItems', 'metadata'],
    (own: AtomPresetOptions) => atomPreset(own),
  );
}
