import { channel } from 'node:diagnostics_channel';
import type { SendResult } from '../formats/encoder.js';
import type { CircuitState, PauseReason } from './circuit.js';
import type { DeadReason } from './dead-letter.js';

/** Where in an app something happened. */
export interface DeliveryPlace {
  readonly tracker: string;
  readonly path: string;
}

/** One request to a destination, after its end. */
export interface AttemptFact extends DeliveryPlace {
  readonly batchId: string;
  readonly requestId: string;
  /** From 1. */
  readonly attempt: number;
  readonly events: number;
  /** Of their JSON. */
  readonly bytes: number;
  readonly durationMs: number;
  readonly status: SendResult['status'];
  readonly httpStatus?: number;
}

/** Events that left a backlog. */
export interface SettledFact extends DeliveryPlace {
  readonly outcome: 'delivered' | 'dead';
  readonly events: number;
  /** Why they died. */
  readonly reason?: DeadReason;
}

/** A destination went away, came back, or wants to be left alone. */
export interface StateFact extends DeliveryPlace {
  readonly state: CircuitState;
  readonly reason?: PauseReason;
}

/** Channels of `node:diagnostics_channel`. Every fact is published once; nobody listening costs next to nothing. */
export const DELIVERY_CHANNELS = Object.freeze({
  attempt: 'nestjs-tracking.delivery.attempt',
  settled: 'nestjs-tracking.delivery.settled',
  state: 'nestjs-tracking.delivery.state',
});

const attempts = channel(DELIVERY_CHANNELS.attempt);
const settlements = channel(DELIVERY_CHANNELS.settled);
const states = channel(DELIVERY_CHANNELS.state);

export function publishAttempt(fact: () => AttemptFact): void {
  if (attempts.hasSubscribers) {
    attempts.publish(fact());
  }
}

export function publishSettled(fact: () => SettledFact): void {
  if (settlements.hasSubscribers) {
    settlements.publish(fact());
  }
}

export function publishState(fact: StateFact): void {
  states.publish(fact);
}
