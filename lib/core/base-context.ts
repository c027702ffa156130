import type { Frame } from './merged-context.js';
import { MergedContext } from './merged-context.js';

/** What was entered outside any scope: it lies below every scope of the process. Sealed once a host serves. */
export class BaseContext {
  sealed = false;
  /** Changes with the frames. */
  version = 0;
  private readonly frames = new Map<string, Frame>();

  enter(name: string, frame: Frame): void {
    this.frames.delete(name);
    this.frames.set(name, frame);
    this.version++;
  }

  exit(name: string): boolean {
    const known = this.frames.delete(name);
    if (known) {
      this.version++;
    }
    return known;
  }

  has(name: string): boolean {
    return this.frames.has(name);
  }

  /** Adds its frames, the strongest first, but for those whose names were entered in the scope above. */
  collect(frames: Frame[], names: readonly string[]): void {
    for (const [name, frame] of [...this.frames].reverse()) {
      if (!names.includes(name)) {
        frames.push(frame);
      }
    }
  }
}

/** What one tracker puts below every scope: its own frames, weakest, then the base that it shares with its children. */
export class TrackerContext {
  private merged: MergedContext;
  private mergedVersion = 0;

  constructor(
    readonly base: BaseContext,
    private readonly own: readonly Frame[],
  ) {
    this.merged = new MergedContext(own);
  }

  with(frame: Frame): TrackerContext {
    return new TrackerContext(this.base, [...this.own, frame]);
  }

  /** Adds the frames below a scope, the strongest first. */
  collect(frames: Frame[], names: readonly string[]): void {
    if (this.base.version > 0) {
      this.base.collect(frames, names);
    }
    for (let i = this.own.length - 1; i >= 0; i--) {
      frames.push(this.own[i] as Frame);
    }
  }

  /** All that an event has that is emitted outside any scope. */
  outside(): MergedContext {
    if (this.mergedVersion !== this.base.version) {
      this.mergedVersion = this.base.version;
      const frames: Frame[] = [];
      this.collect(frames, []);
      this.merged = new MergedContext(frames.reverse());
    }
    return this.merged;
  }
}
