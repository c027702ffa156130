/** Many wishes to flush become few flushes: one runs, at most one more waits for all who came meanwhile. */
export class FlushCoalescer {
  private running: Promise<void> | undefined;
  private next: Promise<void> | undefined;

  /** @param flush never rejects */
  constructor(private readonly flush: () => Promise<void>) {}

  /** Resolves after a flush that began after this call. */
  request(): Promise<void> {
    if (this.running === undefined) {
      return this.start();
    }
    return (this.next ??= this.running.then(() => {
      this.next = undefined;
      return this.start();
    }));
  }

  private start(): Promise<void> {
    const running = this.flush().then(() => {
      if (this.running === running) {
        this.running = undefined;
      }
    });
    this.running = running;
    return running;
  }
}
