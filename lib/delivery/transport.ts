import type { TrackingEvent } from '../core/event.js';
import type { MaybePromise } from '../core/processor.js';
import type { LeasedEvent } from './backlog.js';
import type { BatchInfo, EncodedBatch, SendResult } from '../formats/encoder.js';

/** One attempt to deliver a batch. */
export interface SendInfo {
  readonly batchId: string;
  /** Stays with events while their batches are halved, bisected, or answered in parts. */
  readonly requestId: string;
  /** From 1. */
  readonly attempt: number;
  /** For transports that read an answer per event; made when they are asked for. */
  readonly events: readonly TrackingEvent[];
  /** The time for the attempt is over, or the process ends. */
  readonly signal: AbortSignal;
}

/** Carries batches. What the destination does is a value; what is thrown counts as `retryable`. */
export interface Transport<Payload = EncodedBatch> {
  send(payload: Payload, info: SendInfo): Promise<SendResult>;
  close?(): Promise<void>;
}

/** Makes a batch's payload, once. What it throws makes the guilty event a dead letter. */
export type Encode<Payload> = (events: readonly LeasedEvent[], info: BatchInfo) => MaybePromise<Payload>;
