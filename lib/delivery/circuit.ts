import type { Random } from './backoff.js';
import { probeDelayMs } from './backoff.js';

/** Why a destination is left alone until something changes there. */
export type PauseReason =
  /** 401 or 403: the credentials do not do. */
  | 'unauthorised'
  /** It refuses everything: three batches, or 20 single events, with nothing delivered in between. */
  | 'refusing_everything';

export type CircuitState = 'ok' | 'retrying' | 'paused';

/** So many failures in a row, of different streams where there are streams, mean that the destination is away. */
const OPEN_AFTER = 3;
const PAUSE_AFTER_BATCHES = 3;
const PAUSE_AFTER_EVENTS = 20;
const PROBE_EVENTS = 10;

/**
 * Whether a destination can be used. While it is `retrying` or `paused`, one lane probes with a small batch when
 * `probeAt` has come, and everything else waits. All times are of the monotonic clock.
 */
export class Circuit {
  state: CircuitState = 'ok';
  pauseReason: PauseReason | undefined;
  probeAt = -Infinity;
  private probes = 0;
  private readonly failing = new Set<string>();
  /** Streams that failed while the destination took others: what they do says nothing about it. */
  private readonly troubled = new Set<string>();
  private refusedBatches = 0;
  private rejectedEvents = 0;

  constructor(
    private readonly maxDelayMs: () => number,
    private readonly random: Random,
    /** Whether there are streams, which come again under their names. */
    private readonly hasStreams: boolean,
  ) {}

  /** Most events of one probe. Where everything is refused, each probe may cost what it sends. */
  get probeEvents(): number {
    return this.pauseReason === 'refusing_everything' ? 1 : PROBE_EVENTS;
  }

  delivered(stream: string): void {
    this.refusedBatches = 0;
    this.rejectedEvents = 0;
    this.close();
    this.troubled.delete(stream);
  }

  /** It answered, so it is there, and it knows us; whether it takes anything is another question. */
  answered(now: number): void {
    if (this.pauseReason === 'refusing_everything') {
      this.probeLater(now);
    } else {
      this.close();
    }
  }

  /**
   * It is away, or asks for time. Answers whether that says anything about the destination.
   *
   * @param stream failures of one stream alone, over and over, do not count as failures of the destination
   */
  failed(stream: string, now: number, retryAfterMs?: number): boolean {
    if (this.state === 'ok' && this.troubled.has(stream)) {
      return false;
    }
    this.failing.add(stream);
    if (this.state === 'paused' && this.pauseReason !== 'unauthorised') {
      this.probeLater(now);
      return true;
    }
    if (this.state === 'ok' && this.failing.size < OPEN_AFTER) {
      return true;
    }
    if (this.state !== 'retrying') {
      this.open('retrying', undefined);
    }
    this.probeAt =
      now +
      Math.max(
        Math.min(retryAfterMs ?? 0, this.maxDelayMs()),
        probeDelayMs(this.probes, this.maxDelayMs(), this.random),
      );
    this.probes++;
    return true;
  }

  /** It asked everybody for time: no need to find out more. */
  asksForTime(now: number): void {
    if (this.state === 'ok') {
      this.open('retrying', undefined);
      this.probeAt = now;
    }
  }

  blocked(now: number): void {
    this.open('paused', 'unauthorised');
    this.probeLater(now);
  }

  /** A whole batch was refused, whatever was in it. */
  refused(now: number): void {
    this.refusedBatches++;
    this.refusal(now);
  }

  rejected(events: number, now: number): void {
    this.rejectedEvents += events;
    this.refusal(now);
  }

  /** The cause of the pause may be gone: the next probe goes at once. */
  credentialsChanged(now: number): void {
    if (this.pauseReason === 'unauthorised') {
      this.probeAt = now;
    }
  }

  private refusal(now: number): void {
    if (this.refusedBatches >= PAUSE_AFTER_BATCHES || this.rejectedEvents >= PAUSE_AFTER_EVENTS) {
      this.open('paused', 'refusing_everything');
      this.probeLater(now);
    } else {
      this.close();
    }
  }

  private open(state: Exclude<CircuitState, 'ok'>, reason: PauseReason | undefined): void {
    this.state = state;
    this.pauseReason = reason;
    this.probes = 0;
  }

  private close(): void {
    this.state = 'ok';
    this.pauseReason = undefined;
    if (this.hasStreams) {
      for (const stream of this.failing) {
        this.troubled.add(stream);
      }
    }
    this.failing.clear();
  }

  private probeLater(now: number): void {
    this.probeAt = now + this.maxDelayMs();
  }
}
