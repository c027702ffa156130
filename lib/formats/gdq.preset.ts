import type { DeliveryPreset } from './delivery-preset.js';
import { checkedOptions, checkUrl } from './encoder-options.js';
import type { GdqEncoderOptions } from './gdq.encoder.js';
import { checkGdqOptions, gdqEncoder } from './gdq.encoder.js';

export interface GdqPresetOptions extends GdqEncoderOptions {
  /** Default: `http://localhost:5000`. */
  readonly host?: string;
  /** Where events go. Default: `/track`. */
  readonly path?: string;
  /** Where events go in test mode. Default: `/test`. */
  readonly testPath?: string;
  /** Sends to `testPath` instead of `path`. Default: false. */
  readonly testMode?: boolean;
  /** Where statistics are read. Default: `/latest`. */
  readonly latestPath?: string;
}

export interface GdqPreset extends DeliveryPreset {
  /** The whole path, with that of the host. */
  readonly testPath: string;
  readonly testMode: boolean;
  readonly latestUrl: string;
}

/** @throws TrackingError `invalid_options` */
export function gdqPreset(options: GdqPresetOptions = {}): GdqPreset {
  const {
    host = 'http://localhost:5000',
    path = '/track',
    testPath = '/test',
    latestPath = '/latest',
    testMode = false,
    ...encoderOptions
  } = checkedOptions(
    'gdqBackend',
    options,
    ['host', 'path', 'testPath', 'latestPath', 'metadata', 'testMode'],
    (given, problems) => {
      problems.optional(given.host, (value) => {
        checkUrl(problems, 'host', value);
      });
      for (const key of ['path', 'testPath', 'latestPath'] as const) {
        problems.optional(given[key], (value: unknown) => {
          if (typeof value !== 'string' || !value.startsWith('/')) {
            problems.add(key, "a path that begins with '/'", value);
          }
        });
      }
      problems.optional(given.testMode, (value) => {
        problems.boolean('testMode', value);
      });
      checkGdqOptions(given, problems);
    },
  );
  const root = host.replace(/\/+$/, '');
  return {
    url: `${root}${path}`,
    testPath: `${new URL(root).pathname.replace(/\/+$/, '')}${testPath}`,
    testMode,
    latestUrl: `${root}${latestPath}`,
    format: gdqEncoder(encoderOptions),
  };
}
