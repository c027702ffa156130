import { Injectable } from '@nestjs/common';
import type { ProcessorObject, TrackingEvent } from 'nestjs-tracking';
import { RunsService } from '../donations/runs.service.js';

/** Adds to each event which run was on air, wherever in the app the event comes from. */
@Injectable()
export class OnAirProcessor implements ProcessorObject {
  constructor(private readonly runs: RunsService) {}

  process(event: TrackingEvent): TrackingEvent {
    return { ...event, context: { ...event.context, onAir: this.runs.onAir.id } };
  }
}
