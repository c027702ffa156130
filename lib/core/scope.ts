import type { TrackerContext } from './base-context.js';
import type { TrackedEvent } from './event.js';
import type { Frame } from './merged-context.js';
import { EMPTY_CONTEXT, MergedContext } from './merged-context.js';
import type { DispatchOutcomes } from './outcome.js';
import type { DropReason } from './processor.js';

/** A frame under its name; without one it hides an outer frame of that name. */
interface Entry {
  readonly name: string;
  readonly frame: Frame | undefined;
}

/** Who emitted an event, and sends it on its way once the scope says so. */
export interface Emitter {
  /** @returns what is under way then, if anything is; it never rejects */
  dispatch(event: TrackedEvent, outcomes?: DispatchOutcomes): Promise<void> | undefined;
  drop(reason: DropReason): void;
}

/** A merged context, and what it was made from. */
interface Merge {
  readonly tracker: TrackerContext;
  readonly bottom: Frame | undefined;
  readonly version: number;
  readonly baseVersion: number;
  readonly merged: MergedContext;
}

/** Decides over the events of one tracker, and counts them: a request. */
export interface EventFollower {
  /** Of the tracker and its children. */
  readonly runtime: object;
  /** Takes an event, to be dispatched now or later, or dropped. */
  take(event: TrackedEvent, emitter: Emitter): void;
  /** Learns of an event that goes its way unasked: of `emitAsync`. */
  dispatched(outcomes: DispatchOutcomes, underWay: Promise<void> | undefined): void;
  /** Learns of an event that was dropped before it was dispatched. */
  dropped(reason: DropReason): void;
}

const NO_ENTRIES: readonly Entry[] = [];
/** Work that starts its own next round inside its context would nest for ever. */
const MAX_NESTED = 64;

/**
 * A stretch of asynchronous work with its frames. Scopes nest; what is entered in one is seen in it and below. A host
 * extends it for what it opens a scope for: a request, a message.
 *
 * Invariants
 * - A scope's list of entries is replaced, never changed, and every change is seen in the version of the root.
 * - A merged result is used only for what it was made from: tracker, bottom frame, versions.
 * - Leaving a scope needs no clean-up: it is forgotten with the work that ran in it.
 * - At most MAX_NESTED scopes lie one in the other. Beyond, the entries of those between are taken over as they are:
 *   only there, what is entered outside later is no longer seen.
 */
export class Scope {
  readonly root: Scope;
  /** Who decides over the events emitted in the root scope, if anybody does. */
  readonly follower: EventFollower | undefined = undefined;
  private readonly level: number;
  /** Changes whenever something is entered or left in this scope or one inside it. Counted at the root. */
  private version = 0;
  private last: Merge | undefined;

  constructor(
    private readonly parent?: Scope,
    private entries: readonly Entry[] = NO_ENTRIES,
    /** Whether the app's `onError` runs in it. */
    readonly isReporting: boolean = parent?.isReporting ?? false,
  ) {
    this.root = parent?.root ?? this;
    this.level = parent === undefined ? 0 : parent.level + 1;
  }

  /** A scope inside another, or one that stands alone, with one more frame. */
  static inside(outer: Scope | undefined, name?: string, frame?: Frame): Scope {
    const entries = name === undefined ? NO_ENTRIES : [{ name, frame }];
    return outer === undefined || outer.level < MAX_NESTED
      ? new Scope(outer, entries)
      : new Scope(new Scope(outer.root, outer.visible(outer.root), outer.isReporting), entries);
  }

  /** The same, for the app's `onError`. */
  static reporting(outer: Scope | undefined): Scope {
    return new Scope(outer, NO_ENTRIES, true);
  }

  /** A later entry of the same name replaces the earlier one and moves it last. */
  enter(name: string, frame: Frame): void {
    this.entries = [...this.without(name), { name, frame }];
    this.root.version++;
  }

  /** Returns whether the name was entered here or outside; an outer one is hidden until this scope is left. */
  exit(name: string): boolean {
    if (!this.has(name)) {
      return false;
    }
    this.entries =
      this.parent?.has(name) === true
        ? [...this.without(name), { name, frame: undefined }]
        : this.without(name);
    this.root.version++;
    return true;
  }

  /** The merged frames: those of a tracker weakest, then the bottom of the root, then what was entered. */
  resolve(tracker: TrackerContext): MergedContext {
    const { root, last } = this;
    const bottom = root.bottom();
    if (
      last?.tracker === tracker &&
      last.bottom === bottom &&
      last.version === root.version &&
      last.baseVersion === tracker.base.version
    ) {
      return last.merged;
    }
    const merged = this.merge(tracker, bottom);
    this.last = { tracker, bottom, version: root.version, baseVersion: tracker.base.version, merged };
    return merged;
  }

  /** What lies below everything that is entered. The same object as long as nothing changed. */
  protected bottom(): Frame | undefined {
    return undefined;
  }

  /** Whether it ended so long ago that it counts as empty: what still runs in it does not belong to it any more. */
  hasRetired(): boolean {
    return false;
  }

  /** From the strongest to the weakest: where a name comes again, the frame that is seen was met before. */
  private merge(tracker: TrackerContext, bottom: Frame | undefined): MergedContext {
    const frames: Frame[] = [];
    const names: string[] = [];
    this.collect(frames, names);
    if (bottom !== undefined) {
      frames.push(bottom);
    }
    tracker.collect(frames, names);
    return frames.length === 0 ? EMPTY_CONTEXT : new MergedContext(frames.reverse());
  }

  private collect(frames: Frame[], names: string[]): void {
    for (let i = this.entries.length - 1; i >= 0; i--) {
      const { name, frame } = this.entries[i] as Entry;
      if (!names.includes(name)) {
        names.push(name);
        if (frame !== undefined) {
          frames.push(frame);
        }
      }
    }
    this.parent?.collect(frames, names);
  }

  private has(name: string): boolean {
    const entry = this.entries.find((known) => known.name === name);
    return entry === undefined ? (this.parent?.has(name) ?? false) : entry.frame !== undefined;
  }

  private without(name: string): readonly Entry[] {
    return this.entries.filter((known) => known.name !== name);
  }

  /** The entries from the root, or from below a scope, to here; a name entered again stands where it was entered last. */
  private visible(below?: Scope): readonly Entry[] {
    const { parent, entries } = this;
    if (parent === undefined || parent === below) {
      return entries;
    }
    const outer = parent.visible(below).filter(({ name }) => !entries.some((own) => own.name === name));
    return [...outer, ...entries];
  }
}
