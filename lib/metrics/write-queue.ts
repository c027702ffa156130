import { outside } from '../core/outside.js';

/** What became of one piece of work. */
export type Settled<T> = { readonly value: T } | { readonly value?: never; readonly error: unknown };

export interface WriteQueueOptions {
  /** Batches under way at the same time. */
  readonly maxInFlight: number;
  /** Pieces of work in one batch. */
  readonly maxBatch: number;
  /** Pieces of work that wait; more are refused. */
  readonly maxWaiting: number;
}

interface Waiting<Work> {
  readonly work: Work;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Gathers what is written in one turn of the event loop, and all that comes while earlier batches are under way, into as
 * few batches as possible.
 *
 * Invariants
 * - Batches start in the order of the work; work is in exactly one of them.
 * - Each piece of work settles, whatever `run` does.
 * - Batches run outside the async context of whoever asked for them.
 */
export class WriteQueue<Work> {
  private waiting: Waiting<Work>[] = [];
  private inFlight = 0;
  private scheduled = false;
  private drained: (() => void)[] = [];

  constructor(
    private readonly run: (batch: readonly Work[]) => Promise<readonly Settled<unknown>[]>,
    private readonly options: WriteQueueOptions,
  ) {}

  /** @throws RangeError (rejects) when too much waits already */
  push<T>(work: Work): Promise<T> {
    if (this.waiting.length >= this.options.maxWaiting) {
      return Promise.reject(
        new RangeError(
          `${this.waiting.length} writes wait for the metrics store already; this one was refused`,
        ),
      );
    }
    return new Promise<T>((resolve, reject) => {
      this.waiting.push({ work, resolve, reject });
      this.schedule();
    });
  }

  /** Resolves when nothing waits and nothing is under way. */
  drain(): Promise<void> {
    return this.isIdle()
      ? Promise.resolve()
      : new Promise((resolve) => {
          this.drained.push(resolve);
        });
  }

  private schedule(): void {
    if (!this.scheduled && this.inFlight < this.options.maxInFlight) {
      this.scheduled = true;
      queueMicrotask(() => {
        this.scheduled = false;
        outside(() => {
          void this.start();
        });
      });
    }
  }

  private async start(): Promise<void> {
    const { maxInFlight, maxBatch } = this.options;
    if (this.waiting.length === 0 || this.inFlight >= maxInFlight) {
      return;
    }
    const batch = this.waiting.splice(0, maxBatch);
    this.inFlight++;
    if (this.waiting.length > 0) {
      this.schedule();
    }
    settle(batch, await this.settled(batch.map(({ work }) => work)));
    this.inFlight--;
    if (this.waiting.length > 0) {
      this.schedule();
    } else if (this.isIdle()) {
      this.drained.splice(0).forEach((resolve) => {
        resolve();
      });
    }
  }

  private async settled(batch: readonly Work[]): Promise<readonly Settled<unknown>[]> {
    try {
      return await this.run(batch);
    } catch (error) {
      return batch.map(() => ({ error }));
    }
  }

  private isIdle(): boolean {
    return this.inFlight === 0 && this.waiting.length === 0;
  }
}

function settle(batch: readonly Waiting<unknown>[], results: readonly Settled<unknown>[]): void {
  batch.forEach(({ resolve, reject }, index) => {
    const result = results[index] ?? { error: new Error('no answer') };
    if ('error' in result) {
      reject(result.error);
    } else {
      resolve(result.value as never);
    }
  });
}
