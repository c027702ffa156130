import { Injectable } from '@nestjs/common';
import type { Backend, TrackingEvent } from 'nestjs-tracking';

const FAILS_EVERY = 3;
const WALL_SIZE = 10;

/** Stands in for a vendor on a bad day: every third event is refused. */
@Injectable()
export class SponsorBackend implements Backend {
  /** The latest events, the oldest first. */
  readonly wall: TrackingEvent[] = [];
  private calls = 0;

  send(event: TrackingEvent): void {
    if (++this.calls % FAILS_EVERY === 0) {
      throw new Error("the sponsor's wall does not answer");
    }
    this.wall.push(event);
    if (this.wall.length > WALL_SIZE) {
      this.wall.shift();
    }
  }
}
