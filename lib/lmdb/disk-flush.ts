import { close, fdatasync, openSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Clock, TimerHandle } from '../core/clock.js';

const sync = promisify(fdatasync);
/** What a power cut may cost. */
const FLUSH_MS = 1_000;

/** Brings what is written to a file to the disk, in the background. */
export class DiskFlush {
  private readonly descriptor: number;
  private timer: TimerHandle;
  private isDue = false;
  private running: Promise<void> = Promise.resolve();

  constructor(
    path: string,
    private readonly clock: Clock,
  ) {
    this.descriptor = openSync(path, 'r+');
  }

  /** Something was written. */
  written(): void {
    if (!this.isDue) {
      this.isDue = true;
      this.timer = this.clock.setTimeout(() => {
        this.isDue = false;
        this.running = this.sync();
      }, FLUSH_MS);
    }
  }

  async close(): Promise<void> {
    this.clock.clearTimeout(this.timer);
    await this.running;
    await this.sync();
    close(this.descriptor);
  }

  /** A disk that fails shows it at the next commit. */
  private async sync(): Promise<void> {
    await sync(this.descriptor).catch(() => undefined);
  }
}
