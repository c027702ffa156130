import { Injectable } from '@nestjs/common';
import type { Backend, TrackingEvent } from 'nestjs-tracking';

/** A vendor on a bad day: every third event fails. That is reported and counted, and no other backend notices. */
@Injectable()
export class SponsorBackend implements Backend {
  private calls = 0;

  send({ name }: TrackingEvent): void {
    if (++this.calls % 3 === 0) {
      throw new Error(`the sponsor's wall did not take ${name}`);
    }
  }
}
