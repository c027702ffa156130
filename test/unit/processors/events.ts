import { expect } from '@jest/globals';
import type { TrackingEvent } from '../../../lib/core/event.js';
import type { Processor } from '../../../lib/core/processor.js';
import { isDropped } from '../../../lib/core/processor.js';

/** An event as a processor sees it. */
export function eventOf(fields: Partial<TrackingEvent> = {}): TrackingEvent {
  return {
    id: '0192f0a0-0000-7000-8000-000000000001',
    name: 'order.created',
    timestamp: '2026-01-02T03:04:05.678Z',
    data: {},
    context: {},
    ...fields,
  };
}

/** An event whose payload must not be looked at. */
export function sealedEvent(fields: Partial<TrackingEvent> = {}): TrackingEvent {
  return Object.defineProperty(eventOf(fields), 'data', {
    enumerable: true,
    get: () => {
      throw new Error('the payload was read');
    },
  });
}

/** What a processor returns, with a drop as its reason. */
export function answerOf(processor: Processor, event: TrackingEvent): unknown {
  const answer = processor(event);
  return isDropped(answer) ? `dropped: ${answer.reason}` : answer;
}

/** The message of whatever `work` throws. */
export function thrownBy(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
}

/** Its name is what reports call it. */
export function expectFilter(processor: Processor, name: string): void {
  expect([processor.name, processor.failClosed]).toStrictEqual([name, true]);
}

/** What the error of wrong options says, line by line. */
export function problemsOf(work: () => unknown): string[] {
  return thrownBy(work)
    .split('\n')
    .map((line) => line.replace(/^ {2}- /, ''));
}
