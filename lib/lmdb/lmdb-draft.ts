import type { Database } from 'lmdb';
import type { Settled } from '../metrics/write-queue.js';

interface Entry {
  readonly key: Buffer;
  /** `undefined` once removed. */
  readonly value: Buffer | undefined;
}

/** Every value has one: the database keeps versions for one key's sake. */
const ANY_VERSION = 1;

/** A snapshot with changes on top, written all at once. */
export class LmdbDraft {
  private readonly changes = new Map<string, Entry>();
  private own = new Map<string, Entry>();

  constructor(private readonly db: Database<Buffer, Buffer>) {}

  get isEmpty(): boolean {
    return this.changes.size === 0;
  }

  /** Does work, and takes its changes over unless it throws. */
  attempt<T>(work: (draft: this) => T): Settled<T> {
    this.own = new Map();
    try {
      const value = work(this);
      for (const [id, entry] of this.own) {
        this.changes.set(id, entry);
      }
      return { value };
    } catch (error) {
      return { error };
    }
  }

  get(key: Buffer): Buffer | undefined {
    const id = idOf(key);
    const changed = this.own.get(id) ?? this.changes.get(id);
    return changed === undefined ? this.db.getBinary(key) : changed.value;
  }

  put(key: Buffer, value: Buffer): void {
    this.own.set(idOf(key), { key, value });
  }

  remove(key: Buffer): void {
    this.own.set(idOf(key), { key, value: undefined });
  }

  /** The keys in a range, in no order. */
  keys({ start, end }: { readonly start: Buffer; readonly end: Buffer }): Buffer[] {
    const found = new Map<string, Buffer>();
    for (const key of this.db.getKeys({ start, end })) {
      found.set(idOf(key), key);
    }
    for (const layer of [this.changes, this.own]) {
      for (const [id, { key, value }] of layer) {
        if (value === undefined) {
          found.delete(id);
        } else if (start.compare(key) <= 0 && end.compare(key) > 0) {
          found.set(id, key);
        }
      }
    }
    return [...found.values()];
  }

  /** Called within a condition: its promise tells about the whole. */
  writeTo(db: Database<Buffer, Buffer>): void {
    for (const { key, value } of this.changes.values()) {
      void (value === undefined ? db.remove(key) : db.put(key, value, ANY_VERSION));
    }
  }
}

function idOf(key: Buffer): string {
  return key.toString('latin1');
}
