import { eventBytes } from '../core/event.js';
import type { DeadLetter, DeadLetterFilter } from './dead-letter.js';
import { deadLetterMatcher } from './dead-letter.js';

export interface DeadLetterBounds {
  readonly maxEvents: number;
  readonly maxBytes: number;
}

/** The latest dead letters, as many as the bounds let stay. */
export class MemoryDeadLetters {
  private letters = new Set<DeadLetter>();
  private bytes = 0;

  constructor(private readonly bounds: DeadLetterBounds) {}

  add(letter: DeadLetter): void {
    this.letters.add(letter);
    this.bytes += sizeOf(letter);
    for (const oldest of this.letters) {
      if (this.letters.size <= this.bounds.maxEvents && this.bytes <= this.bounds.maxBytes) {
        break;
      }
      this.remove(oldest);
    }
  }

  remove(letter: DeadLetter): void {
    if (this.letters.delete(letter)) {
      this.bytes -= sizeOf(letter);
    }
  }

  /** From the oldest on, as they are now. */
  matching(filter?: DeadLetterFilter): DeadLetter[] {
    return [...this.letters].filter(deadLetterMatcher(filter));
  }
}

/** Answers are shared by the letters of a batch, and small: they do not count. */
function sizeOf({ event }: DeadLetter): number {
  return eventBytes(event);
}
