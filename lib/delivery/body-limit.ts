/** After so many deliveries a larger batch is tried again. */
const DELIVERIES_BEFORE_GROWTH = 100;

/** Learns from 413 answers how much a destination takes, so that not every batch has to be halved. */
export class BodyLimit {
  /** Most bytes of one batch. */
  maxBytes = Infinity;
  private delivered = 0;

  refused(bytes: number): void {
    this.maxBytes = Math.min(this.maxBytes, Math.max(1, Math.floor(bytes / 2)));
    this.delivered = 0;
  }

  took(): void {
    if (this.maxBytes === Infinity) {
      return;
    }
    this.delivered++;
    if (this.delivered >= DELIVERIES_BEFORE_GROWTH) {
      this.delivered = 0;
      this.maxBytes *= 2;
    }
  }
}
