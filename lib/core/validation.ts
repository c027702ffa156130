import { TrackingError } from './errors.js';
import { show } from './show.js';

/** Gathers everything that is wrong with an app's options, so that a boot fails once, with the whole list. */
export class Problems {
  private readonly lines: string[] = [];

  /** @param path the option, as the app writes it: `backends.warehouse` */
  add(path: string, expected: string, given: unknown): void {
    this.lines.push(`expected ${path} to be ${expected}, got ${show(given)}`);
  }

  /** A problem that names expected and given itself. */
  addLine(path: string, line: string): void {
    this.lines.push(`${path}: ${line}`);
  }

  positiveInteger(path: string, value: unknown): void {
    if (!Number.isSafeInteger(value) || (value as number) < 1) {
      this.add(path, 'a positive integer', value);
    }
  }

  /** A duration: 0 or more milliseconds, finite. */
  milliseconds(path: string, value: unknown): void {
    if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) {
      this.add(path, 'milliseconds, 0 or more', value);
    }
  }

  optional<T>(value: T | undefined, check: (value: T) => void): void {
    if (value !== undefined) {
      check(value);
    }
  }

  function(path: string, value: unknown): void {
    if (typeof value !== 'function') {
      this.add(path, 'a function', value);
    }
  }

  boolean(path: string, value: unknown): void {
    if (typeof value !== 'boolean') {
      this.add(path, 'true or false', value);
    }
  }

  /** Names what is not an option at all: most often a typing mistake. */
  onlyKeys(path: string, value: object, known: readonly string[]): void {
    for (const key of Object.keys(value)) {
      if (!known.includes(key)) {
        this.lines.push(
          `${path === '' ? key : `${path}.${key}`} is not an option; known are ${known.join(', ')}`,
        );
      }
    }
  }

  get found(): boolean {
    return this.lines.length > 0;
  }

  /** @throws TrackingError `invalid_options` with every problem, if there is any */
  throwIfAny(what: string): void {
    if (this.found) {
      throw new TrackingError(
        'invalid_options',
        `${what}:\n${this.lines.map((line) => `  - ${line}`).join('\n')}`,
      );
    }
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
