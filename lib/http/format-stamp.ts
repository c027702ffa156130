import type { TrackingEvent } from '../core/event.js';
import { ignore, isThenable } from '../core/thenable.js';
import { isRecord } from '../core/options.js';
import type { EventStamp } from '../delivery/event-stamp.js';
import type { Encoder } from '../formats/encoder.js';

/** The stamp of a format that has one. Where that throws, or answers no event, the event is stored as it is. */
export function formatStamp(encoder: Encoder, failed: (error: unknown) => void): EventStamp | undefined {
  if (encoder.accept === undefined) {
    return undefined;
  }
  return {
    put: (event) => {
      try {
        return checked(encoder.accept?.(event), event);
      } catch (error) {
        failed(error);
        return event;
      }
    },
    takeBack: (stamped) => {
      try {
        encoder.takeBack?.(stamped);
      } catch (error) {
        failed(error);
      }
    },
  };
}

function checked(answer: unknown, { id }: TrackingEvent): TrackingEvent {
  if (isThenable(answer)) {
    ignore(answer);
  }
  if (isRecord(answer) && answer['id'] === id && isRecord(answer['context'])) {
    return answer as unknown as TrackingEvent;
  }
  throw new TypeError('accept() of the format answered something else');
}
