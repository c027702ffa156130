/** Many wishes to flush become few flushes: one runs, at most one more waits for all who came meanwhile. */
export class FlushCoalescer {
  private last: Promise<void> = Promise.resolve();
  private next: Promise<void> | undefined;

  /** @param flush never rejects */
  constructor(private readonly flush: () => Promise<void>) {}

  /** Resolves after a flush that began after this call. */
  request(): Promise<void> {
    this.next ??= this.last = this.last.then(() => {
      this.next = undefined;
      return this.flush();
    });
    return this.next;
  }
}
