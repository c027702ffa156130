/** Values under two names, neither of which has to be escaped. */
export class TwoLevelMap<Value> {
  private readonly outer = new Map<string, Map<string, Value>>();

  constructor(private readonly create: () => Value) {}

  get(first: string, second: string): Value | undefined {
    return this.outer.get(first)?.get(second);
  }

  /** The value, made when there is none. */
  make(first: string, second: string): Value {
    let inner = this.outer.get(first);
    if (inner === undefined) {
      inner = new Map();
      this.outer.set(first, inner);
    }
    let value = inner.get(second);
    if (value === undefined) {
      value = this.create();
      inner.set(second, value);
    }
    return value;
  }

  values(): Value[] {
    return [...this.outer.values()].flatMap((inner) => [...inner.values()]);
  }

  /** Those under the names that are given; a missing name stands for all. */
  *entries({
    second,
  }: {
    readonly second?: string | undefined;
  }): Generator<readonly [first: string, second: string, value: Value]> {
    for (const [first, inner] of this.outer) {
      for (const [name, value] of inner) {
        if (second === undefined || name === second) {
          yield [first, name, value];
        }
      }
    }
  }

  /** Removes those under the names that are given; a missing name stands for all. */
  delete({
    first,
    second,
  }: {
    readonly first?: string | undefined;
    readonly second?: string | undefined;
  }): void {
    for (const name of first === undefined ? this.outer.keys() : [first]) {
      const inner = this.outer.get(name);
      if (second !== undefined) {
        inner?.delete(second);
      }
      if (second === undefined || inner?.size === 0) {
        this.outer.delete(name);
      }
    }
  }
}
