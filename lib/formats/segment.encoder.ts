import type { TrackingEvent } from '../core/event.js';
import { eventDataJson } from '../core/event.js';
import { describeValue } from '../core/describe.js';
import type { Problems } from '../core/options.js';
import { isRecord } from '../core/options.js';
import { checkedOptions } from './encoder-options.js';
import type { Encoder } from './encoder.js';
import type { ContextJson } from './json-parts.js';
import { contextTexts, jsonArray } from './json-parts.js';
import { segmentContext } from './segment-context.js';
import type { SegmentMessage } from './segment-message.js';
import { contentOf, segmentHead } from './segment-message.js';

export interface SegmentEncoderOptions {
  /** The last word on a message: what it answers is sent. */
  readonly map?: (message: SegmentMessage, event: TrackingEvent) => object;
  /**
   * Whether a batch says when it was made. Segment moves timestamps by the time between then and the arrival, which it
   * takes for a wrong clock: a batch that is repeated during an outage has its events moved by the outage. Default:
   * true.
   */
  readonly sentAt?: boolean;
}

/** Limits of Segment; beyond either it refuses a whole batch. */
const MAX_BATCH_BYTES = 500_000;
const MAX_MESSAGE_BYTES = 32 * 1024;
/** Most bytes that one UTF-16 code unit takes in UTF-8. */
const UTF8_MAX = 3;

/**
 * The batches of Segment's HTTP API, which RudderStack takes too. `user.identified`, `group.identified`, `page.viewed`,
 * `screen.viewed` and `user.aliased` become their calls, every other event a `track`. An event above 32 KB fails alone.
 *
 * @throws TrackingError `invalid_options`
 */
export function segmentEncoder(options: SegmentEncoderOptions = {}): Encoder {
  const { map, sentAt = true } = checkedOptions(
    'segmentEncoder',
    options,
    ['map', 'sentAt'],
    checkSegmentOptions,
  );
  const write = map === undefined ? writeMessage : (event: TrackingEvent): string => writeMapped(event, map);
  return {
    name: 'segment',
    maxBytes: MAX_BATCH_BYTES,
    encode: (batch, { now }) => {
      const contextJson = contextTexts(segmentContext);
      const messages = jsonArray(batch.map((event) => fitting(write(event, contextJson), event)));
      const sent = sentAt ? `,"sentAt":"${new Date(now).toISOString()}"` : '';
      return {
        contentType: 'application/json',
        body: `{"batch":${messages}${sent}}`,
      };
    },
  };
}

function writeMessage(event: TrackingEvent, contextJson: ContextJson): string {
  const head = segmentHead(event);
  return `${JSON.stringify(head).slice(0, -1)},"${contentOf(head)}":${eventDataJson(event)},"context":${contextJson(event.context)}}`;
}

function writeMapped(event: TrackingEvent, map: NonNullable<SegmentEncoderOptions['map']>): string {
  const head = segmentHead(event);
  const answer: unknown = map(
    {
      ...head,
      [contentOf(head)]: event.data,
      context: segmentContext(event.context),
    },
    event,
  );
  if (!isRecord(answer)) {
    throw new TypeError(`expected "map" to answer a message, got ${describeValue(answer)}`);
  }
  return JSON.stringify(answer);
}

/** @throws RangeError for a message that would have its whole batch refused */
function fitting(message: string, { name }: TrackingEvent): string {
  if (message.length * UTF8_MAX > MAX_MESSAGE_BYTES) {
    const bytes = Buffer.byteLength(message);
    if (bytes > MAX_MESSAGE_BYTES) {
      throw new RangeError(
        `${describeValue(name)} has ${bytes} bytes as a message for Segment, which takes at most ${MAX_MESSAGE_BYTES}`,
      );
    }
  }
  return message;
}

/** For the options of a backend that hands them on. */
export function checkSegmentOptions({ map, sentAt }: SegmentEncoderOptions, problems: Problems): void {
  problems.optional(map, (value) => {
    problems.function('map', value);
  });
  problems.optional(sentAt, (value) => {
    problems.boolean('sentAt', value);
  });
}
