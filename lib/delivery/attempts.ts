import type { Clock } from '../core/clock.js';
import { errorMessage } from '../core/describe.js';
import type { SendResult } from '../formats/encoder.js';
import type { Batch } from './batch.js';
import type { DeliveryReporter } from './delivery-reporter.js';
import type { DeliverySettings } from './delivery-settings.js';
import type { Judgement } from './judgement.js';
import { judge, judgeUnencodable } from './judgement.js';
import type { Encode, Transport } from './transport.js';

/** What one attempt came to. */
export interface Tried {
  readonly judgement: Judgement;
  readonly tooLarge: boolean;
  readonly latencyMs: number;
}

/** Makes attempts: encodes a batch the first time, sends it, and judges the answer. Never rejects. */
export class Attempts<Payload> {
  /** Attempts to send what was sent before, event by event. */
  retried = 0;
  private ended = false;
  private readonly underWay = new Set<() => void>();

  constructor(
    private readonly clock: Clock,
    private readonly encode: Encode<Payload>,
    private readonly transport: Transport<Payload>,
    private readonly settings: () => DeliverySettings,
    private readonly reporter: DeliveryReporter,
  ) {}

  /** Everything ends: gives up what is under way, and whatever is still tried. */
  end(): void {
    this.ended = true;
    for (const giveUp of this.underWay) {
      giveUp();
    }
  }

  async make(batch: Batch<Payload>): Promise<Tried> {
    const started = this.clock.monotonicMs();
    try {
      batch.payload ??= await this.encode(batch.events, {
        batchId: batch.id,
        now: this.clock.now(),
      });
    } catch (error) {
      const message = `the format cannot express it: ${errorMessage(error)}`;
      this.reporter.unencodable(message);
      return {
        judgement: judgeUnencodable(batch.events, message),
        ...{ tooLarge: false, latencyMs: 0 },
      };
    }
    for (const event of batch.events) {
      event.attempts++;
    }
    batch.sent++;
    const attempt = batch.attempts;
    if (attempt > 1) {
      this.retried += batch.events.length;
    }
    const result = await this.send(batch, batch.payload, attempt);
    const latencyMs = this.clock.monotonicMs() - started;
    this.reporter.attempt(batch, attempt, result, latencyMs);
    return {
      judgement: judge({ events: batch.events, repeated: batch.sent > 1 }, result, this.settings().conflict),
      tooLarge: result.status === 'tooLarge',
      latencyMs,
    };
  }

  /** Ends with the attempt's time, whether the transport looks at the signal or not. */
  private async send(batch: Batch<Payload>, payload: Payload, attempt: number): Promise<SendResult> {
    const { timeoutMs } = this.settings();
    const controller = new AbortController();
    let stop = (): void => undefined;
    const stopped = new Promise<SendResult>((resolve) => {
      const give = (message: string): void => {
        resolve({ status: 'retryable', error: { message } });
        controller.abort();
      };
      const onEnd = (): void => {
        give('given up: the process ends');
      };
      const timer = this.clock.setTimeout(() => {
        give(`no answer within ${timeoutMs} ms`);
      }, timeoutMs);
      this.underWay.add(onEnd);
      stop = () => {
        this.clock.clearTimeout(timer);
        this.underWay.delete(onEnd);
      };
      if (this.ended) {
        onEnd();
      }
    });
    try {
      const { id: batchId, requestId } = batch;
      const { signal } = controller;
      return await Promise.race([
        stopped,
        this.transport.send(payload, {
          ...{ batchId, requestId, attempt, signal },
          get events() {
            return batch.events.map(({ event }) => event);
          },
        }),
      ]);
    } catch (error) {
      return { status: 'retryable', error: { message: errorMessage(error) } };
    } finally {
      stop();
    }
  }
}
