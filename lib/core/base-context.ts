import type { JsonObject } from './json.js';
import { EMPTY_OBJECT } from './json.js';
import { mergeFrames } from './resolved-context.js';

/** What a tracker puts below every scope: what was entered outside any. Sealed once a host serves. */
export class BaseContext {
  sealed = false;
  private readonly frames = new Map<string, JsonObject>();
  private version = 0;

  enter(name: string, data: JsonObject): void {
    this.frames.delete(name);
    this.frames.set(name, data);
    this.version++;
  }

  exit(name: string): boolean {
    const known = this.frames.delete(name);
    if (known) {
      this.version++;
    }
    return known;
  }

  /** Merges the base over the given layers; the answer keeps its identity while nothing changes. */
  layered(below: readonly JsonObject[]): () => JsonObject {
    let version = -1;
    let merged = EMPTY_OBJECT;
    return () => {
      if (version !== this.version) {
        version = this.version;
        const result = mergeFrames([...below, ...this.frames.values()]);
        merged = Object.keys(result).length === 0 ? EMPTY_OBJECT : result;
      }
      return merged;
    };
  }
}
