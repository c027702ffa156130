import { Injectable } from '@nestjs/common';
import type { ProcessorObject, TrackingEvent } from 'nestjs-tracking';
import { RunsStore } from './runs.store.js';

/** Adds to every event which run was on air, wherever in the app it happened. */
@Injectable()
export class OnAirProcessor implements ProcessorObject {
  constructor(private readonly runs: RunsStore) {}

  process(event: TrackingEvent): TrackingEvent {
    const onAir = this.runs.onAir.id;
    return { ...event, context: { ...event.context, onAir } };
  }
}
