import { HyperLogLog, SKETCH_BYTES } from './hyper-log-log.js';

/** As many hashes take the space of a sketch. */
const MAX_EXACT = SKETCH_BYTES / Float64Array.BYTES_PER_ELEMENT - 1;

/** Distinct hashes: themselves while they are few, a sketch from then on. */
export class DistinctMembers {
  private exact: Set<number> | undefined = new Set();
  private sketch: HyperLogLog | undefined;

  /** Reads what `bytes` made. */
  static from(bytes: Uint8Array): DistinctMembers {
    const members = new DistinctMembers();
    if (bytes.byteLength === SKETCH_BYTES) {
      members.exact = undefined;
      members.sketch = new HyperLogLog(Uint8Array.from(bytes));
    } else {
      // A copy: a Float64Array needs an aligned start.
      const copy = Uint8Array.from(bytes);
      members.exact = new Set(new Float64Array(copy.buffer));
    }
    return members;
  }

  /** Answers whether that changed anything. */
  add(hash: number): boolean {
    if (this.exact === undefined) {
      return this.asSketch().add(hash);
    }
    const before = this.exact.size;
    const { size } = this.exact.add(hash);
    if (size > MAX_EXACT) {
      this.asSketch();
    }
    return size !== before;
  }

  merge(other: DistinctMembers): void {
    if (other.sketch !== undefined) {
      this.asSketch().merge(other.sketch);
    }
    for (const hash of other.exact ?? []) {
      this.add(hash);
    }
  }

  count(): number {
    return this.exact?.size ?? this.asSketch().count();
  }

  bytes(): Uint8Array {
    return this.exact === undefined
      ? this.asSketch().registers
      : new Uint8Array(Float64Array.from(this.exact).buffer);
  }

  private asSketch(): HyperLogLog {
    this.sketch ??= new HyperLogLog();
    for (const hash of this.exact ?? []) {
      this.sketch.add(hash);
    }
    this.exact = undefined;
    return this.sketch;
  }
}
