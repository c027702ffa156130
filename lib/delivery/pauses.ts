interface Pause {
  readonly from: number;
  readonly to: number;
}

/** So many are remembered apart; the two oldest of more become one. */
const MAX_PAUSES = 50;

/** When a destination was paused: in that time nothing that waits for it grows older. */
export class Pauses {
  private readonly past: Pause[] = [];
  private since: number | undefined;

  begin(now: number): void {
    this.since ??= now;
  }

  end(now: number): void {
    if (this.since === undefined) {
      return;
    }
    this.past.push({ from: this.since, to: now });
    this.since = undefined;
    if (this.past.length > MAX_PAUSES) {
      const [first, second] = this.past.splice(0, 2) as [Pause, Pause];
      this.past.unshift({ from: first.from, to: second.to });
    }
  }

  /** Milliseconds between two times without the pauses. */
  activeMs(from: number, to: number): number {
    let ms = Math.max(0, to - from);
    for (const pause of this.past) {
      ms -= overlap(pause, from, to);
    }
    return this.since === undefined ? ms : ms - overlap({ from: this.since, to }, from, to);
  }
}

function overlap(pause: Pause, from: number, to: number): number {
  return Math.max(0, Math.min(pause.to, to) - Math.max(pause.from, from));
}
