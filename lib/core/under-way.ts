type Listener = (ended: UnderWay) => void;

/**
 * Something that has begun, and ends once. What a promise says, without its price: a promise costs a microtask and, where
 * async hooks run, as much as writing half an event.
 */
export class UnderWay {
  hasEnded = false;
  // Hardly ever more than two listen: that takes no list.
  private listener: Listener | undefined = undefined;
  private others: Listener[] | undefined = undefined;

  static of(work: Promise<void>): UnderWay {
    const underWay = new UnderWay();
    void work.then(() => {
      underWay.end();
    });
    return underWay;
  }

  /** Calls back at the end: at once when that has come. The listener must not throw. */
  whenEnded(listener: Listener): void {
    if (this.hasEnded) {
      listener(this);
    } else if (this.listener === undefined) {
      this.listener = listener;
    } else if (this.others === undefined) {
      this.others = [listener];
    } else {
      this.others.push(listener);
    }
  }

  end(): void {
    this.hasEnded = true;
    const { listener, others } = this;
    this.listener = undefined;
    this.others = undefined;
    listener?.(this);
    if (others !== undefined) {
      for (const other of others) {
        other(this);
      }
    }
  }

  /** Resolves at the end. */
  get promise(): Promise<void> {
    return new Promise((resolve) => {
      this.whenEnded(() => {
        resolve();
      });
    });
  }
}

/** All work that is under way, as one, or none. */
export function together(parts: readonly (UnderWay | undefined)[]): UnderWay | undefined {
  const underWay = parts.filter((part) => part !== undefined);
  if (underWay.length < 2) {
    return underWay[0];
  }
  const all = new UnderWay();
  let left = underWay.length;
  for (const part of underWay) {
    part.whenEnded(() => {
      left--;
      if (left === 0) {
        all.end();
      }
    });
  }
  return all;
}
