import type { BackendHost } from '../core/backend.js';
import type { TrackingEvent } from '../core/event.js';
import type { Random } from './backoff.js';
import type { Backlog } from './backlog.js';
import type { DeliverySettings } from './delivery-settings.js';
import type { EventStamp } from './event-stamp.js';
import type { OnDeadLetter } from './lost-events.js';
import type { Encode, Transport } from './transport.js';

/** What the delivery of one backend is put together from. */
export interface DeliveryParts<Payload> {
  readonly host: BackendHost;
  readonly backlog: Backlog;
  readonly encode: Encode<Payload>;
  readonly transport: Transport<Payload>;
  /** Read anew at each decision. */
  readonly settings: () => DeliverySettings;
  readonly random: Random;
  /** Makes the ids of batches. */
  readonly newId: () => string;
  /** Streams that are kept apart and in order. */
  readonly partitionOf?: (event: TrackingEvent) => string;
  /** Events of different groups never share a batch. */
  readonly groupOf?: (event: TrackingEvent) => string;
  /** Puts something into each event that is accepted. */
  readonly stamp?: EventStamp;
  readonly onDeadLetter?: OnDeadLetter;
}
