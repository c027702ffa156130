import { randomInt, randomUUID } from 'node:crypto';
import type { Backend, BackendHost, SendOptions, TimeBudget } from '../core/backend.js';
import { DRAINS_ON_CLOSE } from '../core/backend.js';
import type { TrackingEvent } from '../core/event.js';
import type { MaybePromise } from '../core/processor.js';
import type { BackendStats } from '../core/stats.js';
import type { Backlog } from '../delivery/backlog.js';
import type { DeadLetter, DeadLetterFilter } from '../delivery/dead-letter.js';
import { DeliveryLoop } from '../delivery/delivery-loop.js';
import { memoryBacklog } from '../delivery/memory-backlog.js';
import { boundedPartitions, safeGroups } from '../delivery/partitions.js';
import type { Encoder } from '../formats/encoder.js';
import { ENCODERS } from '../formats/encoders.js';
import { checkHttpOptions } from './check-options.js';
import { formatStamp } from './format-stamp.js';
import type { HttpBackendChanges, HttpBackendOptions } from './http-options.js';
import type { HttpPayload } from './http-payload.js';
import { httpPayload } from './http-payload.js';
import type { HttpSettings } from './http-settings.js';
import { changed, httpSettings } from './http-settings.js';
import { HttpTransport } from './http-transport.js';

const RANDOM_RANGE = 2 ** 32;

export interface HttpBackend extends Backend {
  stats(): BackendStats;
  /**
   * Changes settings while it runs. Batches that were sent before keep their bytes, unless credentials change.
   *
   * @throws TrackingError `invalid_options` with every problem; nothing is changed then
   */
  configure(changes: HttpBackendChanges): void;
  /** Events that were given up, from the oldest death on. */
  deadLetters(filter?: DeadLetterFilter): AsyncIterable<DeadLetter>;
  /** Sends dead letters again, as if they were accepted anew; answers how many. */
  replay(filter?: DeadLetterFilter): Promise<number>;
}

/**
 * Delivers events to an HTTP destination: in batches, with retries, through outages.
 *
 * @throws TrackingError `invalid_options` with every problem
 *
 * @example
 * httpBackend({ url: 'https://collector.example/events', auth: { bearer: token } });
 */
export function httpBackend(options: HttpBackendOptions): HttpBackend {
  checkHttpOptions(options, 'httpBackend');
  return new DeliveringHttpBackend(options);
}

class DeliveringHttpBackend implements HttpBackend {
  readonly [DRAINS_ON_CLOSE] = true;
  private readonly encoder: Encoder;
  private readonly backlog: Backlog;
  private settings: HttpSettings;
  private loop: DeliveryLoop<HttpPayload> | undefined;

  constructor(private options: HttpBackendOptions) {
    const { format = 'json' } = options;
    this.encoder = typeof format === 'string' ? ENCODERS[format]() : format;
    this.backlog = options.backlog ?? memoryBacklog();
    this.settings = httpSettings(options, this.encoder);
  }

  attach(host: BackendHost): void {
    const { encoder, options } = this;
    const settings = (): HttpSettings => this.settings;
    const partitionBy = options.batch?.partitionBy ?? encoder.partitionBy?.bind(encoder);
    const callbackFailed = (what: string) => (error: unknown) => {
      host.report({
        code: 'callback_failed',
        message: `${what} failed`,
        error,
      });
    };
    const groupBy = encoder.groupBy?.bind(encoder);
    const stamp = formatStamp(encoder, callbackFailed('accept() of the format'));
    this.loop = new DeliveryLoop<HttpPayload>({
      ...{ host, settings, backlog: this.backlog },
      encode: (events, info) => httpPayload(encoder, events, info, this.settings, options.compression),
      transport: new HttpTransport(encoder, settings, host.clock, options),
      random: () => randomInt(RANDOM_RANGE) / RANDOM_RANGE,
      newId: randomUUID,
      ...(partitionBy === undefined
        ? {}
        : {
            partitionOf: boundedPartitions(partitionBy, callbackFailed('partitionBy')),
          }),
      ...(groupBy === undefined ? {} : { groupOf: safeGroups(groupBy, callbackFailed('groupBy')) }),
      ...(stamp === undefined ? {} : { stamp }),
      ...(options.onDeadLetter === undefined ? {} : { onDeadLetter: options.onDeadLetter }),
    });
  }

  send(event: TrackingEvent, options?: SendOptions): MaybePromise<void> {
    return this.attached().accept(event, options?.waitForRoom === true, options?.fireAndForget === true);
  }

  async flush(budget?: TimeBudget): Promise<void> {
    await this.loop?.flush(budget);
  }

  async close(budget?: TimeBudget): Promise<void> {
    await this.loop?.close(budget);
  }

  stats(): BackendStats {
    return (
      this.loop?.stats() ?? {
        ...{ accepted: 0, delivered: 0, retried: 0, dead: 0, depth: 0 },
        ...{ dropped: {}, state: 'ok' },
      }
    );
  }

  configure(changes: HttpBackendChanges): void {
    checkHttpOptions(changes, 'configure');
    const options = changed(this.options, changes);
    checkHttpOptions(options, 'httpBackend');
    this.options = options;
    this.settings = httpSettings(options, this.encoder);
    if ('auth' in changes || 'headers' in changes || 'url' in changes) {
      this.loop?.credentialsChanged();
    } else {
      this.loop?.settingsChanged();
    }
  }

  deadLetters(filter?: DeadLetterFilter): AsyncIterable<DeadLetter> {
    return this.backlog.deadLetters(filter);
  }

  replay(filter?: DeadLetterFilter): Promise<number> {
    return this.backlog.replay(filter);
  }

  private attached(): DeliveryLoop<HttpPayload> {
    if (this.loop === undefined) {
      throw new TypeError('an httpBackend works only as a backend of a tracker');
    }
    return this.loop;
  }
}
